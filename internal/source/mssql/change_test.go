package mssql_test

import (
	"testing"

	"github.com/openomt/omt/internal/freeze"
	"github.com/openomt/omt/internal/freeze/freezetest"
	"github.com/openomt/omt/internal/source"
	"github.com/openomt/omt/internal/source/mssql"
)

func TestFreeze(t *testing.T) {
	raw, password := connect(t).create(t)
	freezetest.Run(t, freezetest.Site{
		Loader: func(t *testing.T) source.Loader {
			l, err := mssql.OpenLoader(raw, password)
			if err != nil {
				t.Fatal(err)
			}
			return l
		},
		Writer: func(t *testing.T) freeze.Database {
			w, err := mssql.OpenWriter(raw, password)
			if err != nil {
				t.Fatal(err)
			}
			return w
		},
	})
}
