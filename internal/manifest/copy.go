package manifest

import (
	"errors"
	"fmt"
	"io"
	"slices"
)

// Copy copies the records of src to dst up to src's end, which it leaves to the caller to write. touch sees every record
// first, may write others before it or in its stead, and returns whether it handled the record; what it did not handle
// goes through as it is. Insertions find their place with Rank: before the first record whose rank is higher, or after
// Copy. touch may be nil.
func Copy(dst *Writer, src *Reader, touch func(Line) (handled bool, err error)) error {
	for {
		l, err := src.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if touch != nil {
			if handled, err := touch(l); handled || err != nil {
				if err != nil {
					return err
				}
				continue
			}
		}
		if err := dst.WriteRaw(l); err != nil {
			return err
		}
	}
}

// Section says what becomes of the records of one kind.
type Section struct {
	Kind Kind
	// Each sees every record of the kind and returns whether it stays, as it is and in its place; it may write others
	// of the kind before it. Nil: all stay.
	Each func(Line) (keep bool, err error)
	// After is called once, where records of the kind end or would stand if there are none; it may write further
	// records of the kind. Nil: nothing is added.
	After func() error
}

// Splice copies the records of src to dst, the kinds that have a section changed by it and all others as they are. It
// leaves dst's end to the caller. After is refused for tables, chunks and files, which stand mixed; use Copy for them.
//
// omt-assign replaces users, reviews, removals and what follows the files so; omt-push adds receipts.
func Splice(dst *Writer, src *Reader, sections ...Section) error {
	each := map[Kind]func(Line) (bool, error){}
	var after []Section
	for _, s := range sections {
		if _, twice := each[s.Kind]; twice || Rank(s.Kind) < 0 {
			return fmt.Errorf("splicing the manifest: kind %q cannot have a section, or has two", s.Kind)
		}
		each[s.Kind] = s.Each
		switch {
		case s.After == nil:
		case s.Kind == KindTable || s.Kind == KindChunk || s.Kind == KindFile:
			return fmt.Errorf("splicing the manifest: nothing can be added after records of kind %q", s.Kind)
		default:
			after = append(after, s)
		}
	}
	slices.SortFunc(after, func(a, b Section) int { return Rank(a.Kind) - Rank(b.Kind) })
	addBelow := func(rank int) error {
		for len(after) > 0 && Rank(after[0].Kind) < rank {
			add := after[0].After
			after = after[1:]
			if err := add(); err != nil {
				return err
			}
		}
		return nil
	}
	err := Copy(dst, src, func(l Line) (bool, error) {
		if err := addBelow(Rank(l.Kind)); err != nil {
			return false, err
		}
		f := each[l.Kind]
		if f == nil {
			return false, nil
		}
		keep, err := f(l)
		return !keep, err
	})
	if err != nil {
		return err
	}
	return addBelow(Rank(KindEnd))
}
