package pack

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"testing"

	"github.com/openomt/omt/internal/manifest"
)

func sumOf(i int) manifest.Digest {
	return sha256.Sum256(binary.LittleEndian.AppendUint64(nil, uint64(i)))
}

// The index is asked for one more content than it was made for, so that its first table overflows and is followed.
func TestIndexFindsWhatWasAdded(t *testing.T) {
	x, err := newIndex(t.TempDir(), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer x.close()
	const n = 40_000
	for i := range n {
		if _, _, found, err := x.find(manifest.Document, sumOf(i)); err != nil || found {
			t.Fatalf("content %d before it was added: found %v, %v", i, found, err)
		}
		o := original{Chunk: uint32(i / 7), Offset: int64(i) * 512, Path: fmt.Sprintf("bob/2002.2/%d ø.doc", i)}
		if err := x.add(manifest.Document, sumOf(i), o); err != nil {
			t.Fatal(err)
		}
	}
	if len(x.tables) < 2 {
		t.Fatalf("want the first table to overflow, have %d tables", len(x.tables))
	}
	for i := range n {
		o, _, found, err := x.find(manifest.Document, sumOf(i))
		if err != nil || !found {
			t.Fatalf("content %d: found %v, %v", i, found, err)
		}
		want := original{Chunk: uint32(i / 7), Offset: int64(i) * 512, Path: fmt.Sprintf("bob/2002.2/%d ø.doc", i)}
		if o != want {
			t.Fatalf("content %d: got %+v, want %+v", i, o, want)
		}
		if _, _, found, _ := x.find(manifest.Template, sumOf(i)); found {
			t.Fatalf("content %d is found in an area where it was not stored", i)
		}
	}
}

func TestIndexCountsLinksAndTakesASuccessor(t *testing.T) {
	x, err := newIndex(t.TempDir(), 10)
	if err != nil {
		t.Fatal(err)
	}
	defer x.close()
	if err := x.add(manifest.Document, sumOf(1), original{Path: "a", Offset: 512}); err != nil {
		t.Fatal(err)
	}
	for i := range uint32(3) {
		o, place, _, err := x.find(manifest.Document, sumOf(1))
		if err != nil || o.Links != i {
			t.Fatalf("links: got %d, want %d (%v)", o.Links, i, err)
		}
		if err := x.link(place, o.Links); err != nil {
			t.Fatal(err)
		}
	}
	_, place, _, _ := x.find(manifest.Document, sumOf(1))
	next := original{Chunk: 9, Path: "a much longer name than before", Offset: 1024}
	if err := x.set(place, manifest.Document, sumOf(1), next); err != nil {
		t.Fatal(err)
	}
	if o, _, found, err := x.find(manifest.Document, sumOf(1)); err != nil || !found || o != next {
		t.Fatalf("successor: got %+v, %v, %v; want %+v", o, found, err, next)
	}
}
