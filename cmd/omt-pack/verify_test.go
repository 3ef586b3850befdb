package main

import (
	"testing"

	"github.com/openomt/omt/internal/restore"
)

func TestCompared(t *testing.T) {
	for want, c := range map[string]restore.Compared{
		"": {},
		"compared 46 tables with 1,234 rows in DB: all agree; 48 parts by their digests":                                                                               {Tables: 46, Rows: 1234, Agreed: 48},
		"compared 46 tables with 1,234 rows in DB: 3 differ; 40 parts by their digests, 8 row by row; 2 addresses that unpack removes are removed":                     {Tables: 46, Rows: 1234, Agreed: 40, Fetched: 8, Differ: 3, Removed: 2},
		"compared 1 tables with 0 rows in DB: all agree; 0 parts by their digests; 2 addresses that unpack removes are not removed":                                    {Tables: 1, NotRemoved: 2},
		"compared 1 tables with 0 rows in DB: all agree; 0 parts by their digests, 1 row by row; of the addresses that unpack removes 1,000 are removed and 2 are not": {Tables: 1, Fetched: 1, Removed: 1000, NotRemoved: 2},
	} {
		if got := compared("DB", c); got != want {
			t.Errorf("%+v: %q, want %q", c, got, want)
		}
	}
}
