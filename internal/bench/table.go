//go:build unix

package main

import (
	"fmt"
	"io"
	"unicode/utf8"
)

// table is what a bench prints, as Markdown.
type table struct{ rows [][4]string }

func (t *table) add(what, measured, floor, detail string) {
	t.rows = append(t.rows, [4]string{what, measured, floor, detail})
}

func (t *table) print(w io.Writer) {
	rows := append([][4]string{{"what", "measured", "floor", "detail"}}, t.rows...)
	var width [4]int
	for _, r := range rows {
		for i, c := range r {
			width[i] = max(width[i], utf8.RuneCountInString(c))
		}
	}
	for n, r := range rows {
		fmt.Fprintf(w, "| %-*s | %-*s | %-*s | %-*s |\n", width[0], r[0], width[1], r[1], width[2], r[2], width[3], r[3])
		if n == 0 {
			fmt.Fprintln(w, "|---|---|---|---|")
		}
	}
}
