package scan

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/openomt/omt/internal/login"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/source"
)

// employee is the type of an associate who is an internal user.
const employee = 0

// tries is how often a question is asked before its answer counts as missing.
const tries = 3

// Missing names what Options lack of who migrates and what somebody must be asked for, as the flags are called.
func (o Options) Missing() []string {
	var list []string
	for _, f := range []struct{ name, value string }{
		{"--login", o.Login}, {"--migrator-name", o.Migrator.Name}, {"--migrator-email", o.Migrator.Email},
		{"--migrator-phone", o.Migrator.Phone}, {"--migrator-language", o.Migrator.Language},
	} {
		if strings.TrimSpace(f.value) == "" {
			list = append(list, f.name)
		}
	}
	return list
}

var (
	emailForm    = regexp.MustCompile(`^[^\s@<>"]+@[^\s@<>"]+$`)
	phoneForm    = regexp.MustCompile(`[0-9]`)
	languageForm = regexp.MustCompile(`^[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})?$`)
)

// validate looks at what was given; what is missing is no error.
func (p Person) validate() error {
	for _, f := range []struct {
		flag, value string
		form        *regexp.Regexp
		want        string
	}{
		{"--migrator-email", p.Email, emailForm, "an address such as karl@example.com"},
		{"--migrator-phone", p.Phone, phoneForm, "a number"},
		{"--migrator-language", p.Language, languageForm, "a code such as en or nb-NO"},
	} {
		if v := strings.TrimSpace(f.value); v != "" && !f.form.MatchString(v) {
			return manifest.Errorf(manifest.Usage, "%s %q: want %s", f.flag, v, f.want)
		}
	}
	return nil
}

// migrator settles who migrates: checks the login and asks for what is missing.
func (r *run) migrator(ctx context.Context) (manifest.Migrator, error) {
	o := &r.o
	if missing := o.Missing(); len(missing) > 0 && o.Ask == nil {
		return manifest.Migrator{}, manifest.Errorf(manifest.Usage, "who migrates is not known, and there is nobody to ask").
			WithHint("give %s", strings.Join(missing, ", "))
	}
	name := strings.TrimSpace(o.Login)
	if name == "" {
		var err error
		if name, err = r.ask(ctx, question{flag: "--login", prompt: "login of the administrator who migrates"}); err != nil {
			return manifest.Migrator{}, err
		}
	}
	account, err := r.find(ctx, name)
	if err != nil {
		return manifest.Migrator{}, err
	}
	proof, err := r.prove(ctx, account, name)
	if err != nil {
		return manifest.Migrator{}, err
	}
	p, err := r.complete(ctx, account)
	if err != nil {
		return manifest.Migrator{}, err
	}
	return manifest.Migrator{
		Login: account.Login, Name: p.Name, Email: p.Email, Phone: p.Phone, Language: p.Language,
		Verified: proof.How, Admin: r.judge.how(),
	}, nil
}

// prove refuses a login that may not migrate and has it verified. Somebody who cannot be the migrator whatever the
// password is not asked for one. What NetServer says of rights and role counts more than the rows of the database.
func (r *run) prove(ctx context.Context, a source.Account, name string) (login.Proof, error) {
	if err := r.employed(a, name); err != nil {
		return login.Proof{}, err
	}
	proof := login.Proof{How: login.ByDatabase}
	if r.o.Verify != nil {
		var err error
		if proof, err = r.o.Verify(ctx, name, a); err != nil {
			return login.Proof{}, err
		}
	}
	if proof.How == login.ByNetServer {
		a.Rights, a.RoleName = proof.Rights, proof.Role
	}
	if !r.judge.admin(a.Rights, a.RoleName) {
		return login.Proof{}, r.judge.hint(manifest.Errorf(manifest.Refused, "login %q: it is no administrator as far as can be told", name), a)
	}
	if held := r.judge.held(a.Rights); proof.How == login.ByNetServer && held != "" {
		r.o.Say("administrator: NetServer confirms the right %s", held)
	}
	return proof, nil
}

