// Package chunk holds the formats of what is stored at a destination, as readers and writers alone: chunks of files
// (Writer, Reader, Seekable, Verify), and parts of tables (PartWriter, PartReader, VerifyPart) with the canonical
// encoding of their rows (AppendRow, Key, Cutter). This comment is the specification of the formats.
//
// It promises: the same entries or rows at the same codec and level give the same bytes, on every machine; what a reader
// accepts is what a writer wrote, and anything else is an error that wraps ErrDamaged where the bytes are to blame; memory is
// bounded, whatever is in the chunk. It does not know where chunks lie, what a spool or a destination is, which files
// are copies of each other, nor where rows come from.
//
// # File chunks
//
// A .tar.zst that any tar with zstd restores: a tar stream (POSIX ustar) in independent zstd frames, and a seek table.
//
// The tar stream holds regular entries only, or in a chunk of links hard links only. Mode 0644, owner and group 0 and
// without names, time in whole seconds UTC between 1970 and 2242 (TarTime). A name or link that is longer than its
// fields or not ASCII, and a size of 8 GiB and more, stand in a PAX record (path, linkpath, size) before the entry;
// there are no other records. The stream ends with two blocks of zeros and no more. Names are "<area>/<path>": relative,
// UTF-8, without ".", "..", empty parts and NUL, up to 32 KiB. So an entry's bytes follow from name and size alone
// (EntrySize), and Planner can say where chunks end before anything is read: before the entry that would exceed MaxRaw
// bytes of stream, its end included, or MaxEntries.
//
// A frame ends at the first file boundary at which it has 1 MiB or more, and inside a file after every 1 MiB of the
// file's content that more content follows; the end of the stream belongs to the last frame. So a frame has at most
// 2.25 MiB, and content of up to 1 MiB lies in one. Every frame tells its content size and carries a checksum (the low
// four bytes of XXH64). Its window is at most 2 MiB, or the content itself. Incompressible content stands in raw blocks.
//
// The seek table is that of the zstd seekable format 0.1.0: a skippable frame (0x184D2A5E, its length) with an entry for
// each frame (bytes stored, bytes of content, checksum; four bytes each, the lowest first), the number of frames, a
// descriptor byte 0x80 (entries have checksums), and 0x8F92EAB1. Nothing follows it.
//
// A reader refuses frames without size or checksum or of more than 2.25 MiB, other skippable frames, a seek table that
// does not agree with the frames, bytes behind it, entries of other types, other headers, and a stream that does not end
// as above. Verify compares length, SHA-256, bytes of the stream and entries with the chunk's record besides.
//
// # Canonical rows
//
// A row is encoded as its values one behind the other, in the order of the columns, computed ones left out. A value
// is 00 for NULL, or 01 and, by source.Kind (integers have the highest byte first, signed ones in two's complement):
//
//	Bool      one byte 00 or 01
//	Int       8 bytes, signed, whatever the column's width
//	Float     8 bytes, IEEE 754 as it is: -0 is not 0, and a NaN keeps its bits
//	Real      4 bytes, IEEE 754
//	Decimal   one byte scale, then the digits without the point as 16 bytes, signed
//	Text      length in bytes as an unsigned LEB128 varint in its shortest form, then UTF-8 (WTF-8, see below)
//	Bytes     length as above, then the bytes
//	Date      4 bytes, signed: days since 1970-01-01
//	Clock     8 bytes: steps of 100 ns since midnight
//	DateTime  8 bytes, signed: steps of 100 ns since 1970-01-01 00:00 of the same wall clock
//	Offset    8 bytes, signed: steps of 100 ns since 1970-01-01 00:00 UTC; 2 bytes, signed: minutes ahead of UTC
//	UUID      16 bytes in the order of the text form
//
// Servers keep nchar, nvarchar, ntext and sql_variant in UTF-16, and do not check it: a text may hold half a surrogate pair
// without its other half. In texts of these types (source.Type.UTF16) such a half is three bytes, ED, A0 to BF, 80 to BF,
// as UTF-8's scheme has it, and a pair is one character of four bytes. Anything else in a text is UTF-8.
//
// Equal values have equal bytes, different ones different bytes, and DecodeRow accepts nothing else. Values are those of a
// kind with the width, precision and scale of their type, and of times with whole microseconds below scale 7; declared
// lengths and narrower ranges (datetime, money) are the business of who reads a source. The content digest
// of a part is the SHA-256 over its rows in their order, each preceded by its length in 8 bytes; raw of a part's record
// is how many bytes that were. The digest of a row (RowDigest), by which rows of a table without key are sorted, is the
// SHA-256 of its encoding without the length. The schema digest is the SHA-256 of SchemaJSON: name, columns and key,
// not the number of rows, which changes with every insert, nor the indexes, which do not change the rows.
//
// Keys sort by the bytes of Key.Append: 00 for NULL, or 01 and the value as above, with these differences: the sign bit
// of signed numbers is flipped; Float and Real are 8 bytes, with all bits flipped if negative and else the sign bit; Text
// and Bytes have no length, a byte 00 is 00 FF, and 00 01 ends them. Text sorts by bytes, which is the order of code
// points, halves of pairs among them, and not as the source's collation does. Cutter says which keys begin a part.
//
// # Table parts
//
// A part is a Parquet file (format version 2) whose schema is flat and in the order of the columns; the key/value
// metadata "omt.table" holds SchemaJSON. Columns that allow NULL are OPTIONAL, others REQUIRED. Types:
//
//	bit                            BOOLEAN
//	tinyint, smallint, int, bigint INT32 or INT64 as INT(8, unsigned), INT(16|32|64, signed)
//	real, float                    FLOAT, DOUBLE
//	decimal, numeric, money, …     DECIMAL(p,s): INT32 to 9 digits, INT64 to 18, else the shortest FIXED_LEN_BYTE_ARRAY
//	text of all types              BYTE_ARRAY as STRING; of types kept in UTF-16 besides <name>$utf16: BYTE_ARRAY
//	binary of all types            BYTE_ARRAY
//	uniqueidentifier               FIXED_LEN_BYTE_ARRAY(16) as UUID
//	date                           INT32 as DATE
//	time(n)                        INT64 as TIME(MICROS, not adjusted to UTC)
//	datetime, datetime2(n), …      INT64 as TIMESTAMP(MICROS, not adjusted to UTC)
//	datetimeoffset(n)              INT64 as TIMESTAMP(MICROS, UTC), and <name>$offset: INT(16), minutes ahead of UTC
//	all three with n = 7           besides <name>$ticks: INT32, the 0 to 9 steps of 100 ns below the microsecond
//
// Companion columns follow theirs and are NULL where it is; a name that a column has already gets another "$". Nanosecond
// timestamps would reach neither 1760, which SuperOffice's databases hold, nor 9999.
//
// A STRING is Unicode for every reader. Where a text is not, it has U+FFFD in place of each half of a pair, and the
// companion $utf16, which is OPTIONAL always and else NULL, holds the text in UTF-16, the low byte of each unit first. A
// reader takes the text from there, and refuses one that is Unicode or that the STRING does not follow from.
//
// A row group ends when the canonical rows in it have 8 MiB, or at 65,536 rows. Pages are data pages of version 2 with a
// CRC-32, and end when their values have about 256 KiB, less in tables of more than 16 columns, so that all open pages
// together have about 4 MiB. Pages of $utf16 end when their own values have 16 KiB, which is mostly with the row group. A
// text or byte value of 1 MiB and more has a page of its own. Integers and what they stand for are DELTA_BINARY_PACKED,
// texts and bytes DELTA_LENGTH_BYTE_ARRAY (large ones PLAIN), the rest PLAIN; levels are RLE. Column chunks follow each
// other without gaps from byte 4 on; behind them stand 8 bytes, the lowest first, with the XXH64 of the footer, and then
// the footer. There are no dictionaries, indexes or minima and maxima.
//
// All bodies of a part are compressed with one codec (PartOptions.Codec), but for those that it does not shrink, which are
// marked as not compressed:
//
//	zstd    one frame that tells its content size, but for less than 256 bytes, with a checksum; a window of at most 2 MiB
//	snappy  the raw block format; nothing is copied from more than 64 KiB before
//	gzip    one member without names and time; levels 1, 2 and 3 are 1, 5 and 6 of deflate
//
// A reader takes all three, and no body that unpacks to more or less than its page says, a page that says more than its
// stored bytes can unpack to, or pages that together say another size than the footer, before it makes room for them.
//
// # Why
//
// The tar header comes from archive/tar, whose output is deterministic; the golden files would show a version of Go that
// changes it. Offsets are known since content does not pass through it.
//
// Sampling decides for raw blocks only inside frames of one file. Where a frame holds several, they repeat each other
// (the theme of all letters, the fonts of all PDFs), which samples do not show: of files of 34 KiB that share 4, trying
// saves 9 %, of files of 40 KiB that share 10, it saves 15 %, and samples see none of it. A MiB that does not shrink
// costs 0.3 ms to try at level 1 and 0.4 at level 2, next to 1.2 ms for the two SHA-256.
//
// The default is zstd. Microsoft's readers of Parquet in SQL Server 2016 and later (PolyBase) and Azure Synapse are
// documented to know two codecs: "The PARQUET file format type supports the following compression methods", gzip and
// snappy (reference of Transact-SQL, CREATE EXTERNAL FILE FORMAT, DATA_COMPRESSION; MicrosoftDocs/sql-docs,
// docs/t-sql/statements/create-external-file-format-transact-sql.md). Neither server has read these parts; that page says
// nothing of encodings and page versions.
//
// Snappy is encoded and decoded here: the library's encoders give other bytes where they have no assembly for the
// processor, and its decoder takes a block as a whole, where large values are decoded as they are read. The tests compare
// with the library in both directions.
//
// A text that is no Unicode is not refused, since SQL Server makes such texts itself (LEFT and SUBSTRING count halves of
// pairs under most collations), nor is its column made one of bytes, which nobody could read for one text in a million.
//
// Pages and footer of parts are put together here, out of parquet-go's encodings and Thrift types, and not by its Writer
// and Reader: one row with a value of 100 MB took those 1.7 to 3.5 GB, and takes here nothing beyond the value itself, or
// its compressed size, with each codec; and its decoder takes any size that a page or footer claims. A large text that is
// no Unicode takes five times its size while it is read, three times while it is written. The tests read parts with
// parquet-go and, where it is there, DuckDB.
//
// The footer has a checksum of our own before it because a decoder of Thrift allocates lists by the length they claim:
// four damaged bytes could end the process before any error.
//
// VerifyPart makes no values of what it reads (skim): the canonical encoding comes straight from the pages, with the same
// checks, in half the time and half the memory that passes. The tests read every part both ways.
//
// xxhash is a dependency for those two checksums; the zstd library keeps its own copy private.
//
// # Figures
//
// File chunks, medians of three to five in processor seconds on two cores of an EPYC with SHA-NI that did other work as
// well: a Writer takes 1.05, 0.95 and 1.03 times as long at levels 1, 2 and 3 as hashing every byte for its file,
// compressing it in pieces of 1 MiB, and hashing the result, and nothing else (BenchmarkWriter, "floor"). Verify checks 590
// MB of stream in a second.
// In use a Writer holds 6.3, 7.7 and 10.4 MiB at levels 1, 2 and 3, a Reader 3.4 MiB.
//
// Parts, in processor seconds on two cores of a Xeon that did other work as well: PartWriter encodes, hashes and compresses
// 640,000 rows of 10 columns in a second of one core at level 1, and takes 1.2 times as long at level 2 for 5 % fewer
// bytes, 1.6 times at level 3 for 6 % fewer; PartReader decodes them, and hashes them again, at 600,000. With snappy it
// takes 0.75 times as long for 37 % more bytes; with gzip 0.9, 1.2 and 1.3 times at levels 1, 2 and 3 for 4 % more, 6 %
// and 7 % fewer. Reading takes 1.2 times as long with snappy and with gzip 1.25 times. At level 1 the companions of three columns
// of texts, all NULL, are 1 to 2 % of writing and 2 to 4 % of reading (medians of 60 to 200 runs, with and without them in
// turn), and 120 bytes of each row group each. In use a PartWriter holds 5.4 and 9.3 MiB for narrow rows at levels 1 and
// 3, 3 to 4 with snappy and gzip, and 18 where every row has 2 MB that do not compress, besides what large values take; a
// PartReader 3 MiB.
package chunk
