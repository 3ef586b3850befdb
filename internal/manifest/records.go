package manifest

import (
	"encoding/hex"
	"fmt"
	"time"
)

// Kind is the first key of every record and says what the record is.
type Kind string

// The kinds of records, in the order in which they stand in a manifest (see the package comment).
const (
	KindManifest     Kind = "manifest"
	KindEdit         Kind = "edit"
	KindInstallation Kind = "installation"
	KindMigrator     Kind = "migrator"
	KindFreeze       Kind = "freeze"
	KindPlan         Kind = "plan"
	KindUser         Kind = "user"
	KindReview       Kind = "review"
	KindAddress      Kind = "address"
	KindRemoval      Kind = "removal"
	KindFact         Kind = "fact"
	KindTable        Kind = "table"
	KindChunk        Kind = "chunk"
	KindFile         Kind = "file"
	KindReceipt      Kind = "receipt"
	KindCheck        Kind = "check"
	KindFinding      Kind = "finding"
	KindWaiver       Kind = "waiver"
	KindAbort        Kind = "abort"
	KindEnd          Kind = "end"
)

// Record is one line of a manifest. Values, not pointers, implement it.
type Record interface{ RecordKind() Kind }

// Area is one of the kinds of content that move.
type Area string

// The areas, in the order of progress lines, reports and manifests.
const (
	Database   Area = "database"
	Template   Area = "template"
	Document   Area = "document"
	Service    Area = "service"
	Attachment Area = "attachment"
)

// Areas are all areas in their order.
var Areas = [...]Area{Database, Template, Document, Service, Attachment}

// Rank is the area's place in Areas, or -1 for a name that is no area.
func (a Area) Rank() int {
	for i, b := range Areas {
		if a == b {
			return i
		}
	}
	return -1
}

// State is what is known of a file; the package comment has the table.
type State string

// The states of a file.
const (
	Present       State = "present"
	Missing       State = "missing"
	BlankName     State = "blank-name"
	Elsewhere     State = "elsewhere"
	NoAppointment State = "no-appointment"
	NoAssociate   State = "no-associate"
	NoRow         State = "no-row"
	Shadowed      State = "shadowed"
	Unreadable    State = "unreadable"
	Stored        State = "stored"
	Left          State = "left"
)

var states = [...]State{Present, Missing, BlankName, Elsewhere, NoAppointment, NoAssociate, NoRow, Shadowed, Unreadable, Stored, Left}

// Digest is a SHA-256. In JSON it is lower-case hex.
type Digest [32]byte

// IsZero reports whether d is absent.
func (d Digest) IsZero() bool { return d == Digest{} }

// String returns d as 64 lower-case hex digits.
func (d Digest) String() string { return hex.EncodeToString(d[:]) }

// MarshalText implements encoding.TextMarshaler.
func (d Digest) MarshalText() ([]byte, error) {
	return hex.AppendEncode(make([]byte, 0, 64), d[:]), nil
}

// UnmarshalText implements encoding.TextUnmarshaler; it accepts exactly 64 lower-case hex digits.
func (d *Digest) UnmarshalText(b []byte) error {
	if len(b) != 64 {
		return fmt.Errorf("digest %q: want 64 hex digits", b)
	}
	for _, c := range b {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return fmt.Errorf("digest %q: want lower-case hex digits", b)
		}
	}
	_, err := hex.Decode(d[:], b)
	return err
}

// ParseDigest reads 64 lower-case hex digits.
func ParseDigest(s string) (Digest, error) {
	var d Digest
	err := d.UnmarshalText([]byte(s))
	return d, err
}

// Time is an instant, written as RFC 3339 in UTC with as many fractional digits as it has.
type Time struct{ time.Time }

// At makes a Time of t, in UTC.
func At(t time.Time) Time { return Time{t.UTC()} }

// MarshalText implements encoding.TextMarshaler. A year beyond 9999 is an error, since RFC 3339 cannot hold it.
func (t Time) MarshalText() ([]byte, error) { return t.appendText(make([]byte, 0, 36)) }

