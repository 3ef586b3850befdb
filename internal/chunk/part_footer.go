package chunk

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"slices"

	"github.com/cespare/xxhash/v2"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

const (
	// partEnd is what follows the footer: its length and the magic. Before it stands its XXH64.
	partEnd   = 8
	footerSum = 8
	// maxFooter bounds the footer, which holds about 150 bytes for each column of each row group.
	maxFooter = 64 << 20
)

// footer is the part of a Parquet file that says where everything is.
type footer struct {
	groups []format.RowGroup
	rows   int64
	codec  Codec
}

// readFooter reads and checks the footer of a part. The checksum before it is looked at first: a decoder of Thrift that
// is given damaged bytes may ask for any amount of memory.
func readFooter(ra io.ReaderAt, size int64, s *partSchema) (*footer, error) {
	if size < int64(len(parquetMagic))+footerSum+partEnd {
		return nil, damaged("%d bytes are too few for a table part", size)
	}
	var ends [len(parquetMagic) + partEnd]byte
	if err := readAt(ra, ends[:len(parquetMagic)], 0); err != nil {
		return nil, fmt.Errorf("reading the part: %w", err)
	}
	if err := readAt(ra, ends[len(parquetMagic):], size-partEnd); err != nil {
		return nil, fmt.Errorf("reading the part: %w", err)
	}
	length := int64(binary.LittleEndian.Uint32(ends[4:]))
	start := size - partEnd - length - footerSum
	if string(ends[:4]) != parquetMagic || string(ends[8:]) != parquetMagic || length > maxFooter || start < 4 {
		return nil, damaged("it is no whole Parquet file")
	}
	b := make([]byte, footerSum+length)
	if err := readAt(ra, b, start); err != nil {
		return nil, fmt.Errorf("reading the footer: %w", err)
	}
	if binary.LittleEndian.Uint64(b) != xxhash.Sum64(b[footerSum:]) {
		return nil, damaged("its footer does not agree with the checksum before it")
	}
	m, err := decodeFooter(b[footerSum:])
	if err != nil {
		return nil, err
	}
	codec, err := checkFooter(m, s, start)
	if err != nil {
		return nil, err
	}
	return &footer{groups: m.RowGroups, rows: m.NumRows, codec: codec}, nil
}

// decodeFooter turns a panic of the decoder into an error.
func decodeFooter(b []byte) (m *format.FileMetaData, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = damaged("decoding the footer: %v", r)
		}
	}()
	m = new(format.FileMetaData)
	if err := thrift.Unmarshal(new(thrift.CompactProtocol), b, m); err != nil {
		return nil, damaged("decoding the footer: %w", err)
	}
	return m, nil
}

// checkFooter compares the footer with the table and with the bytes before it, which end at an offset. It returns the codec
// of all pages.
func checkFooter(m *format.FileMetaData, s *partSchema, end int64) (Codec, error) {
	kv := m.KeyValueMetadata
	if len(kv) != 1 || kv[0].Key != tableKey {
		return "", damaged("it does not say which table it is a part of")
	}
	if kv[0].Value != string(s.json) {
		return "", fmt.Errorf("part of another table or of another version of it: has the schema %.300q, want %.300q", kv[0].Value, s.json)
	}
	if err := checkElements(m.Schema, s); err != nil {
		return "", err
	}
	leaves := s.leaves()
	at, rows, codec := int64(len(parquetMagic)), int64(0), Codec("")
	for i := range m.RowGroups {
		g := &m.RowGroups[i]
		if i == 0 && len(g.Columns) > 0 {
			codec, _ = codecOf(g.Columns[0].MetaData.Codec)
		}
		size, err := checkGroup(g, leaves, codec, at, end)
		if err != nil {
			return "", damaged("row group %d: %w", i, err)
		}
		at += size
		rows += g.NumRows
	}
	if at != end || rows != m.NumRows || rows == 0 {
		return "", damaged("its row groups hold %d rows in %d bytes, want %d in %d", rows, at, m.NumRows, end)
	}
	return codec, nil
}

// checkGroup checks a row group that begins at an offset of the file and returns its bytes.
func checkGroup(g *format.RowGroup, leaves []leaf, codec Codec, at, end int64) (int64, error) {
	if g.NumRows < 1 || g.NumRows > groupRows || len(g.Columns) != len(leaves) {
		return 0, fmt.Errorf("%d rows in %d columns", g.NumRows, len(g.Columns))
	}
	start := at
	for k := range g.Columns {
		c := &g.Columns[k].MetaData
		if !leaves[k].describedBy(c, codec) || c.NumValues != g.NumRows || c.DataPageOffset != at || c.TotalCompressedSize > end-at {
			return 0, fmt.Errorf("column %q is described wrongly", leaves[k].name)
		}
		at += c.TotalCompressedSize
	}
	return at - start, nil
}

// checkElements compares the schema in a footer with the table's.
func checkElements(got []format.SchemaElement, s *partSchema) error {
	a, err := thrift.Marshal(new(thrift.CompactProtocol), &format.FileMetaData{Schema: got})
	if err != nil {
		return damaged("encoding its schema again: %w", err)
	}
	b, err := thrift.Marshal(new(thrift.CompactProtocol), &format.FileMetaData{Schema: s.elements()})
	if err != nil {
		return fmt.Errorf("encoding the schema of table %q: %w", s.table.Name, err)
	}
	if !bytes.Equal(a, b) {
		return damaged("its columns are not those of table %q", s.table.Name)
	}
	return nil
}

// describedBy reports whether metadata is of this leaf, compressed by a codec.
func (l *leaf) describedBy(c *format.ColumnMetaData, codec Codec) bool {
	return c.Type == l.typ && slices.Equal(c.PathInSchema, []string{l.name}) &&
		c.Codec == codec.parquet() && codec != "" && c.TotalCompressedSize >= 0
}
