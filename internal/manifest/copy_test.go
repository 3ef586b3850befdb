package manifest

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// spliced passes the sample through and returns the lines before end.
func spliced(t *testing.T, in []byte, pass func(*Writer, *Reader) error) ([]string, error) {
	t.Helper()
	var out bytes.Buffer
	w := NewWriter(&out, "omt-assign 0.1.0")
	if err := pass(w, NewReader(bytes.NewReader(in), ReadOptions{})); err != nil {
		return nil, err
	}
	if _, err := w.End(); err != nil {
		t.Fatal(err)
	}
	raws, _, err := readAll(&out, ReadOptions{})
	return raws, err
}

func TestCopyChangesNothing(t *testing.T) {
	in := sample(t)
	want := linesOf(in)
	got, err := spliced(t, in, func(w *Writer, r *Reader) error { return Copy(w, r, nil) })
	if diff := cmp.Diff(want[:len(want)-1], got); err != nil || diff != "" {
		t.Error(err, diff)
	}
}

func TestCopyErrors(t *testing.T) {
	in := sample(t)
	broken := errors.New("broken")
	_, err := spliced(t, in, func(w *Writer, r *Reader) error {
		return Copy(w, r, func(Line) (bool, error) { return true, broken })
	})
	if !errors.Is(err, broken) {
		t.Error(err)
	}
	_, err = spliced(t, in[:1000], func(w *Writer, r *Reader) error { return Copy(w, r, nil) })
	if StatusOf(err) != BadInput {
		t.Errorf("cut: %v", err)
	}
	err = Copy(NewWriter(&failing{err: broken}, "t"), NewReader(bytes.NewReader(benchManifest(t, 1000)), ReadOptions{}), nil)
	if !errors.Is(err, broken) {
		t.Error(err)
	}
}

// TestSplice replaces, drops and adds; all else stays as it is.
func TestSplice(t *testing.T) {
	in := sample(t)
	var seen []string
	got, err := spliced(t, in, func(w *Writer, r *Reader) error {
		write := func(rec Record) func() error { return func() error { return w.Write(rec) } }
		return Splice(w, r,
			Section{Kind: KindWaiver, After: write(Waiver{Rule: "new"})},
			Section{Kind: KindReceipt, After: write(Receipt{Chunk: sum("new")})},
			Section{Kind: KindEdit, After: write(Edit{By: "new"})},
			Section{Kind: KindUser, Each: func(l Line) (bool, error) {
				var u User
				if err := l.Decode(&u); err != nil {
					return false, err
				}
				seen = append(seen, u.Login)
				if u.ID != 7 {
					return true, nil
				}
				return false, w.Write(User{ID: 7, Login: "new"})
			}},
			Section{Kind: KindFinding, Each: func(Line) (bool, error) { return false, nil }},
			Section{Kind: KindFile, Each: func(l Line) (bool, error) { return !bytes.Contains(l.Raw, []byte("blank-name")), nil }},
		)
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"GKS", "BO", "CA"}, seen); diff != "" {
		t.Error(diff)
	}
	old := linesOf(in)
	var want []string
	for _, l := range old[:len(old)-1] {
		switch {
		case strings.Contains(l, `"login":"GKS"`):
			want = append(want, line(t, User{ID: 7, Login: "new"}))
		case strings.Contains(l, `"kind":"finding"`), strings.Contains(l, "blank-name"):
		default:
			want = append(want, l)
		}
		switch {
		case strings.Contains(l, `"kind":"edit"`):
			want = append(want, line(t, Edit{By: "new"}))
		case strings.Contains(l, `"kind":"receipt"`):
			want = append(want, line(t, Receipt{Chunk: sum("new")}))
		case strings.Contains(l, `"kind":"waiver"`):
			want = append(want, line(t, Waiver{Rule: "new"}))
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func line(t *testing.T, rec Record) string {
	t.Helper()
	raw, err := NewWriter(io.Discard, "").encode(nil, rec)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// TestSpliceInto adds to a manifest that has none of the kinds.
func TestSpliceInto(t *testing.T) {
	for name, lines := range map[string]string{
		"empty":   "",
		"a fact":  `{"kind":"fact","name":"a","id":"1","data":{}}` + "\n",
		"unknown": `{"kind":"mailbox"}` + "\n",
	} {
		in := ended(lines)
		if name == "unknown" {
			in = strings.Replace(in, `"fact":1`, `"mailbox":1`, 1)
		}
		got, err := spliced(t, []byte(in), func(w *Writer, r *Reader) error {
			return Splice(w, r,
				Section{Kind: KindCheck, After: func() error { return w.Write(Check{Rule: "c"}) }},
				Section{Kind: KindPlan, After: func() error { return w.Write(Plan{Name: "p"}) }})
		})
		if err != nil {
			t.Fatal(name, err)
		}
		want := []string{line(t, Plan{Name: "p"}), line(t, Check{Rule: "c"})}
		switch name {
		case "a fact":
			want = []string{want[0], strings.TrimSpace(lines), want[1]}
		case "unknown":
			want = append([]string{strings.TrimSpace(lines)}, want...)
		}
		if diff := cmp.Diff(want, got[1:]); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestSpliceErrors(t *testing.T) {
	in := sample(t)
	broken := errors.New("broken")
	fail := func() error { return broken }
	for name, c := range map[string]struct {
		sections []Section
		want     string
	}{
		"after":        {[]Section{{Kind: KindPlan, After: fail}}, "broken"},
		"after all":    {[]Section{{Kind: KindWaiver, After: fail}}, "broken"},
		"each":         {[]Section{{Kind: KindPlan, Each: func(Line) (bool, error) { return true, broken }}}, "broken"},
		"twice":        {[]Section{{Kind: KindPlan}, {Kind: KindPlan}}, `splicing the manifest: kind "plan" cannot have a section, or has two`},
		"unknown":      {[]Section{{Kind: "mailbox"}}, `splicing the manifest: kind "mailbox" cannot have a section, or has two`},
		"after files":  {[]Section{{Kind: KindFile, After: fail}}, `splicing the manifest: nothing can be added after records of kind "file"`},
		"after chunks": {[]Section{{Kind: KindChunk, After: fail}}, `splicing the manifest: nothing can be added after records of kind "chunk"`},
		"after tables": {[]Section{{Kind: KindTable, After: fail}}, `splicing the manifest: nothing can be added after records of kind "table"`},
	} {
		_, err := spliced(t, in, func(w *Writer, r *Reader) error { return Splice(w, r, c.sections...) })
		if err == nil || err.Error() != c.want {
			t.Errorf("%s: %v", name, err)
		}
	}
}
