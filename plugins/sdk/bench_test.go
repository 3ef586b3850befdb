package sdk

import (
	"context"
	"fmt"
	"testing"

	"github.com/openomt/omt/plugins/sdk/proto"
)

// BenchmarkCheck sends file records through a plugin with six rules, four batches ahead of the slowest, and says how many a
// second that are. Both sides are in this process.
func BenchmarkCheck(b *testing.B) {
	const size, rules, window = 512, 6, 4
	var p Plugin
	p.Name = "bench"
	ids := make([]string, rules)
	for i := range ids {
		ids[i] = fmt.Sprint("rule-", i)
		p.Rules = append(p.Rules, rule(ids[i], func(_ context.Context, in *Input, report Report) error {
			var bytes int64
			for f := range Each[*File](in) {
				if f.Size > 94_400_000 {
					report(Finding{Subjects: []string{FileSubject(f)}, Message: f.Path})
				}
				bytes += f.Size
			}
			return nil
		}))
	}
	records := make([]*proto.Record, size)
	for i := range records {
		records[i] = &proto.Record{Kind: &proto.Record_File{File: &proto.File{Area: "document", Id: int64(i), Size: 48213,
			Path: fmt.Sprintf("BOB/2002.2/Tilbud %06d.docx", i), Mtime: "2002-09-01T10:00:00Z", Owner: "BOB",
			Title: "Tilbud", State: "present"}}}
	}
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	conn, err := connect(b, p).Check(ctx)
	if err != nil {
		b.Fatal(err)
	}
	h := &host{b, conn, cancel}
	h.send(&proto.CheckRequest{Message: &proto.CheckRequest_Start{Start: &proto.Start{Rules: ids}}})
	batches := (b.N + size - 1) / size
	free := make(chan struct{}, window)
	for range window {
		free <- struct{}{}
	}
	b.ResetTimer()
	go func() {
		for n := range batches {
			<-free
			h.batch(int64(n+1), records...)
		}
		h.finish()
	}()
	taken := make([]int, batches+1)
	for {
		m, err := conn.Recv()
		if err != nil {
			break
		}
		if n := m.GetTaken().GetNumber(); n > 0 {
			if taken[n]++; taken[n] == rules {
				free <- struct{}{}
			}
		}
	}
	b.ReportMetric(float64(batches*size)/b.Elapsed().Seconds(), "records/s")
}
