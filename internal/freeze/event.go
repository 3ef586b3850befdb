package freeze

import (
	"context"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/source"
)

// What a freeze record of the row is called.
const systemEvent = "system-event"

// EventKey is the event key that keeps the Windows client out. The vendor does not document it: it is a guess.
const EventKey = "NoLogin"

// The scope and the owner of the event: the whole system, which nobody owns. A guess too.
const (
	eventScope = 1
	eventOwner = 0
)

// message is what the row says to whoever reads it.
const message = "This installation is being migrated"

// The names of the tables and of the column that is the key.
const (
	eventTable    = "SystemEvent"
	eventID       = "SystemEvent_id"
	sequenceTable = "sequence"
)

// tables are the two tables that the row needs.
type tables struct {
	event, sequence source.Table
	key             source.Column
}

// findTables looks whether the row can be made at all.
func findTables(ctx context.Context, db Database, prefix string) (tables, error) {
	list, err := db.Catalog(ctx, prefix)
	if err != nil {
		return tables{}, err
	}
	var t tables
	var ok bool
	missing := func(what string) error {
		return manifest.Errorf(manifest.Refused, "keeping the Windows client out: %s", what).
			WithHint("freeze Customer Service alone with --freeze service, and keep the Windows client out by hand")
	}
	if t.event, ok = source.FindTable(list, eventTable); !ok {
		return t, missing("there is no table " + eventTable + " under the prefix " + prefix)
	}
	if t.sequence, ok = source.FindTable(list, sequenceTable); !ok {
		return t, missing("there is no table " + sequenceTable + " under the prefix " + prefix)
	}
	for _, name := range []string{eventID, "scope", "owner", "eventkey"} {
		if c, ok := t.event.Column(name); !ok || c.Type.Kind != source.Int && name != "eventkey" {
			return t, missing("the table " + eventTable + " has no column " + name + " as it should be")
		}
	}
	for _, name := range []string{"id", "next_id", "TableName"} {
		if _, ok := t.sequence.Column(name); !ok {
			return t, missing("the table " + sequenceTable + " has no column " + name)
		}
	}
	if t.key, _ = t.event.Column(eventID); t.key.Identity {
		return t, missing("the server itself gives the keys of " + eventTable + ", which no installation that is known does")
	}
	return t, nil
}

// field is a value of a row, by the name of its column.
func field(t source.Table, row source.Row, name string) any {
	for i, c := range t.Stored() {
		if strings.EqualFold(c.Name, name) {
			return row[i]
		}
	}
	return nil
}

func isEvent(t source.Table, row source.Row, key string) bool {
	text, _ := field(t, row, "eventkey").(string)
	return strings.EqualFold(strings.TrimRight(text, " "), key) &&
		field(t, row, "scope") == int64(eventScope) && field(t, row, "owner") == int64(eventOwner)
}

// find returns the row that keeps everybody out, whoever made it.
func (t tables) find(ctx context.Context, tx Tx, key string) (source.Row, bool, error) {
	rows, err := tx.Rows(ctx, t.event, nil)
	if err != nil {
		return nil, false, err
	}
	for _, row := range rows {
		if isEvent(t.event, row, key) {
			return row, true, nil
		}
	}
	return nil, false, nil
}

// nextID takes an id from sequence as the product does: next_id moves on, and what it was is the id.
func (t tables) nextID(ctx context.Context, tx Tx) (id int64, err error) {
	for range 100 {
		rows, err := tx.Rows(ctx, t.sequence, nil)
		if err != nil {
			return 0, err
		}
		i := slices.IndexFunc(rows, func(r source.Row) bool {
			name, _ := field(t.sequence, r, "TableName").(string)
			return strings.EqualFold(strings.TrimSpace(name), eventTable)
		})
		if i < 0 {
			return 0, manifest.Errorf(manifest.Refused, "the table sequence has no row for %s", eventTable)
		}
		at, _ := field(t.sequence, rows[i], "id").(int64)
		next, ok := field(t.sequence, rows[i], "next_id").(int64)
		if !ok || next < 1 {
			return 0, manifest.Errorf(manifest.Refused, "the table sequence has no next key for %s", eventTable)
		}
		if taken, err := tx.Swap(ctx, t.sequence, Key{"id", at}, "next_id", next, next+1); err != nil || taken {
			return next, err
		}
	}
	return 0, manifest.Errorf(manifest.Failed, "no key for %s could be taken: other programs are taking keys all the time", eventTable)
}