// MarshalJSON implements json.Marshaler.
func (t Time) MarshalJSON() ([]byte, error) {
	b, err := t.appendText(append(make([]byte, 0, 40), '"'))
	return append(b, '"'), err
}

func (t Time) appendText(dst []byte) ([]byte, error) {
	u := t.UTC()
	if y := u.Year(); y < 0 || y > 9999 {
		return dst, fmt.Errorf("the year %d cannot be written as RFC 3339", y)
	}
	return u.AppendFormat(dst, time.RFC3339Nano), nil
}

// UnmarshalText implements encoding.TextUnmarshaler; it accepts RFC 3339 with any offset and gives UTC.
func (t *Time) UnmarshalText(b []byte) error {
	err := t.Time.UnmarshalText(b)
	t.Time = t.UTC()
	return err
}

// UnmarshalJSON implements json.Unmarshaler.
func (t *Time) UnmarshalJSON(b []byte) error {
	err := t.Time.UnmarshalJSON(b)
	t.Time = t.UTC()
	return err
}

// Header opens a manifest. ID, Tool and Created are written by omt-scan and stay through all stages and revisions.
type Header struct {
	Format    string `json:"format"` // Format
	ID        string `json:"id"`     // UUID version 7
	Tool      string `json:"tool"`
	Created   Time   `json:"created"`
	Migration string `json:"migration"`       // "test" or "live"
	Mode      string `json:"mode,omitempty"`  // "initial" or "recovery"; absent until a stage was given --to
	Phase     string `json:"phase"`           // "full" or "preseed"
	Before    Time   `json:"before,omitzero"` // of a preseed: files changed after it are left
}

// Edit records that a person changed the manifest by hand and that a stage was told to accept it.
type Edit struct {
	By   string `json:"by"`
	At   Time   `json:"at"`
	Tool string `json:"tool"`
	Was  Digest `json:"was"` // the digest the end record had
}

// Installation says what was scanned and where it lies. It holds no credentials.
type Installation struct {
	Owner    string `json:"owner"`
	Serial   string `json:"serial"`
	Version  string `json:"version"`
	Engine   string `json:"engine"`   // "mssql" or "sqlite"
	Database string `json:"database"` // URL without user info; SQLite: sqlite: and an absolute path
	Prefix   string `json:"prefix"`
	// Fingerprint is the same for the database however its URL is written, and another one for a copy; empty: not known.
	Fingerprint string `json:"fingerprint,omitempty"`

	Areas   []Area              `json:"areas"`
	Roots   map[string][]string `json:"roots"`             // area → folders, absolute paths as this machine names them
	Map     []string            `json:"map,omitempty"`     // FROM=TO rewrites in force
	Folders []string            `json:"folders,omitempty"` // LOGIN=NAME in force
}

// Migrator is the person who runs the migration.
type Migrator struct {
	Login    string `json:"login"`
	Name     string `json:"name"`
	Email    string `json:"email"`
	Phone    string `json:"phone"`
	Language string `json:"language"`
	Verified string `json:"verified"` // how the login was verified: "database" = by the database login alone
	Admin    string `json:"admin"`    // "confirmed" or "guessed": whether the administrator right was named or guessed
}

// Freeze is one change that froze the source, with what is needed to undo it.
type Freeze struct {
	What         string            `json:"what"`                   // "service-config": a line in Service's config file; "system-event": a row of SystemEvent
	Already      bool              `json:"already,omitempty"`      // it was frozen before: nothing was changed, and nothing is to be undone
	Path         string            `json:"path,omitempty"`         // the file changed
	Inserted     string            `json:"inserted,omitempty"`     // the text put in
	Encoding     string            `json:"encoding,omitempty"`     // "utf-16le" or "utf-16be"; empty: one byte a character
	Line         int               `json:"line,omitempty"`         // its number
	Offset       int64             `json:"offset,omitempty"`       // where, in bytes
	BeforeSHA256 Digest            `json:"before_sha256,omitzero"` // of the file before
	AfterSHA256  Digest            `json:"after_sha256,omitzero"`  // and after
	Table        string            `json:"table,omitempty"`        // the table that got a row
	ID           int64             `json:"id,omitempty"`           // its key, taken from sequence
	Row          map[string]string `json:"row,omitempty"`          // its columns as texts, without those that are NULL
}

