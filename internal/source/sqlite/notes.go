package sqlite

import "github.com/openomt/omt/internal/source"

// Notes lists what the tables of the run lack in SQLite.
func (l *Loader) Notes() []source.Note {
	var notes []source.Note
	for _, t := range l.tables {
		for _, x := range t.Indexes {
			if x.Unique && x.Where != "" {
				notes = append(notes, source.Note{Thing: "index", What: "left out for its condition, which is T-SQL", Name: l.prefix + "." + t.Name + "." + x.Name})
			}
		}
		for _, c := range t.Columns {
			name := l.prefix + "." + t.Name + "." + c.Name
			switch _, kept := literal(c.Default); {
			case c.Computed != "":
				notes = append(notes, source.Note{Thing: "computed column", What: "left out for being T-SQL", Name: name})
				continue
			case c.Default != "" && !kept:
				notes = append(notes, source.Note{Thing: "default", What: "left out for not being a literal", Name: name})
			}
			if c.Collation != "" {
				notes = append(notes, source.Note{Thing: "column", What: "of collation " + c.Collation + " made without it", Name: name})
			}
		}
	}
	return notes
}
