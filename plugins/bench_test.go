package plugins

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/openomt/omt/plugins/sdk"
)

// BenchmarkFiles gives a million file records, one in a hundred missing, to all rules that read them, in turn and in process.
func BenchmarkFiles(b *testing.B) {
	const files = 1_000_000
	list := make([]sdk.Record, 1000)
	for i := range list {
		f := &sdk.File{Area: "document", ID: int64(i + 1), Path: fmt.Sprintf("BOB%d/2011.1/Offer to somebody %06d.docx", i%50, i), Owner: fmt.Sprintf("BOB%d", i%50),
			Title: "Offer to somebody", Size: 50_000, State: "present"}
		if i%100 == 0 {
			f.State = "missing"
		}
		list[i] = f
	}
	records := func(yield func(sdk.Record) bool) {
		for range files / len(list) {
			for _, r := range list {
				if !yield(r) {
					return
				}
			}
		}
	}
	found := 0
	for b.Loop() {
		found = 0
		for _, rule := range all() {
			if !slices.Contains(rule.Reads, sdk.KindFile) {
				continue
			}
			if err := sdk.Run(b.Context(), rule, time.Time{}, "bench", records, func(sdk.Finding) { found++ }); err != nil {
				b.Fatal(err)
			}
		}
	}
	if found == 0 {
		b.Error("no rule found anything")
	}
	b.ReportMetric(float64(files)*float64(b.N)/b.Elapsed().Seconds(), "records/s")
}
