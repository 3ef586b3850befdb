package pack

import (
	"bytes"
	"testing"

	"github.com/openomt/omt/internal/manifest"
)

func TestForecastJoin(t *testing.T) {
	in := []manifest.File{{ID: 1, Path: "a"}, {ID: 2, Path: "b"}, {Path: "c"}, {ID: 4, Path: "d"}, {ID: 9}}
	for _, tc := range []struct {
		name             string
		now              []manifest.File
		before           bool // the area before was packed too
		rows, came, went int64
	}{
		{"nothing changed", in, true, 4, 0, 0},
		{"nothing changed, the area before left", in, false, 4, 0, 0},
		{"all went", nil, true, 0, 0, 5},
		{"one came at either end and between", []manifest.File{{ID: 7, Path: "Z"}, in[0], in[1], {ID: 8, Path: "bb"}, in[2], in[3], in[4], {ID: 10}}, true, 7, 3, 0},
		{"first and last went", in[1:4], false, 2, 0, 2},
		{"a file got another row", []manifest.File{in[0], {ID: 3, Path: "b"}, in[2], in[3], in[4]}, true, 4, 1, 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var b bytes.Buffer
			w := manifest.NewWriter(&b, "omt-assign 0.1.0")
			records := []manifest.Record{manifest.Header{ID: "x"}, manifest.File{Area: manifest.Template, Path: "a", State: manifest.Present}}
			for _, f := range in {
				f.Area, f.State = manifest.Document, manifest.Present
				records = append(records, f)
			}
			records = append(records, manifest.File{Area: manifest.Attachment, ID: 1, Path: "a", State: manifest.Present})
			for _, r := range records {
				if err := w.Write(r); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := w.End(); err != nil {
				t.Fatal(err)
			}
			j := &forecastJoin{again: func() (*manifest.Reader, error) {
				return manifest.NewReader(bytes.NewReader(b.Bytes()), manifest.ReadOptions{}), nil
			}}
			rest := func() {
				for j.more() {
					j.went++
					if err := j.advance(); err != nil {
						t.Fatal(err)
					}
				}
			}
			if tc.before { // else that area is not packed
				if err := j.begin(manifest.Template); err != nil {
					t.Fatal(err)
				}
				rest()
				if j.went != 1 {
					t.Errorf("of the area before, %d went; want 1", j.went)
				}
			}
			if err := j.begin(manifest.Document); err != nil {
				t.Fatal(err)
			}
			for _, f := range tc.now {
				if err := j.add(f); err != nil {
					t.Fatal(err)
				}
			}
			rest()
			if j.rows != tc.rows || j.came != tc.came || j.went != tc.went {
				t.Errorf("%d rows, %d came, %d went; want %d, %d, %d", j.rows, j.came, j.went, tc.rows, tc.came, tc.went)
			}
			if err := j.begin(manifest.Attachment); err != nil || !j.more() {
				t.Errorf("the area after has no record (%v)", err)
			}
		})
	}
}
