package mssql

import "github.com/openomt/omt/internal/source"

// Notes lists the columns whose type is made another one.
func (l *Loader) Notes() []source.Note {
	var notes []source.Note
	for _, t := range l.tables {
		for _, c := range t.Stored() {
			if made := stored(c.Type); made != c.Type.SQL {
				notes = append(notes, source.Note{Thing: "column", What: "of type " + c.Type.SQL + " made " + made,
					Name: l.prefix + "." + t.Name + "." + c.Name})
			}
		}
	}
	return notes
}
