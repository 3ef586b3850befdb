package pack

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/openomt/omt/internal/chunk"
	"github.com/openomt/omt/internal/destination"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/progress"
	"github.com/openomt/omt/internal/source"
)

// Options are the choices of a run.
type Options struct {
	In         *manifest.Reader
	Again      func() (*manifest.Reader, error) // reads the input from its start; nil for a stream, which is stored in the spool first
	Spool      string
	SpoolLimit int64 // bytes; 0: none
	Only       []manifest.Area
	OlderThan  time.Duration // when the input was made; 0: files of any age
	Orphans    bool          // files without a row move too
	Settle     time.Duration // without a snapshot: for how long tables that change are read again; 0: not, see package settle
	Level      int           // 1 to 3
	Workers    int
	Codec      string // of table parts: a chunk.Codec, zstd where it is empty
	Temp       string // for sorting; the spool's own when empty
	Tool       string // "omt-pack 0.1.0"
	By         string // who accepts edits, for the edit record

	// Known are manifests of former pushes, older ones first: what agrees with them in size and time is not read.
	Known []Known
	// To opens the destination, where the manifests of former pushes and the tenant's state are; nil: it is not asked.
	To     func(ctx context.Context) (destination.Destination, error)
	Rehash bool // known files are read, and their digest decides

	// Rate tells how fast the last push from the spool was, to the destination with that URL, or, where it is empty, to any;
	// false where that is not known. Only a forecast asks.
	Rate func(to string) (Rate, bool, error)

	Live *Live // what a live migration asks for besides; nil: one is refused

	// Open opens the source that the input's installation record names, with the command's overrides applied.
	Open func(ctx context.Context, inst manifest.Installation) (Source, error)
	// Rules ends the run of the preflight rules over all records before the checks, which they have seen as they were
	// written, and returns what they say; nil: none are run.
	Rules    func(ctx context.Context) ([]manifest.Check, []manifest.Finding, error)
	Required []string // rules without whose check that is done nothing is packed

	Now      func() time.Time
	Sleep    func(ctx context.Context, d time.Duration) error
	Progress progress.Reporter
	Log      *slog.Logger
	Notice   func(format string, args ...any) // a line for people
	Remark   func(format string, args ...any) // a line that a person should read in any case
}

// Rate is how fast a push was: bytes in a time, up to an instant.
type Rate struct {
	To    string
	At    time.Time
	Bytes int64
	Time  time.Duration
}

// Source is an open view of the installation.
type Source struct {
	Reader       source.Reader
	Installation manifest.Installation
	Close        func() error
}

// MaxWorkers keeps the buffers of all groups under way within the memory that the tool may use.
const MaxWorkers = 3

const roomWait = 30 * time.Second

// DefaultSettle is for how long tables that change are read again where nobody says: enough for somebody who has just been
// told to stop and saves, and little of a frozen window. Those who work on are not waited for: they are named.
const DefaultSettle = 2 * time.Minute

// preseed is the phase of a part that goes ahead.
const preseed = "preseed"

// Validate reports options that cannot be meant.
func (o Options) Validate() error {
	switch {
	case o.Level < 1 || o.Level > 3:
		return fmt.Errorf("level %d: want 1, 2 or 3", o.Level)
	case o.Workers < 1:
		return fmt.Errorf("%d workers: want at least 1", o.Workers)
	case o.OlderThan < 0:
		return errors.New("an age below zero")
	case o.Settle < 0:
		return errors.New("a time to settle below zero")
	case o.Rehash && len(o.Known) == 0 && o.To == nil:
		return errors.New("nothing is known that could be compared: --rehash needs --known or --to")
	}
	return chunk.Codec(o.Codec).Check()
}
