package source

import (
	"context"
	"database/sql/driver"
	"iter"
	"time"
)

// Driver is one database engine. All SQL it is given is read-only.
type Driver interface {
	// Engine is "mssql" or "sqlite".
	Engine() string
	// URL names the database without user info, as an installation record holds it.
	URL() string
	// Fingerprint is a text that is the same for one database, however its URL is written and under whichever prefix, and
	// another one for a copy of it. The driver's package comment says what it is made of.
	Fingerprint(ctx context.Context) (string, error)
	// Prefixes lists the prefixes (schemas) under which an associate table lies, in their own letter case.
	Prefixes(ctx context.Context) ([]string, error)
	// Catalog lists every table under prefix with columns, key and indexes, sorted by lower-cased name, but those that a
	// Loader made for itself (IsUserTable, and its progress records).
	Catalog(ctx context.Context, prefix string) ([]Table, error)
	// Ref quotes a table's full name: [crm7].[associate] or "crm7_associate".
	Ref(prefix, table string) string
	// Quote quotes one identifier.
	Quote(name string) string
	// Begin opens a consistent read-only view on one connection, where the engine gives one; Consistent tells.
	Begin(ctx context.Context) (Conn, error)
	Close() error
}

// Conn is one connection that reads.
type Conn interface {
	// Stream runs one query and hands the values of each row to row, as the engine gives them. The slice is used again for
	// the next row, the values are not. It ends without an error where row returns false.
	Stream(ctx context.Context, query string, row func([]driver.Value) bool) error
	// Select runs one SELECT that somebody else has written. head is told its columns before the first row; its error ends
	// the query and is returned. row is given int64, float64, bool, string, []byte and time.Time: decimals and GUIDs are texts.
	// More than limit rows are not asked for where the engine can be told. A query that ctx ends is ended at the server too,
	// as far as that listens; the connection may be of no use after it.
	Select(ctx context.Context, query string, limit int, head func([]ResultColumn) error, row func([]driver.Value) bool) error
	// Consistent reports whether all that is read comes from one moment.
	Consistent() bool
	// Reading says how a column of the table known as alias ("" for none) is read.
	Reading(alias string, c Column) Reading
	// Pieces says how large values of a column are read; the function of Reading takes the bytes that the pieces give
	// together. false: the column has none, or the engine gives them as they are.
	Pieces(alias string, c Column) (Pieces, bool)
	Close() error
}

// ResultColumn is a column of what a query gives.
type ResultColumn struct {
	Name string
	Type string // as the engine calls it, in upper case: "DATETIME"; empty where it does not say
}

// Reading is how the values of a column are read.
type Reading struct {
	// Exprs are the expressions of a SELECT list that it takes, one at least. The first is NULL where the value is.
	Exprs []string
	// Value makes the canonical value of the column's kind (see Kind) of what the expressions gave, which is not asked for
	// NULL. A value that does not fit its declared type is an error that names the column, never a guess. nil: the value is
	// what the one expression gave.
	Value func(v []driver.Value) (any, error)
}

// Table is a table as the catalog declares it. Name is without prefix.
type Table struct {
	Name    string
	Columns []Column
	Key     []string // primary key, or the first unique index over NOT NULL columns; empty when there is none
	Indexes []Index
}

// Column is one column.
type Column struct {
	Name      string
	Type      Type
	Null      bool
	Collation string
	Identity  bool
	Computed  string // expression; computed columns are not read
	Default   string
}

// Index is an index other than the key.
type Index struct {
	Name    string
	On      string // as SQL Server writes it: "[a],[b] DESC"
	Unique  bool
	Include string // further columns that its leaves hold: "[c],[d]"
	Where   string // the condition of a filtered index
}

// Kind is the class of a column's values; it fixes the canonical Go type. NULL is nil in every kind.
type Kind int

// The kinds and the Go type of their values.
const (
	Other    Kind = iota // a type we do not know: refused when rows are read, with the type's name
	Bool                 // bool: bit
	Int                  // int64: tinyint, smallint, int, bigint
	Float                // float64: float
	Real                 // float64 holding a float32: real
	Decimal              // string, exactly Scale digits after the point, "-" for negatives: decimal, numeric, money, smallmoney
	Text                 // string: char, varchar, nchar, nvarchar, text, ntext, xml, and sql_variant as text; see UTF16 for halves of surrogate pairs
	Bytes                // []byte: binary, varbinary, image, rowversion, and hierarchyid, geography, geometry as the server writes them
	Date                 // time.Time at 00:00 UTC: date
	Clock                // time.Time on 1970-01-01 UTC: time(n)
	DateTime             // time.Time, its wall clock read as UTC: datetime, datetime2(n), smalldatetime
	Offset               // time.Time with its offset: datetimeoffset(n)
	UUID                 // [16]byte in the order of the text form: uniqueidentifier
)

