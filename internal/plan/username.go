package plan

import (
	"errors"
	"fmt"
	"net/mail"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/openomt/omt/internal/manifest"
)

// Longest parts of an address: RFC 5321 and 5322 give 64 and 254; the database column has room for 254 characters.
const (
	maxLocal   = 64
	maxAddress = 254
	maxLabel   = 63
)

// Key brings a user name or address into the form in which two of them are compared: without space around it, in lower
// case, in Unicode's composed form.
func Key(address string) string {
	return strings.ToLower(norm.NFC.String(strings.TrimSpace(address)))
}

// CheckUsername says why a user name is no e-mail address that somebody can log in with, or nil. It is stricter than
// the grammar of mail: no comments, quoted parts or address literals, and a domain with a dot. Letters outside ASCII are
// allowed on both sides. The vendor documents "a valid e-mail address" and no grammar.
func CheckUsername(name string) error {
	if name != strings.TrimSpace(name) || strings.ContainsFunc(name, unicode.IsSpace) {
		return errors.New("it holds a space")
	}
	if strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsGraphic(r) || r == unicode.ReplacementChar }) {
		return errors.New("it holds a character that cannot be seen")
	}
	local, domain, found := strings.Cut(name, "@")
	switch {
	case !found:
		return errors.New("it has no @")
	case strings.Contains(domain, "@"):
		return errors.New("it has more than one @")
	case local == "":
		return errors.New("nothing stands before the @")
	case len(local) > maxLocal:
		return fmt.Errorf("more than %d bytes stand before the @", maxLocal)
	case len(name) > maxAddress:
		return fmt.Errorf("it has more than %d bytes", maxAddress)
	}
	if err := checkDomain(domain); err != nil {
		return err
	}
	if a, err := mail.ParseAddress(name); err != nil || a.Address != name || a.Name != "" {
		return fmt.Errorf("the part before the @, %q, is not allowed", local)
	}
	return nil
}

// checkDomain says what is wrong with the part after the @.
func checkDomain(domain string) error {
	labels := strings.Split(domain, ".")
	if len(labels) < 2 {
		return fmt.Errorf("its domain %q has no dot", domain)
	}
	for _, l := range labels {
		switch {
		case l == "":
			return fmt.Errorf("its domain %q has an empty part", domain)
		case len(l) > maxLabel:
			return fmt.Errorf("a part of its domain has more than %d bytes", maxLabel)
		case l[0] == '-' || l[len(l)-1] == '-':
			return fmt.Errorf("a part of its domain %q begins or ends with -", domain)
		case strings.ContainsFunc(l, func(r rune) bool {
			return r != '-' && !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r)
		}):
			return fmt.Errorf("its domain %q holds a character that no domain has", domain)
		}
	}
	if strings.Trim(labels[len(labels)-1], "0123456789") == "" {
		return fmt.Errorf("its domain %q ends with a number", domain)
	}
	return nil
}

// names finds users by user name. A name that several users have belongs to none, and so does that of a user who has
// been given no plan.
type names map[string]*manifest.User

// namesOf makes the table of the names that users can log in with.
func namesOf(users []manifest.User) names {
	n := make(names, len(users))
	for i := range users {
		u := &users[i]
		if u.Username == "" {
			continue
		}
		key := Key(u.Username)
		if _, twice := n[key]; twice {
			n[key] = nil
			continue
		}
		n[key] = u
	}
	for key, u := range n {
		if u == nil || u.Plan != nil && *u.Plan == "" {
			delete(n, key)
		}
	}
	return n
}
