package pack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/openomt/omt/internal/freeze"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/source"
	"github.com/openomt/omt/internal/tenant"
)

// Live is what a live migration needs besides: how the installation is frozen, and what is asked first.
type Live struct {
	Freeze   freeze.Options // What and Key; the rest is known here
	WaitIdle time.Duration  // how long nobody being logged on is waited for; 0: not at all
	Yes      bool           // nobody is asked
	// Open opens the database of an installation to be changed.
	Open func(ctx context.Context, inst manifest.Installation) (freeze.Database, error)
	// Ask prints a prompt and reads a line.
	Ask func(ctx context.Context, prompt string) (string, error)
	// Probe asks the destination whether it can be written to.
	Probe func(ctx context.Context) error
	// Expires says until when the destination lets itself be written to; false where that is not known.
	Expires func() (time.Time, bool)
	// Begun is told before the first change is made: from then on a run that fails is to be thawed.
	Begun func()
}

const (
	liveMigration = "live"

	idlePause = 10 * time.Second

	// What is assumed where nothing is measured: how fast a line is that nobody knows, how much of a row is left when it is
	// packed, and how much longer than the forecast a destination must be writable.
	assumedRate  = 4 << 20
	assumedRow   = 64
	spareTime    = time.Hour
	spareSpool   = 1 << 30
	shownPersons = 20
)

// live reports whether this run freezes the installation. A part that goes ahead does not: users work on.
func (r *run) live() bool { return r.in.header.Migration == liveMigration && !r.preseed() }

// goLive checks all that can stop a live migration, asks, freezes, and opens the source anew behind the freeze.
func (r *run) goLive(ctx context.Context) error {
	if !r.live() {
		return nil
	}
	l := r.o.Live
	if l == nil {
		return manifest.Errorf(manifest.Refused, "the manifest is of a live migration, which this run cannot freeze")
	}
	o := l.Freeze
	o.Spool, o.Manifest, o.Installation, o.Now = r.spool.Dir(), r.in.header.ID, r.src.Installation, r.o.Now
	o.Open = func(ctx context.Context) (freeze.Database, error) { return l.Open(ctx, r.in.installation) }
	for _, check := range []func(context.Context, *freeze.Options) error{r.tenantTakes, r.reviewed, r.mayMigrate, r.roomFor, freezable} {
		if err := check(ctx, &o); err != nil {
			return fmt.Errorf("before freezing: %w", err)
		}
	}
	if err := r.idle(ctx); err != nil {
		return err
	}
	if err := r.agreed(ctx); err != nil {
		return err
	}
	if err := r.src.Close(); err != nil { // its view would hold the tables that are changed
		return err
	}
	l.Begun()
	var err error
	if r.frozen, err = freeze.Run(ctx, o); err != nil {
		return err
	}
	for _, f := range r.frozen {
		r.o.Notice("frozen: %s", freeze.Describe(f))
	}
	if r.src, err = r.o.Open(ctx, r.in.installation); err != nil {
		return err
	}
	return r.sameInstallation(ctx)
}

func freezable(ctx context.Context, o *freeze.Options) error { return freeze.Check(ctx, *o) }

// tenantTakes asks whether the tenant would take this migration, and whether the destination can be written to for long enough.
func (r *run) tenantTakes(ctx context.Context, _ *freeze.Options) error {
	if r.tenant == nil {
		return manifest.Errorf(manifest.Usage, "a live migration needs the destination").
			WithHint("name it with --to URL, so that the tenant and the right to write are checked before anything is frozen")
	}
	h, inst := r.in.header, r.in.installation
	claim := tenant.Claim{Format: manifest.Format, ID: h.ID, Phase: tenant.Full, Migration: h.Migration, Company: inst.Owner, Serial: inst.Serial}
	if _, err := r.tenant.Judge(ctx, claim, tenant.RecoverNone); err != nil {
		if _, over := r.tenant.Judge(ctx, claim, tenant.RecoverOverwrite); over != nil {
			return err
		}
		r.o.Notice("the tenant holds a test migration: the push needs --recover overwrite")
	}
	if err := r.o.Live.Probe(ctx); err != nil {
		return err
	}
	until, known := r.o.Live.Expires()
	need := r.o.Now().Add(time.Duration(r.toSend()/assumedRate)*time.Second + spareTime)
	if known && until.Before(need) {
		return manifest.Errorf(manifest.Refused, "the destination can be written to until %s, and about %.1f GB are to be sent, which at %d MB/s would last until %s",
			until.UTC().Format(time.RFC3339), float64(r.toSend())/1e9, assumedRate>>20, need.UTC().Format(time.RFC3339)).
			WithHint("have the SAS renewed before the freeze; or send ahead what does not change, with --older-than")
	}
	return nil
}

