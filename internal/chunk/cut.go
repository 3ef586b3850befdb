package chunk

import "crypto/sha256"

const (
	// keyBits is the width of a part of a table with an integer key: 65,536 keys. Parts of other tables have as many rows
	// on average.
	keyBits = 16
	// maxRowsPerPart bounds parts of tables without an integer key.
	maxRowsPerPart = 1_048_576
)

// PartOf is the number of the part that an integer key is in, where a table has one.
func PartOf(key int64) int64 { return key >> keyBits } // rounds down, for negative keys too

// Cutter says where the parts of a table end, from its sorted keys alone, so that rows that come or go elsewhere move no
// boundary. Its zero value stands before the first row. Use either Int or Key for a table, not both.
type Cutter struct {
	rows int
	part int64
	last [sha256.Size]byte // SHA-256 of the key before
}

// Int takes the next integer key, in rising order, and reports whether a new part begins with it: parts hold the keys
// from a multiple of 65,536 up to the next.
func (c *Cutter) Int(key int64) bool {
	part := PartOf(key)
	begins := c.rows == 0 || part != c.part
	c.rows, c.part = 1, part
	return begins
}

// Key takes the next key as Key.Append encodes it, or where the table has none the row's digest, in rising order, and
// reports whether a new part begins with it: where the first two bytes of the SHA-256 of the key are zero, and after
// 1,048,576 rows. Equal keys, as equal rows of a table without a key have, stay together but for the latter.
func (c *Cutter) Key(key []byte) bool {
	sum := sha256.Sum256(key)
	begins := c.rows == 0 || c.rows == maxRowsPerPart || sum[0]|sum[1] == 0 && sum != c.last
	if begins {
		c.rows = 0
	}
	c.rows++
	c.last = sum
	return begins
}
