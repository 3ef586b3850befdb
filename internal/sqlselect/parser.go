package sqlselect

import "slices"

// parser walks over the tokens once.
type parser struct {
	*lexer
	at     int
	levels []level
	known  []string // names that a WITH has defined so far
}

// level is what is known inside one pair of parentheses, or outside all.
type level struct {
	selected bool // a SELECT has begun here
	set      bool // UNION, EXCEPT or INTERSECT was read, and a SELECT must follow
	from     bool // in a list of tables
	source   bool // a table must follow
	with     bool // the parentheses of a WITH
}

func (p *parser) top() *level { return &p.levels[len(p.levels)-1] }

func (p *parser) peek(ahead int) token {
	if p.at+ahead < 0 || p.at+ahead >= len(p.tokens) {
		return token{kind: mark, from: len(p.sql), to: len(p.sql)}
	}
	return p.tokens[p.at+ahead]
}

func (p *parser) wrong(format string, args ...any) error {
	return p.refuse(p.peek(0).from, format, args...)
}

// statement reads the whole.
func (p *parser) statement() error {
	p.levels = []level{{}}
	if p.peek(0).keyword("WITH") {
		if err := p.with(); err != nil {
			return err
		}
	}
	if !p.peek(0).keyword("SELECT") {
		return p.wrong("a query begins with SELECT, or with WITH and then SELECT")
	}
	for p.at < len(p.tokens) {
		if err := p.step(); err != nil {
			return err
		}
	}
	return p.closed()
}

// closed is asked at the end.
func (p *parser) closed() error {
	switch l := p.top(); {
	case len(p.levels) > 1:
		return p.wrong("%d parentheses are not closed", len(p.levels)-1)
	case l.source:
		return p.wrong("a table must follow")
	case l.set:
		return p.wrong("a SELECT must follow")
	}
	return nil
}

// with reads "WITH a AS (SELECT …), b (x, y) AS (…)" up to the last closing parenthesis.
func (p *parser) with() error {
	for {
		p.at++ // WITH or a comma
		t := p.peek(0)
		if t.kind != quoted && t.kind != word || t.in(forbidden) || t.in(opening) || t.in(functions) {
			return p.wrong("WITH must be followed by a name")
		}
		name := p.name(t)
		p.at++
		if err := p.columns(); err != nil {
			return err
		}
		if !p.peek(0).keyword("AS") || !p.peek(1).is("(") || !p.peek(2).keyword("SELECT") {
			return p.wrong("AS (SELECT must follow the name in WITH")
		}
		// The name is known inside, so that it can refer to itself, and in all that follows.
		p.known = append(p.known, name)
		p.at += 2
		p.levels = append(p.levels, level{with: true})
		for depth := len(p.levels); len(p.levels) >= depth; {
			if p.at == len(p.tokens) {
				return p.closed()
			}
			if err := p.step(); err != nil {
				return err
			}
		}
		if !p.peek(0).is(",") {
			return nil
		}
	}
}

// columns reads "(a, b)" after a name in WITH, if it is there.
func (p *parser) columns() error {
	if !p.peek(0).is("(") {
		return nil
	}
	for {
		p.at++
		if t := p.peek(0); t.kind != quoted && t.kind != word || t.in(forbidden) {
			return p.wrong("a name of a column must follow")
		}
		p.at++
		switch t := p.peek(0); {
		case t.is(")"):
			p.at++
			return nil
		case !t.is(","):
			return p.wrong("%q or %q must follow", ",", ")")
		}
	}
}

// step reads one token.
func (p *parser) step() error {
	t := p.peek(0)
	if l := p.top(); l.source {
		return p.source(t)
	} else if l.set && t.kind != word {
		return p.wrong("a SELECT must follow")
	}
	var err error
	switch t.kind {
	case word:
		err = p.word(t)
	case table, quoted:
		err = p.dots()
	case mark:
		err = p.mark(t)
	}
	p.at++
	return err
}

// mark reads punctuation.
func (p *parser) mark(t token) error {
	switch t.word {
	case "(":
		return p.open()
	case ")":
		return p.shut()
	case ";":
		return p.wrong("a semicolon stands at the end alone: a query is one statement")
	case ",":
		if l := p.top(); l.from {
			l.source = true
		}
	case ".":
		if b, a := p.peek(-1), p.peek(1); b.kind != word && b.kind != quoted && b.kind != table || a.kind != word && a.kind != quoted && !a.is("*") {
			return p.wrong("a point stands between an alias and a column alone")
		}
	}
	return nil
}