// find looks a login up.
func (r *run) find(ctx context.Context, login string) (source.Account, error) {
	by := func(match func(a source.Account) bool) (found []source.Account) {
		for _, a := range r.accounts {
			if match(a) {
				found = append(found, a)
			}
		}
		return found
	}
	found := by(func(a source.Account) bool { return !a.Former && strings.EqualFold(a.Login, login) })
	if len(found) == 0 {
		ids, err := r.userNames(ctx, login)
		if err != nil {
			return source.Account{}, err
		}
		found = by(func(a source.Account) bool { return !a.Former && slices.Contains(ids, a.ID) })
	}
	if len(found) == 0 {
		found = by(func(a source.Account) bool {
			return !a.Former && slices.ContainsFunc(a.Emails, func(e string) bool { return strings.EqualFold(e, login) })
		})
	}
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(found) > 1:
		return source.Account{}, manifest.Errorf(manifest.Refused, "login %q: %d associates have it", login, len(found)).
			WithHint("give the initials (associate.name) with --login")
	case len(by(func(a source.Account) bool { return a.Former && strings.EqualFold(a.Login, login) })) > 0:
		return source.Account{}, manifest.Errorf(manifest.Refused, "login %q: it belonged to somebody who was deleted", login)
	}
	return source.Account{}, manifest.Errorf(manifest.Refused, "login %q: no associate has it", login).
		WithHint("give the initials that the administrator logs in with (associate.name) with --login")
}

// userNames returns the ids of the associates whose userName, which newer versions have, is login.
func (r *run) userNames(ctx context.Context, login string) ([]int64, error) {
	table, ok := source.FindTable(r.o.Reader.Tables(), "associate")
	if !ok {
		return nil, nil
	}
	id, hasID := table.Column("associate_id")
	name, hasName := table.Column("userName")
	if !hasID || !hasName {
		return nil, nil
	}
	var ids []int64
	for row, err := range r.o.Reader.Rows(ctx, source.Table{Name: table.Name, Columns: []source.Column{id, name}}) {
		if err != nil {
			return nil, fmt.Errorf("looking for the login: %w", err)
		}
		text, _ := row[1].(string)
		number, isInt := row[0].(int64)
		if isInt && strings.EqualFold(strings.TrimSpace(text), login) {
			ids = append(ids, number)
		}
	}
	return ids, nil
}

// employed refuses a login of somebody who is no employee or is retired.
func (r *run) employed(a source.Account, name string) error {
	switch {
	case a.Type != employee:
		return manifest.Errorf(manifest.Refused, "login %q: it is no employee (associate.type is %d)", name, a.Type).
			WithHint("an internal user who is an administrator migrates")
	case a.Retired:
		return manifest.Errorf(manifest.Refused, "login %q: it is retired", name)
	}
	return nil
}

// question is one thing that is asked.
type question struct {
	flag, prompt string
	offers       []string // the first is taken for an empty answer
	form         *regexp.Regexp
}

// complete asks for what is missing of the migrator, offering what the card has.
func (r *run) complete(ctx context.Context, a source.Account) (Person, error) {
	p := r.o.Migrator
	var full []string
	if a.FullName != "" {
		full = []string{a.FullName}
	}
	for _, f := range []struct {
		value *string
		q     question
	}{
		{&p.Name, question{"--migrator-name", "name of who migrates", full, nil}},
		{&p.Email, question{"--migrator-email", "e-mail address", a.Emails, emailForm}},
		{&p.Phone, question{"--migrator-phone", "phone", a.Phones, phoneForm}},
		{&p.Language, question{"--migrator-language", "language", []string{"en"}, languageForm}},
	} {
		*f.value = strings.TrimSpace(*f.value)
		if *f.value != "" {
			continue
		}
		var err error
		if *f.value, err = r.ask(ctx, f.q); err != nil {
			return Person{}, err
		}
	}
	return p, nil
}

// ask asks a question, a few times where the answer is none.
func (r *run) ask(ctx context.Context, q question) (string, error) {
	for range tries {
		answer, err := r.o.Ask(ctx, q.text())
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return "", fmt.Errorf("asking for %s: %w", q.flag, err)
		}
		if answer = q.read(answer); answer != "" {
			return answer, nil
		}
	}
	return "", manifest.Errorf(manifest.Usage, "%s was asked for and not answered", q.flag).WithHint("give %s", q.flag)
}

// text is the prompt: what is asked, what is offered, and what an empty answer means.
func (q question) text() string {
	switch len(q.offers) {
	case 0:
		return q.prompt + ": "
	case 1:
		return fmt.Sprintf("%s [%s]: ", q.prompt, q.offers[0])
	}
	var b strings.Builder
	b.WriteString(q.prompt + ", one of\n")
	for i, o := range q.offers {
		fmt.Fprintf(&b, "  %d  %s\n", i+1, o)
	}
	b.WriteString("its number, or another [1]: ")
	return b.String()
}

// read makes a value of an answer: an offer by its number or by silence, or what was typed; "" where it is none.
func (q question) read(answer string) string {
	answer = strings.TrimSpace(answer)
	if answer == "" && len(q.offers) > 0 {
		return q.offers[0]
	}
	if n, err := strconv.Atoi(answer); err == nil && len(q.offers) > 1 && n >= 1 && n <= len(q.offers) {
		return q.offers[n-1]
	}
	if q.form != nil && !q.form.MatchString(answer) {
		return ""
	}
	return answer
}
