// Package progress is how a verb says how far it has come, without knowing who shows it. It imports nothing of ours.
package progress

// Names of steps before and after the areas, whose names stand between them.
const (
	Starting  = "starting"
	Finishing = "finishing"
)

// Reporter gives one Meter for each line that a person sees, named by area ("document") or step ("reading back").
type Reporter interface {
	// Meter opens a line. total is the number of units expected, 0 when unknown; unit is Bytes or Items.
	Meter(name string, total int64, unit Unit) Meter
}

// Unit says what a Meter counts.
type Unit int

// The units.
const (
	Items Unit = iota
	Bytes
)

// Meter counts up to a total. It is safe for concurrent use.
type Meter interface {
	// Add counts work done, as it is done; less than nothing where it must be done again.
	Add(n int64)
	// SetTotal corrects the total, or tells one that was unknown.
	SetTotal(n int64)
	// Skip counts units that needed no work; they do not enter the rate.
	Skip(n int64)
	Done()
}

// None reports nothing.
type None struct{}

// Meter returns a Meter that does nothing.
func (None) Meter(string, int64, Unit) Meter { return silent{} }

type silent struct{}

func (silent) Add(int64)      {}
func (silent) SetTotal(int64) {}
func (silent) Skip(int64)     {}
func (silent) Done()          {}
