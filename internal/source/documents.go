package source

import (
	"context"
	"iter"
)

// Documents yields every document row once, in no particular order. References may dangle: see Doc. Where there is no
// appointment table, or it or associate lacks the columns that link them, nothing can be said of appointments, and
// HasAppointment and HasAssociate are true.
//
// One query reads all: appointments are grouped by document first, so that no row is looked up by itself and nothing
// needs an index; the names of authors come from memory.
func (v *View) Documents(ctx context.Context) iter.Seq2[Doc, error] {
	return func(yield func(Doc, error) bool) {
		logins, err := v.logins(ctx)
		if err != nil {
			yield(Doc{}, err)
			return
		}
		d, ok := v.probe("document", "d")
		if !ok {
			return
		}
		q, readings, known := v.documentQuery(d)
		for r, err := range v.query(ctx, d.table.Name, q, readings) {
			if err != nil {
				yield(Doc{}, err)
				return
			}
			if !yield(document(r, logins, known), nil) {
				return
			}
		}
	}
}

func document(r []any, logins map[int64]string, known bool) Doc {
	doc := Doc{
		ID: number64(r[0]), Name: words(r[1]), Title: words(r[2]), Provider: number64(r[3]), Registered: moment(r[4]),
		Author: number64(r[5]), Updated: moment(r[6]), HasAppointment: true, HasAssociate: true,
	}
	doc.AuthorLogin = logins[doc.Author]
	if known {
		forward, back := number64(r[7]) > 0, number64(r[9]) > 0
		doc.HasAppointment = forward || back
		doc.HasAssociate = number64(r[8]) > 0 || number64(r[10]) > 0 || !doc.HasAppointment
	}
	return doc
}

// documentQuery builds the query; known is whether it tells of appointments, in columns 7 to 10: how many refer to the
// document, how many of these have an associate, and the same of the one that a document without any refers to.
func (v *View) documentQuery(d probe) (q string, readings []Reading, known bool) {
	l := list{conn: v.conn}
	l.add(d, "document_id", "name", "header", "archiveProvider", "registered", "registered_associate_id", "updated")
	p, ok := v.probe("appointment", "p")
	a, ok2 := v.probe("associate", "a")
	if !ok || !ok2 || !p.has("document_id") || !p.has("associate_id") || !a.has("associate_id") {
		return "SELECT " + l.sql() + " FROM " + d.from(), l.readings, false
	}
	l.raw("f.n")
	l.raw("f.w")
	from := " FROM " + d.from() + " LEFT JOIN " + grouped(p, a, "document_id") + " f ON f.k = " + d.col("document_id")
	from += v.backward(&l, d, p, a)
	return "SELECT " + l.sql() + from, l.readings, true
}

// backward joins the appointment that a document refers to where none refers to the document. Grouped it is, too, where
// the catalog does not say that its key is unique, so that a damaged database gives no document twice.
func (v *View) backward(l *list, d, p, a probe) string {
	if !d.has("appointment_id") || !p.has("appointment_id") {
		l.raw("0")
		l.raw("0")
		return ""
	}
	if !p.keyIs("appointment_id") || !a.keyIs("associate_id") {
		l.raw("b.n")
		l.raw("b.w")
		return " LEFT JOIN " + grouped(p, a, "appointment_id") + " b ON b.k = " + d.col("appointment_id") + " AND f.k IS NULL"
	}
	b, _ := v.probe("appointment", "b")
	w, _ := v.probe("associate", "w")
	l.raw("CASE WHEN " + b.col("appointment_id") + " IS NULL THEN 0 ELSE 1 END")
	l.raw("CASE WHEN " + w.col("associate_id") + " IS NULL THEN 0 ELSE 1 END")
	return " LEFT JOIN " + b.from() + " ON " + b.col("appointment_id") + " = " + d.col("appointment_id") +
		" AND " + d.col("appointment_id") + " <> 0 AND f.k IS NULL" +
		" LEFT JOIN " + w.from() + " ON " + w.col("associate_id") + " = " + b.col("associate_id")
}