// row makes the row as the table demands.
func (t tables) row(o Options, id int64) ([]source.Column, source.Row, error) {
	known := map[string]any{
		strings.ToLower(eventID): id, "scope": int64(eventScope), "owner": int64(eventOwner), "eventkey": o.eventKey(),
		"eventmess": message, "extrainfo": "", "registered": o.Now(), "registered_associate_id": o.Associate,
		"updated": time.Time{}, "updated_associate_id": int64(0), "updatedcount": int64(0), "eta": time.Time{},
	}
	var columns []source.Column
	var row source.Row
	for _, c := range t.event.Stored() {
		if c.Identity || c.Type.SQL == "rowversion" {
			continue
		}
		v, ok := known[strings.ToLower(c.Name)]
		if !ok {
			if c.Null || c.Default != "" {
				continue
			}
			v = nil
		}
		value, err := fit(c, v)
		if err != nil {
			return nil, nil, fmt.Errorf("column %q of %s: %w", c.Name, eventTable, err)
		}
		columns, row = append(columns, c), append(row, value)
	}
	return columns, row, nil
}

// notSet is how the product writes a date that is not set.
func notSet() time.Time { return time.Date(1760, 1, 1, 0, 0, 0, 0, time.UTC) }

// fit makes a value of a column's kind. nil is the empty value.
func fit(c source.Column, v any) (any, error) {
	at, _ := v.(time.Time)
	switch c.Type.Kind {
	case source.Int:
		switch v := v.(type) {
		case time.Time: // seconds, as before version 7
			if v.IsZero() {
				return int64(0), nil
			}
			return v.Unix(), nil
		case int64:
			return v, c.Type.Check(v)
		}
		return int64(0), nil
	case source.Text:
		s, _ := v.(string)
		for c.Type.Length > 0 && c.Type.Check(s) != nil && s != "" {
			_, size := utf8.DecodeLastRuneInString(s)
			s = s[:len(s)-size]
		}
		return s, nil
	case source.DateTime, source.Date, source.Offset:
		if at.IsZero() {
			at = notSet()
		}
		if at = at.UTC().Truncate(time.Second); c.Type.Check(at) != nil {
			at = at.Truncate(time.Minute)
		}
		if c.Type.Kind == source.Date || c.Type.Check(at) != nil {
			at = at.Truncate(24 * time.Hour)
		}
		if c.Type.Check(at) != nil { // smalldatetime knows no 1760
			at = time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC)
		}
		return at, nil
	}
	return empty(c.Type)
}

func empty(t source.Type) (any, error) {
	switch t.Kind {
	case source.Bool:
		return false, nil
	case source.Float, source.Real:
		return 0.0, nil
	case source.Decimal:
		return source.CanonicalDecimal(t, "0")
	case source.Bytes:
		return []byte{}, nil
	case source.UUID:
		return [16]byte{}, nil
	case source.Clock:
		return time.Unix(0, 0).UTC(), nil
	}
	return nil, fmt.Errorf("it must have a value, and its type %s is not known", t.SQL)
}

// texts is a row as a record holds it: the values by column as texts, without those that are NULL.
func texts(t source.Table, row source.Row) map[string]string {
	out := map[string]string{}
	for i, c := range t.Stored() {
		switch v := row[i].(type) {
		case nil:
		case time.Time:
			out[c.Name] = string(source.AppendTime(nil, c.Type, v))
		case []byte:
			out[c.Name] = hex.EncodeToString(v)
		case [16]byte:
			out[c.Name] = source.FormatUUID(v)
		case float64:
			out[c.Name] = strconv.FormatFloat(v, 'g', -1, 64)
		case string:
			out[c.Name] = strings.ToValidUTF8(v, "\ufffd")
		default:
			out[c.Name] = fmt.Sprint(v)
		}
	}
	return out
}