// Plan is a user plan that can be given to users.
type Plan struct {
	Name      string `json:"name"`
	Title     string `json:"title"`
	Onsite    string `json:"onsite"` // the plan's name on site, empty when unknown
	Seats     int    `json:"seats"`
	Unlimited bool   `json:"unlimited"`
	Source    string `json:"source"` // "tenant" (from --plans) or "licence" (the local licence, a hint)
}

// User is an internal associate who is not retired.
type User struct {
	ID           int64    `json:"id"` // associate_id
	Login        string   `json:"login"`
	Person       int64    `json:"person,omitempty"`
	Name         string   `json:"name"`
	Company      string   `json:"company"`
	Group        string   `json:"group"`
	Role         string   `json:"role"`
	Position     string   `json:"position"`
	Admin        bool     `json:"admin"`
	Confidential bool     `json:"confidential"`
	Emails       []string `json:"emails"`             // by rank, first-rank first
	Onsite       string   `json:"onsite"`             // plan held on site
	Plan         *string  `json:"plan,omitempty"`     // nil undecided, "" none
	Username     string   `json:"username,omitempty"` // e-mail address to log in with
	Welcome      *bool    `json:"welcome,omitempty"`  // nil undecided
}

// Review records that a person (or --auto) has settled one of the items plans, usernames, notifications.
type Review struct {
	Item    string  `json:"item"`
	By      string  `json:"by"`
	At      Time    `json:"at"`
	How     string  `json:"how"`               // "auto", "users", "set", "board", "flag"
	Summary *string `json:"summary,omitempty"` // notifications: address for the user summary, or ""
}

// Address is an e-mail of a person who is not a user; sorted by lower-cased address.
type Address struct {
	Person int64  `json:"person"`
	Rank   int    `json:"rank"`
	Email  string `json:"email"`
}

// Removal asks the tenant's side to remove an address from a person's card, since it became a user's name.
type Removal struct {
	Person int64  `json:"person"`
	Email  string `json:"email"`
	User   int64  `json:"user"` // the user whose name it became
}

// Fact is a row that rules look at.
type Fact struct {
	Name string         `json:"name"`
	ID   string         `json:"id"`
	Data map[string]any `json:"data"`
}

// Column is one column of a table, with what is needed to make it again.
type Column struct {
	Name      string `json:"name"`
	Type      string `json:"type"` // as SQL Server writes it: "int", "nvarchar(239)", "decimal(19,4)", "varbinary(max)"
	Null      bool   `json:"null"`
	Collation string `json:"collation,omitempty"`
	Identity  bool   `json:"identity,omitempty"`
	Computed  string `json:"computed,omitempty"` // the expression of a computed column, whose values do not move
	Default   string `json:"default,omitempty"`  // the default's SQL text
}

// Index is an index other than the key.
type Index struct {
	Name    string `json:"name"`
	On      string `json:"on"` // columns as SQL Server writes them: "[a],[b] DESC"
	Unique  bool   `json:"unique,omitempty"`
	Include string `json:"include,omitempty"` // further columns that its leaves hold: "[c],[d]"
	Where   string `json:"where,omitempty"`   // the condition of a filtered index
}

// Table is one table of the source with its rows counted.
type Table struct {
	Name    string   `json:"name"` // as declared, without the prefix
	Rows    int64    `json:"rows"`
	Columns []Column `json:"columns"`
	Key     []string `json:"key"` // columns of the primary or first unique key over NOT NULL columns; empty: none
	Indexes []Index  `json:"indexes,omitempty"`
}

