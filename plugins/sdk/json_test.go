package sdk_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/openomt/omt/plugins/sdk"
)

// notGiven are fields of the manifest that rules are not given.
var notGiven = map[string][]string{
	sdk.KindInstallation: {"map", "folders"},
	sdk.KindTable:        {"indexes"},
	sdk.KindChunk:        {"content", "schema", "op", "of"},
}

// newRecord makes an empty record of every kind.
var newRecord = map[string]func() sdk.Record{
	sdk.KindHeader:       func() sdk.Record { return &sdk.Header{} },
	sdk.KindInstallation: func() sdk.Record { return &sdk.Installation{} },
	sdk.KindMigrator:     func() sdk.Record { return &sdk.Migrator{} },
	sdk.KindPlan:         func() sdk.Record { return &sdk.Plan{} },
	sdk.KindUser:         func() sdk.Record { return &sdk.User{} },
	sdk.KindReview:       func() sdk.Record { return &sdk.Review{} },
	sdk.KindAddress:      func() sdk.Record { return &sdk.Address{} },
	sdk.KindRemoval:      func() sdk.Record { return &sdk.Removal{} },
	sdk.KindFact:         func() sdk.Record { return &sdk.Fact{} },
	sdk.KindTable:        func() sdk.Record { return &sdk.Table{} },
	sdk.KindChunk:        func() sdk.Record { return &sdk.Chunk{} },
	sdk.KindFile:         func() sdk.Record { return &sdk.File{} },
	sdk.KindReceipt:      func() sdk.Record { return &sdk.Receipt{} },
}

// TestFieldsOfTheManifest takes every record of the manifest that has all kinds with all fields through the types of the
// SDK: what comes out has the same fields with the same values, but for those that rules are not given.
func TestFieldsOfTheManifest(t *testing.T) {
	text, err := os.ReadFile("../../internal/manifest/testdata/all-kinds.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	missing := maps.Clone(newRecord)
	for line := range bytes.Lines(text) {
		var want, got map[string]any
		if err := json.Unmarshal(line, &want); err != nil {
			t.Fatal(err)
		}
		kind, _ := want["kind"].(string)
		make, ok := newRecord[kind]
		if !ok {
			continue
		}
		delete(missing, kind)
		r := make()
		if r.Kind() != kind {
			t.Fatalf("kind %q became %q", kind, r.Kind())
		}
		if err := json.Unmarshal(line, r); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		again, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(again, &got); err != nil {
			t.Fatal(err)
		}
		delete(want, "kind")
		for _, field := range notGiven[kind] {
			delete(want, field)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-manifest +SDK):\n%s", kind, diff)
		}
	}
	if len(missing) > 0 {
		t.Errorf("the sample has no records of kind %v", slices.Collect(maps.Keys(missing)))
	}
}