// Type is a column type: its SQL Server spelling and what follows from it.
type Type struct {
	SQL       string // lower case: "nvarchar(239)", "decimal(19,4)", "datetime2(7)", "varbinary(max)"
	Kind      Kind
	Bits      int // Int: 8, 16, 32, 64 (tinyint is unsigned)
	Precision int // Decimal
	Scale     int // Decimal: digits after the point; Clock, DateTime, Offset: fractional digits of a second (datetime: 3)
	Length    int // Text, Bytes: declared length, -1 for max
}

// Row is one row, its values in the order of the table's columns without computed ones. It is not reused.
type Row []any

// Size is about the memory that a row takes: what counts for how many rows may be held at once.
func (r Row) Size() int {
	n := 16 * len(r)
	for _, v := range r {
		switch v := v.(type) {
		case string:
			n += len(v)
		case []byte:
			n += len(v)
		}
	}
	return n
}

// Identity is what the installation says of itself.
type Identity struct {
	Owner, Serial string
	Version       string // text as far as it can be told, else ""
	VersionFrom   string // what Version was read from, or all that was seen, for people
}

// User is an internal associate (type 0, not deleted) with what a card shows.
type User struct {
	ID, Person                                  int64
	Login, Name, Company, Group, Role, Position string
	Onsite                                      string // module name of the plan held on site
	Confidential                                bool
	Emails                                      []string // type 0, by rank then id, without blanks; then associate.userName when it holds an @ and is not among them
	Rights                                      []string // internal names of the function rights of the role, sorted
	RoleID                                      int64
	Contact                                     int64
}

// Account is any associate, for logins and folder owners.
type Account struct {
	ID, Person int64
	Login      string
	Type       int64
	Retired    bool // associate.deleted or person.retired
	FullName   string
	Rights     []string // internal names, sorted
	RoleName   string
	Emails     []string
	Phones     []string
	Former     bool // from AssociateHistory: no longer in associate
}

// Plan is a user plan of the local licence.
type Plan struct {
	Name, Title string
	Seats, Used int
	Unlimited   bool
}

// Address is an e-mail (type 0) of a person who is not a user.
type Address struct {
	Person int64
	Rank   int
	Email  string
}

// Fact is one row for the rules.
type Fact struct {
	Name string
	ID   string
	Data map[string]any
}

// Doc is a document row joined with its appointment and authors. References may dangle.
type Doc struct {
	ID             int64
	Name           string // file name
	Title          string // header
	Provider       int64  // archiveProvider
	Registered     time.Time
	Author         int64  // registered_associate_id
	AuthorLogin    string // "" when no such associate, nor a former one
	HasAppointment bool   // an appointment refers to it, or the one it refers to exists
	HasAssociate   bool   // the appointment's associate exists; true when there is no appointment
	Updated        time.Time
}

// Tmpl is a document template row.
type Tmpl struct {
	ID       int64
	Title    string
	File     string // relative to the template folder
	Provider int64  // autoevent_id
	Deleted  bool
}

// Attached is a Service attachment row.
type Attached struct {
	ID       int64
	Name     string
	Size     int64 // -1 when unknown
	Location int64 // attachment_location_id, 0 when the column or row is not there
}

// Location is a folder of Service attachments.
type Location struct {
	ID   int64
	Path string
}

// ServiceConfig is the one row of Service's config table; HasRow tells whether Service is there.
type ServiceConfig struct {
	HasRow                                      bool
	TextPath, AttachmentPath, TemplatePath, Tag string
	Version                                     string
}

// Reader is what the verbs ask of an open view. *View implements it.
type Reader interface {
	Identity(ctx context.Context) (Identity, error)
	Tables() []Table
	Unreadable() []Unreadable
	TableLists(ctx context.Context) ([]TableList, error)
	Count(ctx context.Context, table string) (int64, error)
	// Mark takes the mark of a table, named without regard to letter case.
	Mark(ctx context.Context, table string) (Mark, error)
	// Rows yields all rows of a table, without computed columns: ordered by key where that is one integer column, else in no
	// particular order.
	Rows(ctx context.Context, t Table) iter.Seq2[Row, error]
	Users(ctx context.Context) ([]User, error)
	Accounts(ctx context.Context) ([]Account, error)
	Plans(ctx context.Context) ([]Plan, error)
	Rights(ctx context.Context) ([]string, error)
	Facts(ctx context.Context) iter.Seq2[Fact, error]
	Addresses(ctx context.Context) iter.Seq2[Address, error]
	Documents(ctx context.Context) iter.Seq2[Doc, error]
	Templates(ctx context.Context) iter.Seq2[Tmpl, error]
	Attachments(ctx context.Context) iter.Seq2[Attached, error]
	Locations(ctx context.Context) ([]Location, error)
	ServiceConfig(ctx context.Context) (ServiceConfig, error)
	Consistent() bool
}
