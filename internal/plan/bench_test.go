package plan

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"testing"

	"github.com/openomt/omt/internal/manifest"
)

// BenchmarkRun assigns 1,000 users before 100,000 addresses of other persons and 100,000 files.
func BenchmarkRun(b *testing.B) {
	records := []manifest.Record{manifest.Plan{Name: "PlanA", Onsite: "ten-a", Unlimited: true}}
	for i := range 1000 {
		records = append(records, user(int64(i+1), fmt.Sprintf("U%d/ten-a u%d@x.no", i, i), admin))
	}
	for i := range 100_000 {
		records = append(records, manifest.Address{Person: int64(i + 1), Rank: 1, Email: fmt.Sprintf("a%07d@x.no", i)})
	}
	for i := range 100_000 {
		records = append(records,
			manifest.File{Area: manifest.Document, ID: int64(i + 1), Path: fmt.Sprintf("bob/2002.2/file%07d.txt", i), Size: 1234, State: manifest.Present})
	}
	in := build(b, records...)
	b.SetBytes(int64(len(in)))
	for b.Loop() {
		w := manifest.NewWriter(io.Discard, "omt-assign 0.1.0")
		if _, err := Run(context.Background(), RunOptions{Choices: Choices{Auto: true, Now: now}},
			manifest.NewReader(bytes.NewReader(in), manifest.ReadOptions{}), w); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(len(records))*float64(b.N)/b.Elapsed().Seconds(), "records/s")
}
