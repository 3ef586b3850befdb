package push

import (
	"testing"
	"time"

	"github.com/openomt/omt/internal/manifest"
)

func TestSpares(t *testing.T) {
	var l spares
	const n = 2*spareBlock + 5
	at := time.Unix(5, 7)
	for range 2 { // a listing that broke off and began anew
		for i := range n {
			l.add(newSpare(crowd(i), manifest.ChunkTar, int64(i), at))
		}
	}
	l.add(newSpare(crowd(3), manifest.ChunkParquet, 0, at)) // another object of the same digest
	l.unique()
	if l.n != n+1 {
		t.Fatalf("%d are left, want %d", l.n, n+1)
	}
	bytes, parquet := int64(0), 0
	for i := range l.n {
		s := l.at(i)
		bytes += s.bytes()
		if s.typ() == manifest.ChunkParquet {
			parquet++
		}
		if i > 0 && !l.Less(i-1, i) {
			t.Fatalf("%d is not in order", i)
		}
		if s.modified != at.UnixNano() {
			t.Fatalf("%+v", s)
		}
	}
	if bytes != n*(n-1)/2 || parquet != 1 {
		t.Errorf("%d bytes, %d of Parquet", bytes, parquet)
	}
	l.keep(func(s spare) bool { return s.bytes()%2 == 1 })
	if l.n != n/2 || len(l.blocks) != 2 {
		t.Errorf("%d are left in %d blocks", l.n, len(l.blocks))
	}
	l.keep(func(spare) bool { return false })
	if l.n != 0 || len(l.blocks) != 0 {
		t.Errorf("%d are left", l.n)
	}
}

func TestDigests(t *testing.T) {
	var s digests
	for i := range 1000 {
		s.add(crowd(2 * i))
		s.add(crowd(2 * i))
	}
	s.settle()
	places := map[int]bool{}
	for i := range 2000 {
		at, ok := s.find(crowd(i))
		if ok != (i%2 == 0) {
			t.Fatalf("%d: %v", i, ok)
		}
		if ok {
			places[at] = true
		}
	}
	if len(s.list) != 1000 || len(places) != 1000 || places[1000] {
		t.Errorf("%d members, %d places", len(s.list), len(places))
	}
}