// grouped counts appointments (n), and those whose associate is there (w), by one of their columns (k).
func grouped(p, a probe, key string) string {
	return "(SELECT " + p.col(key) + " AS k, COUNT(*) AS n, COUNT(" + a.col("associate_id") + ") AS w FROM " + p.from() +
		" LEFT JOIN " + a.from() + " ON " + a.col("associate_id") + " = " + p.col("associate_id") +
		" WHERE " + p.col(key) + " <> 0 GROUP BY " + p.col(key) + ")"
}

// logins maps associates, also former ones, to their login names.
func (v *View) logins(ctx context.Context) (map[int64]string, error) {
	former, err := v.former(ctx)
	if err != nil {
		return nil, err
	}
	all, err := v.associates(ctx)
	if err != nil {
		return nil, err
	}
	out := make(map[int64]string, len(all)+len(former))
	for id, a := range former {
		out[id] = a.Login
	}
	for _, a := range all {
		out[a.id] = a.login
	}
	return out, nil
}

// Templates yields the rows of DocTmpl in the order of their ids.
func (v *View) Templates(ctx context.Context) iter.Seq2[Tmpl, error] {
	cols := []string{"DocTmpl_id", "name", "filename", "autoevent_id", "deleted"}
	return rowsAs(ctx, v, "DocTmpl", cols, func(r []any) Tmpl {
		return Tmpl{ID: number64(r[0]), Title: words(r[1]), File: words(r[2]), Provider: number64(r[3]), Deleted: number64(r[4]) != 0}
	})
}

// Attachments yields the rows of Service's attachment table in the order of their ids.
func (v *View) Attachments(ctx context.Context) iter.Seq2[Attached, error] {
	cols := []string{"id", "name", "att_size", "attachment_location_id"}
	return rowsAs(ctx, v, "attachment", cols, func(r []any) Attached {
		a := Attached{ID: number64(r[0]), Name: words(r[1]), Size: -1, Location: number64(r[3])}
		if r[2] != nil && number64(r[2]) >= 0 {
			a.Size = number64(r[2])
		}
		return a
	})
}

// Locations lists the folders of Service attachments in the order of their ids; the last one is current.
func (v *View) Locations(ctx context.Context) ([]Location, error) {
	var out []Location
	cols := []string{"attachment_location_id", "path"}
	each := rowsAs(ctx, v, "attachment_location", cols, func(r []any) Location {
		return Location{ID: number64(r[0]), Path: words(r[1])}
	})
	for l, err := range each {
		if err != nil {
			return nil, err
		}
		out = append(out, l)
	}
	return out, nil
}

// ServiceConfig reads the row of Service's config table, the first by id where there are more.
func (v *View) ServiceConfig(ctx context.Context) (ServiceConfig, error) {
	cols := []string{"id", "text_path", "attachment_path", "template_path", "tag", "version"}
	each := rowsAs(ctx, v, "config", cols, func(r []any) ServiceConfig {
		return ServiceConfig{
			HasRow: true, TextPath: words(r[1]), AttachmentPath: words(r[2]), TemplatePath: words(r[3]), Tag: words(r[4]),
			Version: words(r[5]),
		}
	})
	for c, err := range each {
		return c, err
	}
	return ServiceConfig{}, nil
}

// rowsAs reads columns of a table in the order of the first one; a table that is not there has no rows.
func rowsAs[T any](ctx context.Context, v *View, table string, cols []string, fn func(r []any) T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		p, ok := v.probe(table, "t")
		if !ok {
			return
		}
		for r, err := range v.rowsOf(ctx, p, "", cols[:1], cols...) {
			if err != nil {
				var none T
				yield(none, err)
				return
			}
			if !yield(fn(r), nil) {
				return
			}
		}
	}
}