// Chunk is one object at the destination, named by the SHA-256 of its bytes.
type Chunk struct {
	SHA256 Digest `json:"sha256"`
	Type   string `json:"type"` // ChunkTar or ChunkParquet
	Area   Area   `json:"area"`
	Role   string `json:"role,omitempty"` // of tar.zst: RoleContent or RoleLinks
	Bytes  int64  `json:"bytes"`
	Raw    int64  `json:"raw"`   // bytes of the tar stream, or of the canonical rows
	Items  int    `json:"items"` // entries, or rows

	Table   string  `json:"table,omitempty"` // parquet: the table's name, and below its part
	First   string  `json:"first,omitempty"` // first and last key, as text
	Last    string  `json:"last,omitempty"`
	Rows    int64   `json:"rows,omitempty"`
	Content *Digest `json:"content,omitempty"` // over the canonical rows
	Schema  *Digest `json:"schema,omitempty"`  // of the table record
	Op      string  `json:"op,omitempty"`      // OpDelta or OpDelete: changes a part; absent: a part as it is
	Of      *Digest `json:"of,omitempty"`      // of a delta or delete: the chunk of the part that it changes
	After   *After  `json:"after,omitempty"`   // of the last of a run's deltas: the part's rows once it is applied
}

// Operations of a chunk that changes a part.
const (
	OpDelta  = "delta"  // rows that take the place of those with their keys, or come new
	OpDelete = "delete" // keys of rows that are gone
)

// After says what rows a part has once a delta is applied. Its fields are those of Chunk.
type After struct {
	Rows    int64  `json:"rows"`
	Raw     int64  `json:"raw"`
	First   string `json:"first"`
	Last    string `json:"last"`
	Content Digest `json:"content"`
}

// WholePart is the record of what a part has once all is applied: its own, or, where chunks that change it follow, one as if
// it had been written anew, without the bytes of a chunk.
func WholePart(part []Chunk) Chunk {
	if after := part[len(part)-1].After; after != nil {
		return after.whole(part[0])
	}
	return part[0]
}

func (a After) whole(base Chunk) Chunk {
	base.Rows, base.Items, base.Raw, base.First, base.Last, base.Content = a.Rows, int(a.Rows), a.Raw, a.First, a.Last, &a.Content
	base.SHA256, base.Bytes = Digest{}, 0
	return base
}

// Types and roles of chunks.
const (
	ChunkTar     = "tar.zst"
	ChunkParquet = "parquet"
	RoleContent  = "content"
	RoleLinks    = "links"
)

// File is one file, or one row that should have a file.
type File struct {
	Area       Area     `json:"area"`
	ID         int64    `json:"id,omitempty"`   // row id, where the area has rows
	Path       string   `json:"path,omitempty"` // what the row says, slash-separated, for ever
	Disk       string   `json:"disk,omitempty"` // what the disk calls it, absent when equal to Path
	Root       int      `json:"root"`           // index in the installation's roots of the area
	Size       int64    `json:"size"`           // bytes; 0 when there is no file
	MTime      Time     `json:"mtime,omitzero"`
	Owner      string   `json:"owner,omitempty"`
	Title      string   `json:"title,omitempty"`
	State      State    `json:"state"`
	Reason     string   `json:"reason,omitempty"`
	Also       string   `json:"also,omitempty"`       // the other folder's path at a period boundary
	Candidates []string `json:"candidates,omitempty"` // finds elsewhere, never used silently
	Raw        bool     `json:"raw,omitempty"`        // the name is not valid Unicode: bad bytes as %XX, % as %25
	SHA256     Digest   `json:"sha256,omitzero"`
	Chunk      Digest   `json:"chunk,omitzero"`
	Offset     int64    `json:"offset,omitempty"` // of the content in the uncompressed tar stream
	Same       string   `json:"same,omitempty"`   // the path whose bytes this copy shares
}

// DiskPath is where the file lies below its root: Disk, or Path when they are equal.
func (f File) DiskPath() string {
	if f.Disk != "" {
		return f.Disk
	}
	return f.Path
}

