package sdk

import "strings"

// queryFact is the name of the facts that say how a query went; their ID is the name of the query's rows.
const queryFact = "query"

// Query is the name of the query that the fact is a row of; empty: it is none.
func (f *Fact) Query() string {
	_, query, _ := strings.Cut(f.Name, ".")
	return query
}

// Text is a value of the fact that is text; empty where there is none.
func (f *Fact) Text(key string) string {
	s, _ := f.Data[key].(string)
	return s
}

// Int is a value of the fact that is a whole number; 0 where there is none.
func (f *Fact) Int(key string) int64 {
	n, _ := f.Data[key].(int64)
	return n
}

// Has says whether the fact has a value of that name: a NULL of the database has none.
func (f *Fact) Has(key string) bool {
	_, ok := f.Data[key]
	return ok
}
