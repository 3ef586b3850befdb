package manifest

// The place of a kind in the tables of this package; placeUnknown stands for every kind that is not known here.
const (
	placeUnknown = iota
	placeManifest
	placeEdit
	placeInstallation
	placeMigrator
	placeFreeze
	placePlan
	placeUser
	placeReview
	placeAddress
	placeRemoval
	placeFact
	placeTable
	placeChunk
	placeFile
	placeReceipt
	placeCheck
	placeFinding
	placeWaiver
	placeAbort
	placeEnd
	places
)

// known are the kinds of this format with their ranks.
var known = [places]struct {
	kind Kind
	rank int
}{
	placeUnknown:      {"", -1},
	placeManifest:     {KindManifest, 0},
	placeEdit:         {KindEdit, 1},
	placeInstallation: {KindInstallation, 2},
	placeMigrator:     {KindMigrator, 3},
	placeFreeze:       {KindFreeze, 4},
	placePlan:         {KindPlan, 5},
	placeUser:         {KindUser, 6},
	placeReview:       {KindReview, 7},
	placeAddress:      {KindAddress, 8},
	placeRemoval:      {KindRemoval, 9},
	placeFact:         {KindFact, 10},
	placeTable:        {KindTable, 11},
	placeChunk:        {KindChunk, 12},
	placeFile:         {KindFile, 12},
	placeReceipt:      {KindReceipt, 13},
	placeCheck:        {KindCheck, 14},
	placeFinding:      {KindFinding, 15},
	placeWaiver:       {KindWaiver, 16},
	placeAbort:        {KindAbort, 17},
	placeEnd:          {KindEnd, 17},
}

// Rank tells where records of a kind stand: a record of a lower rank precedes one of a higher rank. Chunks and files
// share a rank (a table's parts stand among the tables all the same), and so do abort and end. A kind that is not
// known has rank -1 and stands anywhere.
func Rank(k Kind) int { return known[placeOf(string(k))].rank }

// placeOf finds a kind's place; files, nearly all of a large manifest, are found at once.
func placeOf(kind string) int {
	if kind == string(KindFile) {
		return placeFile
	}
	for i := placeManifest; i < places; i++ {
		if string(known[i].kind) == kind {
			return i
		}
	}
	return placeUnknown
}

// tally counts lines by kind.
type tally struct {
	known [places]int64
	other map[Kind]int64
}

func (t *tally) add(place int, k Kind) {
	if place != placeUnknown {
		t.known[place]++
		return
	}
	if t.other == nil {
		t.other = map[Kind]int64{}
	}
	t.other[k]++
}

// counts returns the lines of every kind that occurred, as an end record holds them.
func (t *tally) counts() map[string]int64 {
	m := make(map[string]int64, len(t.other)+8)
	for i, n := range t.known {
		if n > 0 {
			m[string(known[i].kind)] = n
		}
	}
	for k, n := range t.other {
		m[string(k)] = n
	}
	return m
}
