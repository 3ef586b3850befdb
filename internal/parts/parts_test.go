package parts

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/openomt/omt/internal/chunk"
	"github.com/openomt/omt/internal/source"
)

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func table(key ...string) source.Table {
	return source.Table{Name: "t", Key: key, Columns: []source.Column{
		{Name: "id", Type: source.ParseType("int")},
		{Name: "code", Type: source.ParseType("nvarchar(20)")},
		{Name: "twice", Type: source.ParseType("int"), Computed: "id * 2"},
		{Name: "at", Type: source.ParseType("date"), Null: true},
	}}
}

func row(id int64, code string) source.Row {
	if id%3 == 0 {
		return source.Row{id, code, nil}
	}
	return source.Row{id, code, time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, int(id%100_000))}
}

func given(rows []source.Row, err error) iter.Seq2[source.Row, error] {
	return func(yield func(source.Row, error) bool) {
		for _, r := range rows {
			if !yield(r, nil) {
				return
			}
		}
		if err != nil {
			yield(nil, err)
		}
	}
}

func collect[T any](t *testing.T, seq iter.Seq2[T, error]) (list []T) {
	t.Helper()
	for x, err := range seq {
		check(t, err)
		list = append(list, x)
	}
	return list
}

// items are copies of a stream's items.
func items(t *testing.T, s *Stream) (list []Item) {
	t.Helper()
	for it, err := range s.Items(t.Context()) {
		check(t, err)
		list = append(list, Item{slices.Clone(it.Key), slices.Clone(it.Row)})
	}
	return list
}

var keys = map[string][]string{"integer": {"id"}, "text": {"code"}, "two": {"code", "id"}, "none": nil}

// However a database orders rows that have no integer key, their order is one, and rows and items are the same rows.
func TestOneOrder(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for name, key := range keys {
		var rows []source.Row
		for i := range 400 {
			rows = append(rows, row(int64(i-200), fmt.Sprintf("code %d", i)))
			if key == nil && i%5 == 0 {
				rows = append(rows, rows[len(rows)-1])
			}
		}
		var first []source.Row
		for range 3 {
			if name != "integer" {
				r.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
			}
			s, err := Ordered(t.Context(), table(key...), given(rows, nil), t.TempDir())
			check(t, err)
			got := collect(t, s.Rows())
			s.Close()
			if first == nil {
				first = got
			}
			if d := cmp.Diff(first, got); d != "" || len(got) != len(rows) {
				t.Fatalf("%s: %d rows of %d in another order: %.500s", name, len(got), len(rows), d)
			}
			s, err = Ordered(t.Context(), table(key...), given(rows, nil), t.TempDir())
			check(t, err)
			var last []byte
			for i, it := range items(t, s) {
				dec, same, err := s.Decode(it.Row)
				check(t, err)
				if d := cmp.Diff(got[i], same) + cmp.Diff(it, dec); d != "" || bytes.Compare(last, it.Key) > 0 {
					t.Fatalf("%s: item %d: %s", name, i, d)
				}
				last = it.Key
				again, err := s.Item(same)
				if d := cmp.Diff(it, again); d != "" || err != nil {
					t.Fatalf("%s: item %d of its row: %v %s", name, i, err, d)
				}
			}
			s.Close()
		}
		if integer := name == "integer"; mustOrder(t, key).Integer() != integer || mustOrder(t, key).Keyless() != (key == nil) {
			t.Errorf("%s: integer %v, keyless %v", name, mustOrder(t, key).Integer(), mustOrder(t, key).Keyless())
		}
	}
}

func mustOrder(t *testing.T, key []string) Order {
	t.Helper()
	o, err := OrderOf(table(key...))
	check(t, err)
	return o
}