// toSend is about how many bytes will be packed and sent: what scan listed, without what is stored already.
func (r *run) toSend() int64 {
	var n int64
	for area, f := range r.in.forecast {
		if r.wanted(area) {
			n += f.Bytes + f.Rows*assumedRow
		}
	}
	if r.known != nil {
		for _, c := range r.known.places {
			if c.receipt && c.Table == "" {
				n -= c.Raw
			}
		}
	}
	return max(n, 0)
}

// roomFor refuses a spool that is too small, before the freeze and not in the middle of the night.
func (r *run) roomFor(context.Context, *freeze.Options) error {
	need := r.toSend() + spareSpool
	if r.o.SpoolLimit > 0 {
		need = min(need, r.o.SpoolLimit)
	}
	free, err := r.spool.Free()
	if err != nil {
		r.o.Log.Info("the room for the spool is not known", "reason", err)
		return nil
	}
	if free < need {
		return manifest.Errorf(manifest.Refused, "the spool %q has room for %.1f GB, and up to %.1f GB will be packed", r.spool.Dir(), float64(free)/1e9, float64(need)/1e9).
			WithHint("give a larger disk with --spool DIR, or --spool-limit SIZE and omt-push behind a pipe; or send ahead what does not change, with --older-than")
	}
	return nil
}

// each reads what stands before the tables in the input.
func (r *run) each(ctx context.Context, fn func(manifest.Line) error) error {
	lines, err := r.again()
	if err != nil {
		return err
	}
	for ctx.Err() == nil {
		l, err := lines.Next()
		if errors.Is(err, io.EOF) || err == nil && manifest.Rank(l.Kind) >= manifest.Rank(manifest.KindTable) {
			return nil
		}
		if err == nil {
			err = fn(l)
		}
		if err != nil {
			return err
		}
	}
	return ctx.Err()
}

// reviewed refuses choices that nobody has settled.
func (r *run) reviewed(ctx context.Context, _ *freeze.Options) error {
	missing := []string{"plans", "usernames", "notifications"}
	err := r.each(ctx, func(l manifest.Line) error {
		var review manifest.Review
		if l.Kind != manifest.KindReview {
			return nil
		}
		if err := l.Decode(&review); err != nil {
			return err
		}
		missing = slices.DeleteFunc(missing, func(m string) bool { return m == review.Item })
		return nil
	})
	if err == nil && len(missing) > 0 {
		err = manifest.Errorf(manifest.Refused, "nobody has settled %s", strings.Join(missing, ", ")).
			WithHint("settle them with omt-assign: on the board, with --auto, or with --users, --welcome-email and --summary-to")
	}
	return err
}

// mayMigrate refuses a migrator who is, by now, no employee or retired.
func (r *run) mayMigrate(ctx context.Context, o *freeze.Options) error {
	var m manifest.Migrator
	err := r.each(ctx, func(l manifest.Line) error {
		if l.Kind != manifest.KindMigrator {
			return nil
		}
		return l.Decode(&m)
	})
	if err != nil {
		return err
	}
	accounts, err := r.src.Reader.Accounts(ctx)
	if err != nil {
		return fmt.Errorf("reading the associates: %w", err)
	}
	for _, a := range accounts {
		if a.Former || !strings.EqualFold(a.Login, m.Login) {
			continue
		}
		if a.Type != 0 || a.Retired {
			return manifest.Errorf(manifest.Refused, "the migrator %q is by now retired or no employee", m.Login).WithHint("scan again as somebody else")
		}
		o.Associate = a.ID
		return nil
	}
	return manifest.Errorf(manifest.Refused, "the migrator %q is not in the database any more", m.Login).WithHint("scan again as somebody else")
}

