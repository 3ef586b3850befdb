package parts

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"strconv"

	"github.com/openomt/omt/internal/chunk"
	"github.com/openomt/omt/internal/source"
)

// Order is the order of a table's rows in its parts.
type Order struct {
	cols []source.Column
	key  chunk.Key
}

// OrderOf returns the order of a table's rows. A key over columns that have no stored values is an error.
func OrderOf(t source.Table) (Order, error) {
	key, err := chunk.KeyOf(t)
	return Order{cols: t.Stored(), key: key}, err
}

// Integer reports whether the key is one integer, so that rows stay in the order of the database.
func (o Order) Integer() bool { return o.key.Integer() }

// Keyless reports whether the table has no key, so that rows are told apart by their digests and may repeat.
func (o Order) Keyless() bool { return o.key.Empty() }

// Append appends the bytes by which a row is sorted: its key's, or its digest.
func (o Order) Append(dst []byte, row source.Row) ([]byte, error) {
	if !o.key.Empty() {
		return o.key.Append(dst, row)
	}
	canonical, err := chunk.AppendRow(nil, o.cols, row)
	if err != nil {
		return dst, err
	}
	return o.appendDigest(dst, canonical), nil
}

func (o Order) appendDigest(dst, canonical []byte) []byte {
	d := chunk.RowDigest(canonical)
	return append(dst, d[:]...)
}

// appendBoth appends a row's bytes to sort by, and its canonical encoding.
func (o Order) appendBoth(order, canonical []byte, row source.Row) (o2, c2 []byte, err error) {
	if canonical, err = chunk.AppendRow(canonical, o.cols, row); err != nil {
		return order, canonical, err
	}
	if o.key.Empty() {
		return o.appendDigest(order, canonical), canonical, nil
	}
	order, err = o.key.Append(order, row)
	return order, canonical, err
}

// Item is a row as it is compared: the bytes that it is sorted by, and its canonical encoding.
type Item struct{ Key, Row []byte }

// Item makes the item of a row.
func (o Order) Item(row source.Row) (it Item, err error) {
	it.Key, it.Row, err = o.appendBoth(nil, nil, row)
	return it, err
}

// Decode makes item and row of a canonical encoding, which the item shares.
func (o Order) Decode(canonical []byte) (it Item, row source.Row, err error) {
	if row, err = chunk.DecodeRow(o.cols, canonical); err != nil {
		return it, nil, err
	}
	it.Row = canonical
	if o.key.Empty() {
		it.Key = o.appendDigest(nil, canonical)
		return it, row, nil
	}
	it.Key, err = o.key.Append(nil, row)
	return it, row, err
}

// Text names a row for people as the records of parts do: by its key, or by its digest in hex. key is its item's.
func (o Order) Text(key []byte, row source.Row) string {
	if o.key.Empty() {
		return hex.EncodeToString(key)
	}
	return o.key.Text(row)
}

// Int returns the integer key of an item's Key, of an order that is Integer.
func (o Order) Int(key []byte) int64 {
	return int64(binary.BigEndian.Uint64(key[1:]) ^ 1<<63)
}

// Key is the reverse of Text, where a text says all of what rows are sorted by: of integers and of digests.
func (o Order) Key(text string) (key []byte, ok bool) {
	switch {
	case o.Keyless():
		key, err := hex.DecodeString(text)
		return key, err == nil && len(key) == sha256.Size
	case o.Integer():
		n, err := strconv.ParseInt(text, 10, 64)
		return binary.BigEndian.AppendUint64([]byte{1}, uint64(n)^1<<63), err == nil
	}
	return nil, false
}

// Cutter says which rows begin a part. It is asked of all rows in their order.
type Cutter struct {
	order Order
	cut   chunk.Cutter
	buf   []byte
}

// Place names the part that begins with a key as Text writes it: parts of one place hold what changed there, not rows of
// another.
func (o Order) Place(first string) string {
	if !o.Integer() {
		return first
	}
	n, err := strconv.ParseInt(first, 10, 64)
	if err != nil {
		return first
	}
	return strconv.FormatInt(chunk.PartOf(n), 10)
}

// Cutter returns one that stands before the first row.
func (o Order) Cutter() *Cutter { return &Cutter{order: o} }

// Begins reports whether a new part begins with the row.
func (c *Cutter) Begins(row source.Row) (bool, error) {
	if c.order.Integer() {
		n, err := c.order.key.Int(row)
		return err == nil && c.cut.Int(n), err
	}
	var err error
	if c.buf, err = c.order.Append(c.buf[:0], row); err != nil {
		return false, err
	}
	return c.cut.Key(c.buf), nil
}

// BeginsAt reports whether a new part begins with the row that is sorted by key.
func (c *Cutter) BeginsAt(key []byte) bool {
	if c.order.Integer() {
		return c.cut.Int(c.order.Int(key))
	}
	return c.cut.Key(key)
}