// Receipt says that a chunk is at the destination.
type Receipt struct {
	Chunk Digest `json:"chunk"`
	Bytes int64  `json:"bytes"`
	Sent  bool   `json:"sent"` // false: it was there already
	At    Time   `json:"at"`
}

// Check says that a rule ran to its end over this manifest.
type Check struct {
	Rule     string `json:"rule"`
	Plugin   string `json:"plugin"`
	Tool     string `json:"tool"`
	Status   string `json:"status"`           // CheckDone; anything else blocks like an error
	Reason   string `json:"reason,omitempty"` // why it is not done
	Findings int    `json:"findings"`
}

// Severity says how much a finding matters.
type Severity string

// The severities: an unwaived error blocks pack and push.
const (
	SeverityError   Severity = "error"
	SeverityWarning Severity = "warning"
	SeverityInfo    Severity = "info"
)

// Finding is what a rule has to say.
type Finding struct {
	Rule     string   `json:"rule"`
	Severity Severity `json:"severity"`
	Subjects []string `json:"subjects"` // "user:7", "file:document:123", "folder:bob"
	Message  string   `json:"message"`
	Waived   string   `json:"waived"`          // the waiver's reason, empty when it stands
	Final    bool     `json:"final,omitempty"` // no waiver lets it stand
}

// Waiver lets a finding stand.
type Waiver struct {
	Rule    string `json:"rule"`
	Subject string `json:"subject"` // empty: the findings there were when it was given, Covers of them
	Reason  string `json:"reason"`
	By      string `json:"by"`
	Until   string `json:"until,omitempty"` // date after which it no longer holds
	At      Time   `json:"at"`
	Covers  int    `json:"covers"`
}

// Abort ends the standard output of a stage that did not finish, in place of End.
type Abort struct {
	Tool    string `json:"tool"`
	Status  Status `json:"status"`
	Message string `json:"message"`
}

// End closes a manifest.
type End struct {
	Tool   string           `json:"tool"`   // the writer of this manifest
	Counts map[string]int64 `json:"counts"` // lines of every kind but end
	SHA256 Digest           `json:"sha256"` // over all preceding lines, each with one LF after it
}

// RecordKind implements Record, as do the methods below.
func (Header) RecordKind() Kind { return KindManifest }

// RecordKind implements Record.
func (Edit) RecordKind() Kind { return KindEdit }

// RecordKind implements Record.
func (Installation) RecordKind() Kind { return KindInstallation }

// RecordKind implements Record.
func (Migrator) RecordKind() Kind { return KindMigrator }

// RecordKind implements Record.
func (Freeze) RecordKind() Kind { return KindFreeze }

// RecordKind implements Record.
func (Plan) RecordKind() Kind { return KindPlan }

// RecordKind implements Record.
func (User) RecordKind() Kind { return KindUser }

// RecordKind implements Record.
func (Review) RecordKind() Kind { return KindReview }

// RecordKind implements Record.
func (Address) RecordKind() Kind { return KindAddress }

// RecordKind implements Record.
func (Removal) RecordKind() Kind { return KindRemoval }

// RecordKind implements Record.
func (Fact) RecordKind() Kind { return KindFact }

// RecordKind implements Record.
func (Table) RecordKind() Kind { return KindTable }

// RecordKind implements Record.
func (Chunk) RecordKind() Kind { return KindChunk }

// RecordKind implements Record.
func (File) RecordKind() Kind { return KindFile }

// RecordKind implements Record.
func (Receipt) RecordKind() Kind { return KindReceipt }

// RecordKind implements Record.
func (Check) RecordKind() Kind { return KindCheck }

// RecordKind implements Record.
func (Finding) RecordKind() Kind { return KindFinding }

// RecordKind implements Record.
func (Waiver) RecordKind() Kind { return KindWaiver }

// RecordKind implements Record.
func (Abort) RecordKind() Kind { return KindAbort }

// RecordKind implements Record.
func (End) RecordKind() Kind { return KindEnd }