// person is somebody who is logged on.
type person struct{ name, where string }

// loggedOn are those whom the table activeuser names.
func loggedOn(ctx context.Context, reader source.Reader) ([]person, error) {
	t, ok := source.FindTable(reader.Tables(), "activeuser")
	if !ok {
		return nil, nil
	}
	at := source.Table{Name: t.Name}
	for _, name := range []string{"activeuser_id", "computerName"} {
		if c, ok := t.Column(name); ok {
			at.Columns = append(at.Columns, c)
		}
	}
	if len(at.Columns) == 0 {
		return nil, nil
	}
	accounts, err := reader.Accounts(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the associates: %w", err)
	}
	var list []person
	for row, err := range reader.Rows(ctx, at) {
		if err != nil {
			return nil, fmt.Errorf("reading who is logged on: %w", err)
		}
		p := person{name: fmt.Sprint("associate ", row[0])}
		for _, a := range accounts {
			if a.ID == row[0] {
				p.name = a.Login
			}
		}
		if len(row) > 1 {
			p.where, _ = row[1].(string)
		}
		list = append(list, p)
	}
	slices.SortFunc(list, func(a, b person) int { return strings.Compare(a.name+a.where, b.name+b.where) })
	return list, nil
}

func show(list []person) string {
	var out []string
	for i, p := range list {
		if i == shownPersons {
			out = append(out, fmt.Sprintf("and %d more", len(list)-i))
			break
		}
		if p.where != "" {
			p.name += " at " + p.where
		}
		out = append(out, p.name)
	}
	return strings.Join(out, ", ")
}

// idle tells who is logged on and, where that was asked for, waits until nobody is. Each look is into a view of its own.
func (r *run) idle(ctx context.Context) error {
	list, err := loggedOn(ctx, r.src.Reader)
	if err != nil {
		return err
	}
	until, told := r.o.Now().Add(r.o.Live.WaitIdle), ""
	for len(list) > 0 && r.o.Live.WaitIdle > 0 {
		if now := show(list); now != told {
			r.o.Notice("waiting for %d to log out: %s", len(list), now)
			told = now
		}
		if !r.o.Now().Before(until) {
			return manifest.Errorf(manifest.Refused, "still logged on when the time was over: %s", show(list)).
				WithHint("have them log out, or leave out --wait-idle to freeze all the same: a row that a crash left behind never goes; nothing was frozen")
		}
		if err := r.o.Sleep(ctx, idlePause); err != nil {
			return err
		}
		if list, err = r.lookAgain(ctx); err != nil {
			return err
		}
	}
	if len(list) == 0 {
		r.o.Notice("nobody is logged on")
	} else {
		r.o.Remark("%d still logged on: %s", len(list), show(list))
	}
	return nil
}

func (r *run) lookAgain(ctx context.Context) ([]person, error) {
	src, err := r.o.Open(ctx, r.in.installation)
	if err != nil {
		return nil, err
	}
	defer src.Close() //nolint:errcheck // it was only read
	return loggedOn(ctx, src.Reader)
}

// agreed asks whether it is to be frozen now.
func (r *run) agreed(ctx context.Context) error {
	if r.o.Live.Yes {
		return nil
	}
	i := r.in.installation
	answer, err := r.o.Live.Ask(ctx, fmt.Sprintf("Freeze %s, serial number %s, for the live migration now? Web users are not stopped. Type yes: ", i.Owner, i.Serial))
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if !strings.EqualFold(strings.TrimSpace(answer), "yes") {
		return manifest.Errorf(manifest.Refused, "the freeze was not agreed to; nothing was frozen").WithHint("answer yes, or give --yes")
	}
	return nil
}

// freezes writes what was frozen before the first record that stands behind it.
func (r *run) freezes(next manifest.Kind) error {
	if manifest.Rank(next) <= manifest.Rank(manifest.KindFreeze) {
		return nil
	}
	for _, f := range r.frozen {
		if err := r.out.Write(f); err != nil {
			return err
		}
	}
	r.frozen = nil
	return nil
}
