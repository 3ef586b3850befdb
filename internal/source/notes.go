package source

import (
	"fmt"
	"strings"
)

// Note says of one thing in a database that it was made otherwise than it was declared, since the engine or the server
// cannot do better.
type Note struct {
	Thing string // what it is, in the singular: "column", "default", "index"
	What  string // what became of it, after the thing: "of type rowversion made binary(8)"
	Name  string // which one: "crm7.a.rv"
}

// notedNames is how many things a line of MergeNotes names.
const notedNames = 5

// MergeNotes makes one line of all notes that say the same, in the order in which they first come: "3 columns of type
// rowversion made binary(8): crm7.a.rv, crm7.b.rv, crm7.c.rv". A line names up to five things, and counts the others.
func MergeNotes(notes []Note) []string {
	type group struct {
		note  Note
		count int
		names []string
	}
	var order []*group
	groups := map[[2]string]*group{}
	for _, n := range notes {
		g := groups[[2]string{n.Thing, n.What}]
		if g == nil {
			g = &group{note: n}
			groups[[2]string{n.Thing, n.What}] = g
			order = append(order, g)
		}
		if g.count++; g.count <= notedNames {
			g.names = append(g.names, n.Name)
		}
	}
	lines := make([]string, len(order))
	for i, g := range order {
		names := strings.Join(g.names, ", ")
		if more := g.count - len(g.names); more > 0 {
			names += fmt.Sprintf(" and %d more", more)
		}
		lines[i] = fmt.Sprintf("%d %s %s: %s", g.count, plural(g.note.Thing, g.count), g.note.What, names)
	}
	return lines
}

func plural(thing string, n int) string {
	switch {
	case n == 1:
		return thing
	case strings.HasSuffix(thing, "x"):
		return thing + "es"
	}
	return thing + "s"
}