// make makes the row; intend is told the record before it is there for others to see.
func (t tables) make(ctx context.Context, db Database, o Options, intend func(manifest.Freeze) error) error {
	rec := manifest.Freeze{What: systemEvent, Table: t.event.Name}
	err := db.Change(ctx, o.Installation.Prefix, func(tx Tx) error {
		if row, there, err := t.find(ctx, tx, o.eventKey()); err != nil || there {
			rec.Already = there
			if there {
				rec.ID, _ = field(t.event, row, eventID).(int64)
			}
			return err
		}
		var err error
		if rec.ID, err = t.nextID(ctx, tx); err != nil {
			return err
		}
		at := Key{t.key.Name, rec.ID}
		if rows, err := tx.Rows(ctx, t.event, &at); err != nil {
			return err
		} else if len(rows) > 0 {
			return manifest.Errorf(manifest.Refused, "the table sequence gives the key %d to %s, where a row has it already", rec.ID, eventTable).
				WithHint("have the table sequence put right, or freeze Customer Service alone with --freeze service")
		}
		columns, row, err := t.row(o, rec.ID)
		if err == nil {
			err = tx.Insert(ctx, t.event, columns, row)
		}
		if err != nil {
			return err
		}
		rows, err := tx.Rows(ctx, t.event, &at)
		if err != nil {
			return err
		}
		if len(rows) != 1 {
			return fmt.Errorf("the row %d of %s was put in and is not there", rec.ID, eventTable)
		}
		rec.Row = texts(t.event, rows[0])
		return intend(rec)
	})
	if err != nil {
		return fmt.Errorf("keeping the Windows client out: %w", err)
	}
	if rec.Already {
		return intend(rec)
	}
	return nil
}

// eventState tells whether the recorded row is there; its error shows both where it is another.
func (t tables) eventState(ctx context.Context, tx Tx, rec manifest.Freeze) (there bool, err error) {
	rows, err := tx.Rows(ctx, t.event, &Key{t.key.Name, rec.ID})
	if err != nil || len(rows) == 0 {
		return false, err
	}
	now := texts(t.event, rows[0])
	if maps.Equal(now, rec.Row) {
		return true, nil
	}
	return false, manifest.Errorf(manifest.Refused, "the row %d of %s was changed since it was made: %s", rec.ID, rec.Table, difference(rec.Row, now)).
		WithHint("look at the row: to let users in, delete it by hand; then omt-pack thaw --leave-changed leaves it as it is")
}

// difference shows what differs between two rows.
func difference(was, now map[string]string) string {
	names := slices.Sorted(maps.Keys(was))
	for n := range now {
		if _, ok := was[n]; !ok {
			names = append(names, n)
		}
	}
	show := func(m map[string]string, n string) string {
		if v, ok := m[n]; ok {
			return strconv.Quote(v)
		}
		return "NULL"
	}
	var out []string
	for _, n := range names {
		if a, b := show(was, n), show(now, n); a != b {
			out = append(out, n+" was "+a+" and is "+b)
		}
	}
	return strings.Join(out, ", ")
}

// thawEvent deletes the row; undone is false where it was not there any more.
func thawEvent(ctx context.Context, db Database, prefix string, rec manifest.Freeze) (undone bool, err error) {
	t, err := findTables(ctx, db, prefix)
	if err != nil {
		return false, err
	}
	err = db.Change(ctx, prefix, func(tx Tx) error {
		if undone, err = t.eventState(ctx, tx, rec); err != nil || !undone {
			return err
		}
		if undone, err = tx.Delete(ctx, t.event, Key{t.key.Name, rec.ID}); err != nil || !undone {
			return err
		}
		return t.giveBack(ctx, tx, rec.ID)
	})
	return undone && err == nil, err
}

// giveBack puts sequence back where nobody has taken a key since.
func (t tables) giveBack(ctx context.Context, tx Tx, id int64) error {
	rows, err := tx.Rows(ctx, t.sequence, nil)
	if err != nil {
		return err
	}
	for _, r := range rows {
		name, _ := field(t.sequence, r, "TableName").(string)
		if at, ok := field(t.sequence, r, "id").(int64); ok && strings.EqualFold(strings.TrimSpace(name), eventTable) {
			_, err := tx.Swap(ctx, t.sequence, Key{"id", at}, "next_id", id+1, id)
			return err
		}
	}
	return nil
}