// Parts begin where chunk.Cutter says, whether a row is asked about or what it is sorted by.
func TestCutter(t *testing.T) {
	k, err := chunk.KeyOf(table("code"))
	check(t, err)
	one := row(1, "")
	boundary := func(code string) bool {
		one[1] = code
		key, err := k.Append(nil, one)
		check(t, err)
		sum := sha256.Sum256(key)
		return sum[0]|sum[1] == 0
	}
	var codes []string
	for i := 0; len(codes) < 12; i++ {
		if c := fmt.Sprint("c", i); len(codes)%3 != 2 || boundary(c) {
			codes = append(codes, c)
		}
	}
	rows := []source.Row{row(math.MinInt32, codes[0]), row(-65537, codes[1]), row(-65536, codes[2]), row(-1, codes[3]), row(0, codes[4]),
		row(65535, codes[5]), row(65536, codes[6]), row(65537, codes[7]), row(131072, codes[8]), row(math.MaxInt32, codes[9])}
	var want chunk.Cutter
	o := mustOrder(t, []string{"id"})
	byRow, byKey := o.Cutter(), o.Cutter()
	for _, r := range rows {
		it, err := o.Item(r)
		check(t, err)
		if o.Int(it.Key) != r[0] {
			t.Errorf("the key of %v is read as %d", r, o.Int(it.Key))
		}
		begins, err := byRow.Begins(r)
		check(t, err)
		if w := want.Int(r[0].(int64)); begins != w || byKey.BeginsAt(it.Key) != w {
			t.Errorf("%v begins a part: %v, want %v", r, begins, w)
		}
	}
	for _, key := range [][]string{{"code"}, nil} {
		s, err := Ordered(t.Context(), table(key...), given(rows, nil), t.TempDir())
		check(t, err)
		defer s.Close()
		var want chunk.Cutter
		byRow, byKey := s.Cutter(), s.Cutter()
		began := 0
		for _, it := range items(t, s) {
			_, r, err := s.Decode(it.Row)
			check(t, err)
			begins, err := byRow.Begins(r)
			check(t, err)
			if w := want.Key(it.Key); begins != w || byKey.BeginsAt(it.Key) != w {
				t.Errorf("key %v: %v begins a part: %v, want %v", key, r, begins, w)
			}
			if begins {
				began++
			}
		}
		if key != nil && began < 3 {
			t.Errorf("only %d parts: this proves too little", began)
		}
	}
}

// Digests are those of the parts that would be made, and a row that is another one shows in its part alone.
func TestDigests(t *testing.T) {
	for name, key := range keys {
		var rows []source.Row
		for i := range int64(9) {
			rows = append(rows, row((i-3)*30_000, fmt.Sprint("c", i)))
		}
		if key == nil {
			rows = append(rows, rows[0])
		}
		digests := func(rows []source.Row) (list []Digest) {
			s, err := Ordered(t.Context(), table(key...), given(rows, nil), t.TempDir())
			check(t, err)
			defer s.Close()
			return collect(t, s.Digests(t.Context()))
		}
		made := func(rows []source.Row) (list []Digest) {
			s, err := Ordered(t.Context(), table(key...), given(rows, nil), t.TempDir())
			check(t, err)
			defer s.Close()
			var w *chunk.PartWriter
			end := func() {
				if w != nil {
					p, err := w.Close()
					check(t, err)
					list = append(list, Digest{p.Rows, p.Content})
				}
			}
			cut := s.Cutter()
			for _, r := range collect(t, s.Rows()) {
				begins, err := cut.Begins(r)
				check(t, err)
				if begins {
					end()
					w, err = chunk.NewPartWriter(io.Discard, source.ToRecord(table(key...), 0), chunk.PartOptions{})
					check(t, err)
				}
				check(t, w.Write(r))
			}
			end()
			return list
		}
		was := digests(rows)
		if d := cmp.Diff(made(rows), was); d != "" || name == "integer" && len(was) < 4 {
			t.Errorf("%s: %d parts: %s", name, len(was), d)
		}
		rows[4] = slices.Clone(rows[4])
		rows[4][2] = time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC)
		is := digests(rows)
		if d := cmp.Diff(made(rows), is); d != "" || slices.Equal(was, is) {
			t.Errorf("%s: a row is another one: %s", name, d)
		}
		if list := digests(nil); len(list) > 0 {
			t.Errorf("%s: no rows make %v", name, list)
		}
		s, err := Ordered(t.Context(), table(key...), given(rows, nil), t.TempDir())
		check(t, err)
		for range s.Digests(t.Context()) {
			break // whoever leaves early is not asked again
		}
		s.Close()
	}
	broken := errors.New("connection lost")
	s, err := Ordered(t.Context(), table("id"), given([]source.Row{row(1, "a")}, broken), "")
	check(t, err)
	for _, err = range s.Digests(t.Context()) {
		continue
	}
	if !errors.Is(err, broken) {
		t.Errorf("it ends with %v", err)
	}
}

