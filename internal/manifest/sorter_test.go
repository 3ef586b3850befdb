package manifest

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

type kv struct{ key, value string }

func compareKV(a, b kv) int {
	return cmp.Or(strings.Compare(a.key, b.key), strings.Compare(a.value, b.value))
}

func randomBytes(r *rand.Rand, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return string(b)
}

// drainCursor returns all pairs.
func drainCursor(t *testing.T, c Cursor) (got []kv) {
	t.Helper()
	for {
		k, v, err := c.Next()
		if errors.Is(err, io.EOF) {
			if _, _, err := c.Next(); !errors.Is(err, io.EOF) {
				t.Fatalf("after the end: %v", err)
			}
			return got
		}
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, kv{string(k), string(v)})
	}
}

func TestSorter(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for _, c := range []struct {
		name  string
		pairs int
		runs  bool
		size  func() (key, value int)
	}{
		{"none", 0, false, nil},
		{"one", 1, false, func() (int, int) { return 3, 4 }},
		{"empty keys and values", 1000, false, func() (int, int) { return r.IntN(2), r.IntN(2) }},
		{"in memory", 10_000, false, func() (int, int) { return r.IntN(20), r.IntN(20) }},
		{"some runs", 100_000, true, func() (int, int) { return r.IntN(20), r.IntN(60) }},
		{"many passes", 12_000, true, func() (int, int) { return 2, 7_000 }},
		{"pairs larger than a block", 40, true, func() (int, int) { return r.IntN(2), r.IntN(3 * sortBlock) }},
		{"pairs larger than memory", 4, true, func() (int, int) { return 1, minSort + r.IntN(100) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			s := NewSorter(dir, 0)
			want := make([]kv, 0, c.pairs)
			for range c.pairs {
				k, v := c.size()
				pair := kv{randomBytes(r, k), randomBytes(r, min(v, 64)) + strings.Repeat("v", max(0, v-64))}
				key, value := []byte(pair.key), []byte(pair.value)
				if err := s.Add(key, value); err != nil {
					t.Fatal(err)
				}
				clear(key) // the sorter has its own copy
				clear(value)
				want = append(want, pair)
			}
			slices.SortFunc(want, compareKV)
			cur, err := s.Sort(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			if got := drainCursor(t, cur); !slices.Equal(got, want) {
				t.Fatalf("%d pairs, want %d, or in another order", len(got), len(want))
			}
			if (s.spill != nil) != c.runs {
				t.Errorf("spilled: %v", s.spill != nil)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			left(t, dir)
		})
	}
}

// left checks that a folder is empty.
func left(t *testing.T, dir string) {
	t.Helper()
	if names, _ := filepath.Glob(filepath.Join(dir, "*")); len(names) > 0 {
		t.Errorf("left behind: %q", names)
	}
}

// TestSorterPasses: more runs than are merged at once take more passes and leave one file.
func TestSorterPasses(t *testing.T) {
	dir := t.TempDir()
	s := NewSorter(dir, 0)
	width := s.memory / runBuffer
	value := make([]byte, sortBlock/2)
	n := 0
	for s.spill == nil || len(s.spill.runs) < width*2+1 {
		n++
		key := binary.BigEndian.AppendUint32(nil, uint32(n*7919%10007))
		if err := s.Add(key, value); err != nil {
			t.Fatal(err)
		}
	}
	first := s.spill
	cur, err := s.Sort(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if s.spill == first || len(s.spill.runs) != 3 {
		t.Errorf("%d runs left of %d", len(s.spill.runs), len(first.runs))
	}
	if _, err := first.file.Stat(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("the file of the first pass is open: %v", err)
	}
	last, got := []byte(nil), 0
	for {
		key, _, err := cur.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil || bytes.Compare(key, last) < 0 {
			t.Fatalf("%x behind %x, %v", key, last, err)
		}
		last = append(last[:0], key...)
		got++
	}
	if got != n {
		t.Errorf("%d of %d pairs", got, n)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	left(t, dir)
}

// TestSorterMemory: what is held stays below what was asked for.
func TestSorterMemory(t *testing.T) {
	const memory = 8 << 20
	s := NewSorter(t.TempDir(), memory)
	defer s.Close()
	for i := range 400_000 {
		if err := s.Add(binary.BigEndian.AppendUint64(nil, uint64(i)*0x9e3779b97f4a7c15), []byte("0123456789012345678901234567890123456789")); err != nil {
			t.Fatal(err)
		}
		held := cap(s.refs) * refSize
		for _, b := range s.blocks {
			held += cap(b)
		}
		if held > memory {
			t.Fatalf("%d bytes held after %d pairs", held, i+1)
		}
	}
	if s.spill == nil || len(s.spill.runs) > 5 {
		t.Error("memory is not used up before a run is written")
	}
}

func TestSorterErrors(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "none")
	s := NewSorter(missing, 0)
	var err error
	for i := 0; err == nil && i < 10; i++ {
		err = s.Add([]byte("k"), make([]byte, sortBlock))
	}
	if StatusOf(err) != Failed || !strings.Contains(err.Error(), fmt.Sprintf("making a temporary file in %q: ", missing)) || !strings.Contains(HintOf(err), "--temp") {
		t.Errorf("no such folder: %v (%s)", err, HintOf(err))
	}
	if _, again := s.Sort(context.Background()); !errors.Is(again, err) {
		t.Errorf("then %v", again)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}

	s = NewSorter(t.TempDir(), 0)
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := s.Add(nil, nil); err == nil {
		t.Error("a closed sorter took a pair")
	}
	s = NewSorter(t.TempDir(), 0)
	if _, err := s.Sort(context.Background()); err != nil {
		t.Error(err)
	}
	if err := s.Add(nil, nil); err == nil {
		t.Error("a pair was added after the end")
	}
}

// TestFullDisk: a full disk is told with its folder.
func TestFullDisk(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("needs /dev/full")
	}
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip(err)
	}
	defer full.Close()
	s := NewSorter(t.TempDir(), 0)
	defer s.Close()
	if s.spill, err = newSpill(s.dir); err != nil {
		t.Fatal(err)
	}
	s.spill.w.Reset(full)
	for i := 0; err == nil && i < 10; i++ {
		err = s.Add([]byte("k"), make([]byte, sortBlock))
	}
	if err == nil || !strings.Contains(err.Error(), "writing a temporary file in ") || !strings.Contains(err.Error(), "no space left") || !strings.Contains(HintOf(err), "--temp") {
		t.Errorf("%v (%s)", err, HintOf(err))
	}
}

func TestSorterCancelled(t *testing.T) {
	stop := errors.New("stop")
	for _, spilled := range []bool{false, true} {
		s := NewSorter(t.TempDir(), 0)
		for i := range 3 * checkEvery {
			if err := s.Add([]byte{byte(i)}, make([]byte, 700)); err != nil {
				t.Fatal(err)
			}
			if !spilled && i > checkEvery/2 {
				s.size = 0 // never full
			}
		}
		ctx, cancel := context.WithCancelCause(context.Background())
		c, err := s.Sort(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := c.Next(); err != nil {
			t.Fatal(err)
		}
		cancel(stop)
		n := 1
		for err = nil; err == nil; n++ {
			_, _, err = c.Next()
		}
		if !errors.Is(err, stop) || n > 2*checkEvery {
			t.Errorf("spilled %v: %v after %d pairs", spilled, err, n)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestDamagedSpill: a temporary file that was cut or overwritten is an error, never fewer pairs.
func TestDamagedSpill(t *testing.T) {
	for name, damage := range map[string]func(*os.File, int64) error{
		"cut":         func(f *os.File, n int64) error { return f.Truncate(n - 1) },
		"cut in half": func(f *os.File, n int64) error { return f.Truncate(n / 2) },
		"overwritten": func(f *os.File, _ int64) error { _, err := f.WriteAt(bytes.Repeat([]byte{0xff}, 20), 0); return err },
	} {
		s := NewSorter(t.TempDir(), 0)
		for i := range 3000 {
			if err := s.Add([]byte{byte(i)}, make([]byte, 1500)); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.flush(); err != nil {
			t.Fatal(err)
		}
		if err := damage(s.spill.file, s.spill.at); err != nil {
			t.Fatal(err)
		}
		c, err := s.Sort(context.Background())
		for err == nil {
			_, _, err = c.Next()
		}
		if errors.Is(err, io.EOF) || !strings.Contains(err.Error(), "reading a temporary file") {
			t.Errorf("%s: %v", name, err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

// pairs is a Cursor over a slice. Like a real one it uses its memory again.
type pairs struct {
	list []kv
	err  error
	buf  []byte
}

func (p *pairs) Next() ([]byte, []byte, error) {
	for i := range p.buf {
		p.buf[i] = '!'
	}
	if len(p.list) == 0 {
		return nil, nil, cmp.Or(p.err, io.EOF)
	}
	next := p.list[0]
	p.list = p.list[1:]
	p.buf = append(append(p.buf[:0], next.key...), next.value...)
	return p.buf[:len(next.key)], p.buf[len(next.key):], nil
}

func TestMergeJoin(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	for range 2000 {
		side := func() (list []kv) {
			for range r.IntN(12) {
				list = append(list, kv{strings.Repeat("a", r.IntN(3)) + "\x00b"[:r.IntN(3)], randomBytes(r, r.IntN(40))})
			}
			slices.SortFunc(list, compareKV)
			return list
		}
		left, right := side(), side()
		want := map[string][2][]string{}
		for i, list := range [][]kv{left, right} {
			for _, p := range list {
				g := want[p.key]
				g[i] = append(g[i], p.value)
				want[p.key] = g
			}
		}
		last := ""
		err := MergeJoin(&pairs{list: left}, &pairs{list: right}, func(key []byte, l, r [][]byte) error {
			g, ok := want[string(key)]
			if !ok || string(key) <= last && last != "" {
				t.Fatalf("key %q comes twice or out of order", key)
			}
			last = string(key)
			delete(want, string(key))
			for i, list := range [][][]byte{l, r} {
				if len(list) != len(g[i]) {
					t.Fatalf("key %q: %d values, want %d", key, len(list), len(g[i]))
				}
				for j, v := range list {
					if string(v) != g[i][j] {
						t.Fatalf("key %q: %q, want %q", key, v, g[i][j])
					}
				}
			}
			return nil
		})
		if err != nil || len(want) > 0 {
			t.Fatalf("%v, left out: %v", err, want)
		}
	}
}

func TestMergeJoinErrors(t *testing.T) {
	broken := errors.New("broken")
	nothing := func([]byte, [][]byte, [][]byte) error { return nil }
	a := func(keys ...string) *pairs {
		p := &pairs{}
		for _, k := range keys {
			p.list = append(p.list, kv{key: k})
		}
		return p
	}
	if err := MergeJoin(a("a"), a("b"), func([]byte, [][]byte, [][]byte) error { return broken }); !errors.Is(err, broken) {
		t.Error(err)
	}
	for n := range 3 {
		keys := []string{"a", "b", "c"}[:n]
		bad := a(keys...)
		bad.err = broken
		if err := MergeJoin(bad, a("a", "d"), nothing); !errors.Is(err, broken) {
			t.Errorf("left, after %d: %v", n, err)
		}
		bad = a(keys...)
		bad.err = broken
		if err := MergeJoin(a(), bad, nothing); !errors.Is(err, broken) {
			t.Errorf("right, after %d: %v", n, err)
		}
	}
	err := MergeJoin(a("a"), a("b", "c", "a"), nothing)
	if err == nil || err.Error() != `joining: the right side is not sorted: key "a" follows "c"` {
		t.Error(err)
	}
}
