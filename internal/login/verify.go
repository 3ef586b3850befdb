package login

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/source"
)

// How a login was proved, as the migrator's record says it.
const (
	ByNetServer = "netserver"
	ByWindows   = "windows"
	ByDatabase  = "database"
)

// ErrNoAccount says that the operating system has no accounts of the kind that the database knows.
var ErrNoAccount = errors.New("this is not Windows")

// Verifier proves logins.
type Verifier struct {
	NetServer *NetServer // nil: it is not asked
	// Password gives the password of a user name, for NetServer alone. It is called once.
	Password func(ctx context.Context, user string) (string, error)
	// SID gives the SID of the account that the operating system has logged in; ErrNoAccount where there is none.
	SID    func() (string, error)
	Reader source.Reader
	Now    func() time.Time
	Say    func(format string, args ...any) // what was proved and what not
}

// Proof is what was proved.
type Proof struct {
	How    string
	Rights []string // by NetServer: the function rights, which count in place of the database's
	Role   string   // likewise
}

// Verify proves that who runs the program is the associate a, whom login names. An error of status Refused says that it is
// somebody else.
func (v Verifier) Verify(ctx context.Context, login string, a source.Account) (Proof, error) {
	if v.NetServer != nil {
		return v.netServer(ctx, login, a)
	}
	why := "no --netserver was given"
	switch sid, err := v.SID(); {
	case errors.Is(err, ErrNoAccount):
		why += ", and " + err.Error() + ", whose account could be asked for"
	case err != nil:
		why += fmt.Sprintf(", and the account of Windows is not known (%v)", err)
	default:
		owners, err := v.owners(ctx, sid)
		if err != nil {
			return Proof{}, err
		}
		if slices.Contains(owners, a.ID) {
			v.Say("login %s: it is the account of Windows that runs this", a.Login)
			return Proof{How: ByWindows}, nil
		}
		why += ", and the account of Windows that runs this is not one of the login's"
	}
	v.Say("login %s: verified by the database's login alone: %s", a.Login, why)
	return Proof{How: ByDatabase}, nil
}

func (v Verifier) netServer(ctx context.Context, login string, a source.Account) (Proof, error) {
	password, err := v.Password(ctx, login)
	if err != nil {
		return Proof{}, err
	}
	p, err := v.NetServer.Ask(ctx, login, password)
	if err != nil {
		return Proof{}, err
	}
	if p.AssociateID != a.ID {
		return Proof{}, manifest.Errorf(manifest.Refused, "login %q: NetServer says that it is of associate %d (%s), and in the database it is of %d (%s)",
			login, p.AssociateID, p.Associate, a.ID, a.Login).
			WithHint("check that --netserver and the database are of one installation, or give the initials with --login")
	}
	rights := slices.Clone(p.FunctionRights)
	slices.Sort(rights)
	v.Say("login %s: NetServer knows it by its password, with the role %q and the rights %s", a.Login, p.RoleName, strings.Join(rights, ", "))
	if gone := lacking(a.Rights, rights); len(gone) > 0 {
		v.Say("rights that the database gives and NetServer does not, as with rows that were edited by hand: %s", strings.Join(gone, ", "))
	}
	return Proof{How: ByNetServer, Rights: rights, Role: p.RoleName}, nil
}

// lacking are those of want that have does not hold, in whatever letter case.
func lacking(want, have []string) (out []string) {
	for _, w := range want {
		if !slices.ContainsFunc(have, func(h string) bool { return strings.EqualFold(h, w) }) {
			out = append(out, w)
		}
	}
	return out
}

// owners are the associates whose account of Windows has that SID now.
func (v Verifier) owners(ctx context.Context, sid string) ([]int64, error) {
	t, ok := source.FindTable(v.Reader.Tables(), "Credentials")
	if !ok {
		return nil, nil
	}
	at := source.Table{Name: t.Name}
	for _, name := range []string{"associateId", "credentialType", "searchName", "validFrom", "validTo"} {
		c, ok := t.Column(name)
		if !ok {
			return nil, nil
		}
		at.Columns = append(at.Columns, c)
	}
	now := v.Now().UTC()
	var owners []int64
	for row, err := range v.Reader.Rows(ctx, at) {
		if err != nil {
			return nil, fmt.Errorf("looking for the account of Windows: %w", err)
		}
		id, _ := row[0].(int64)
		kind, _ := row[1].(string)
		name, _ := row[2].(string)
		if strings.EqualFold(strings.TrimSpace(kind), "ActiveDirectory") && strings.EqualFold(strings.TrimSpace(name), sid) && within(now, row[3], row[4]) {
			owners = append(owners, id)
		}
	}
	return owners, nil
}

// within reports whether a moment lies between two values of a row, of which one that is no time does not count. The
// values are in the zone of the server, which is not known, so that a day is given on either side.
func within(now time.Time, from, to any) bool {
	const slack = 24 * time.Hour
	if t, ok := from.(time.Time); ok && now.Add(slack).Before(t) {
		return false
	}
	t, ok := to.(time.Time)
	return !ok || !now.Add(-slack).After(t)
}
