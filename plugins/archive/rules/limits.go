package rules

import (
	"context"
	"fmt"
	"strings"
	"unicode/utf16"

	"github.com/openomt/omt/plugins/sdk"
)

// maxFile is 94.4 MB with a million bytes to the MB, the smaller of what it may mean.
const maxFile = 94_400_000

// What Windows takes: 260 characters for a path with its drive ("C:\") and the end of the text, and 255 for a name.
const (
	maxPath = 260 - len(`C:\`) - 1
	maxName = 255
)

var fileSize = sdk.Rule{
	ID: "file-size", Title: "no file is larger than 94.4 MB",
	Help: "The tenant takes files of up to 94.4 MB in normal use, within five minutes. A larger file moves here, and whether the tenant " +
		"lets its users open, change or send it is not documented: ask whoever runs the tenant, make the file smaller, or keep it " +
		"elsewhere with a link. Whether MB means 1,000,000 or 1,048,576 bytes is not said; the smaller is taken.",
	Severity: sdk.Warning,
	Evidence: "documented for normal use of the tenant; whether a migration obeys it is not",
	Reads:    []string{sdk.KindFile},
	Check: func(_ context.Context, in *sdk.Input, report sdk.Report) error {
		n, bytes := 0, int64(0)
		for f := range sdk.Each[*sdk.File](in) {
			if f.Size <= maxFile || !moves(f) {
				continue
			}
			n++
			bytes += f.Size
			if n <= maxListed {
				report(sdk.Finding{Subjects: []string{sdk.FileSubject(f)}, Message: fmt.Sprintf("%s has %.1f MB (%q)", called(f), megabytes(f.Size), f.Path)})
			}
		}
		if n > maxListed {
			report(sdk.Finding{Message: fmt.Sprintf("%d files are larger than 94.4 MB, together %.1f MB; the first %d are named", n, megabytes(bytes), maxListed)})
		}
		return nil
	},
}

func megabytes(n int64) float64 { return float64(n) / 1e6 }

// moves reports whether a record's file is one that moves: files without row and shadowed ones stay.
func moves(f *sdk.File) bool { return f.State != noRow && f.State != shadowed }

var pathLength = sdk.Rule{
	ID: "path-length", Title: "no path or name is longer than Windows takes",
	Help: "Many programs on Windows open no path of more than 260 characters, drive included, and no file system has names of more than " +
		"255. Such a file moves here, and where the tenant keeps its files in folders on Windows it may not be opened. Shorten the " +
		"document's name in SuperOffice. Counted is the path below the archive's folder, behind a drive letter.",
	Severity: sdk.Warning,
	Evidence: "inferred: from Windows' own limits; what the tenant takes is not documented",
	Reads:    []string{sdk.KindFile},
	Check: func(_ context.Context, in *sdk.Input, report sdk.Report) error {
		n := 0
		for f := range sdk.Each[*sdk.File](in) {
			// A name has no more characters than bytes.
			if len(f.Path) <= maxName || !moves(f) {
				continue
			}
			path := units(f.Path)
			name := units(f.Path[strings.LastIndexByte(f.Path, '/')+1:])
			if path <= maxPath && name <= maxName {
				continue
			}
			if n++; n <= maxListed {
				report(sdk.Finding{Subjects: []string{sdk.FileSubject(f)}, Message: fmt.Sprintf("%s: its path has %d characters, its name %d (%q)", called(f), path, name, f.Path)})
			}
		}
		if n > maxListed {
			report(sdk.Finding{Message: fmt.Sprintf("%d paths are longer than Windows takes (%d characters, a name %d); the first %d are named", n, maxPath, maxName, maxListed)})
		}
		return nil
	},
}

// units is the length of a text as Windows counts it, in UTF-16.
func units(s string) int {
	n := 0
	for _, r := range s {
		n += utf16.RuneLen(r)
	}
	return n
}