// open goes into parentheses that are no table.
func (p *parser) open() error {
	switch before := p.peek(-1); {
	case before.kind == quoted || before.kind == table:
		return p.wrong("a function is called by its bare name")
	case before.is(")"):
		return p.wrong("a parenthesis directly after another is not taken")
	case before.kind == word && p.peek(-2).is("."):
		return p.wrong("a function is called by its bare name")
	case before.kind == word && !opening[before.word] && !functions[before.word]:
		return p.wrong("%s( is not taken: functions are those that look at their arguments alone", clip(p.name(before)))
	}
	return p.push(level{})
}

func (p *parser) push(l level) error {
	if len(p.levels) > maxDepth {
		return p.wrong("more than %d parentheses within each other", maxDepth)
	}
	p.levels = append(p.levels, l)
	return nil
}

func (p *parser) shut() error {
	l := p.top()
	if len(p.levels) == 1 {
		return p.wrong("a closing parenthesis too many")
	}
	if l.source || l.set {
		return p.wrong("a table or a SELECT must follow")
	}
	p.levels = p.levels[:len(p.levels)-1]
	return nil
}

// source reads what a table is expected to be.
func (p *parser) source(t token) error {
	l := p.top()
	known := (t.kind == word || t.kind == quoted) && slices.Contains(p.known, p.name(t)) && !t.in(forbidden)
	switch {
	case t.kind == table || known:
		l.source = false
		p.at++
		if p.peek(0).is(".") {
			return p.wrong("a table has no further parts")
		}
		if p.peek(0).is("(") {
			return p.wrong("hints and functions are not taken as tables")
		}
		return nil
	case t.is("("):
		l.source = false
		inner := level{}
		if !p.peek(1).keyword("SELECT", "VALUES") {
			inner = level{from: true, source: true}
		}
		p.at++
		return p.push(inner)
	}
	return p.wrong("a table is written {name}, and nothing else stands here but a SELECT in parentheses or a name that a WITH has defined")
}

// dots refuses names of three and more parts, and tables with something before them.
func (p *parser) dots() error {
	if p.peek(1).is(".") && p.peek(3).is(".") {
		return p.wrong("a name of three parts is not taken: a column is written alias.column")
	}
	if p.peek(0).kind == table && p.peek(-1).is(".") {
		return p.wrong("nothing stands before {name}: it is the whole name of a table")
	}
	return nil
}

// word reads a bare word.
func (p *parser) word(t token) error {
	l := p.top()
	if l.set && t.word != "SELECT" && t.word != "ALL" {
		return p.wrong("a SELECT must follow")
	}
	if forbidden[t.word] {
		return p.wrong("%s is not taken: a query only selects; a column of that name is written in brackets", t.word)
	}
	switch t.word {
	case "SELECT":
		return p.selects()
	case "FROM":
		return p.fromClause()
	case "JOIN", "APPLY":
		if !l.from {
			return p.wrong("%s is taken in a list of tables alone", t.word)
		}
		l.source = true
		return nil
	case "WITH":
		return p.wrong("WITH is taken at the beginning alone; hints are not taken")
	}
	if tableClauses[t.word] && (!byClauses[t.word] || p.peek(1).keyword("BY")) {
		l.from = false
		l.set = setOperators[t.word]
		return nil
	}
	return p.odd(t)
}

// odd are words that have one use that is taken.
func (p *parser) odd(t token) error {
	before, after := p.peek(-1), p.peek(1)
	switch t.word {
	case "REPLACE":
		if !after.is("(") {
			return p.wrong("REPLACE is taken as a function alone")
		}
	case "FETCH":
		if !before.keyword("ROWS", "ROW") || !after.keyword("NEXT", "FIRST") {
			return p.wrong("FETCH is taken after OFFSET … ROWS alone")
		}
	case "NEXT":
		if !before.keyword("FETCH") {
			return p.wrong("NEXT is taken after FETCH alone; a column of that name is written in brackets")
		}
	case "FOR":
		if !after.keyword("XML", "JSON") {
			return p.wrong("FOR is taken before XML or JSON alone")
		}
	}
	return p.dots()
}

// selects begins a SELECT: the first of its parentheses, or one after a set operator.
func (p *parser) selects() error {
	l := p.top()
	switch before := p.peek(-1); {
	case l.set:
		l.set = false
	case l.selected:
		return p.wrong("a second SELECT is not taken: a query is one statement")
	case len(p.levels) > 1 && !before.is("("):
		return p.wrong("SELECT is taken at the beginning of parentheses alone")
	}
	l.selected, l.from = true, false
	return nil
}

// fromClause begins a list of tables.
func (p *parser) fromClause() error {
	l := p.top()
	if !l.selected {
		return p.wrong("FROM is taken after SELECT alone")
	}
	if p.peek(-1).keyword("DISTINCT") {
		return p.wrong("DISTINCT FROM is not taken")
	}
	l.from, l.source = true, true
	return nil
}