func TestText(t *testing.T) {
	for name, want := range map[string]string{"integer": "7", "text": "a b", "two": `"a b",7`} {
		o := mustOrder(t, keys[name])
		it, err := o.Item(row(7, "a b"))
		check(t, err)
		if got := o.Text(it.Key, row(7, "a b")); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
		if key, ok := o.Key(want); ok != (name == "integer") || ok && !bytes.Equal(key, it.Key) {
			t.Errorf("%s: of the text comes the key %x (%v)", name, key, ok)
		}
	}
	o := mustOrder(t, nil)
	it, err := o.Item(row(7, "a b"))
	check(t, err)
	if got := o.Text(it.Key, nil); got != chunk.RowDigest(it.Row).String() {
		t.Errorf("without a key: %q", got)
	}
	if key, ok := o.Key(o.Text(it.Key, nil)); !ok || !bytes.Equal(key, it.Key) {
		t.Errorf("of a digest's text comes %x", key)
	}
	for _, text := range []string{"", "12", "x", "9223372036854775808", strings.Repeat("0", 63) + "g"} {
		if _, ok := o.Key(text); ok {
			t.Errorf("%q is taken for a digest", text)
		}
		if _, ok := mustOrder(t, keys["integer"]).Key(text); ok != (text == "12") {
			t.Errorf("%q is taken for an integer: %v", text, ok)
		}
	}
	for _, n := range []int64{math.MinInt64, -1, 0, math.MaxInt64} {
		o := mustOrder(t, keys["integer"])
		if key, ok := o.Key(fmt.Sprint(n)); !ok || o.Int(key) != n {
			t.Errorf("%d becomes %d", n, o.Int(key))
		}
	}
}

// A database that does not keep to the order of an integer key would be cut into other parts: that is an error, and not
// a difference between rows. Rows of one key may repeat.
func TestIntegersOutOfOrder(t *testing.T) {
	s, err := Ordered(t.Context(), table("id"), given([]source.Row{row(1, "a"), row(1, "b"), row(-5, "c")}, nil), "")
	check(t, err)
	n := 0
	for _, e := range s.Items(t.Context()) {
		if err = e; err == nil {
			n++
		}
	}
	if n != 2 || err == nil || !strings.Contains(err.Error(), "the row with the key -5 came behind that with 1") {
		t.Errorf("%d rows, then %v", n, err)
	}
}

// What is wrong with a row, or with reading, is an error wherever it shows, and nothing is left on disk.
func TestBrokenStreams(t *testing.T) {
	broken := errors.New("connection lost")
	for name, key := range keys {
		for what, rows := range map[string]iter.Seq2[source.Row, error]{
			"connection lost": given([]source.Row{row(1, "a"), row(2, "b")}, broken),
			"a int64":         given([]source.Row{row(1, "a"), {"x", "b", nil}}, nil),
			"2 values":        given([]source.Row{{int64(1), "a"}}, nil),
		} {
			temp := t.TempDir()
			s, err := Ordered(t.Context(), table(key...), rows, temp)
			if err == nil {
				for _, e := range s.Items(t.Context()) {
					err = errors.Join(err, e)
				}
				s.Close()
			}
			if err == nil || what == "connection lost" && !errors.Is(err, broken) {
				t.Errorf("%s, %s: %v", name, what, err)
			}
			if left, _ := os.ReadDir(temp); len(left) > 0 {
				t.Errorf("%s, %s: left behind: %v", name, what, left)
			}
		}
	}
	if _, err := Ordered(t.Context(), table("twice"), given(nil, nil), ""); err == nil || !strings.Contains(err.Error(), `"twice"`) {
		t.Errorf("a key without stored values: %v", err)
	}
}

func TestAhead(t *testing.T) {
	var rows []source.Row
	for i := range 1000 {
		rows = append(rows, row(int64(i), "x"))
	}
	before := runtime.NumGoroutine()
	if d := cmp.Diff(rows, collect(t, Ahead(t.Context(), given(rows, nil)))); d != "" {
		t.Error(d)
	}
	if list := collect(t, Ahead(t.Context(), given(nil, nil))); len(list) != 0 {
		t.Errorf("of no rows it makes %d", len(list))
	}
	// The loop is left early, while the other side waits.
	ended := false
	endless := func(yield func(source.Row, error) bool) {
		defer func() { ended = true }()
		for yield(rows[0], nil) {
			continue
		}
	}
	n := 0
	for range Ahead(t.Context(), endless) {
		if n++; n == 300 {
			break
		}
	}
	if !ended {
		t.Error("the loop was left, and reading goes on")
	}
	broken := errors.New("connection lost")
	var last error
	for _, last = range Ahead(t.Context(), given(rows, broken)) {
		continue
	}
	if !errors.Is(last, broken) {
		t.Errorf("it ends with %v", last)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	for _, last = range Ahead(ctx, given(rows[:3], nil)) {
		continue
	}
	if !errors.Is(last, context.Canceled) {
		t.Errorf("after its context it ends with %v", last)
	}
	// A goroutine that has handed over its last row is counted until it has returned.
	for deadline := time.Now().Add(time.Minute); runtime.NumGoroutine() > before; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines, and there were %d", runtime.NumGoroutine(), before)
		}
	}
}
