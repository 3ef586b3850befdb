package email

import (
	"errors"
	"fmt"
	"net/mail"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
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

// Check says why an address is none that somebody can log in with, or nil. It is stricter than the grammar of mail: no
// comments, quoted parts or address literals, and a domain with a dot. Letters outside ASCII are allowed on both sides. The vendor documents "a valid e-mail address" and no grammar.
func Check(address string) error {
	if strings.ContainsFunc(address, unicode.IsSpace) {
		return errors.New("it holds a space")
	}
	if strings.ContainsFunc(address, func(r rune) bool { return !unicode.IsGraphic(r) || r == unicode.ReplacementChar }) {
		return errors.New("it holds a character that cannot be seen")
	}
	local, domain, found := strings.Cut(address, "@")
	switch {
	case !found:
		return errors.New("it has no @")
	case strings.Contains(domain, "@"):
		return errors.New("it has more than one @")
	case local == "":
		return errors.New("nothing stands before the @")
	case len(local) > maxLocal:
		return fmt.Errorf("more than %d bytes stand before the @", maxLocal)
	case len(address) > maxAddress:
		return fmt.Errorf("it has more than %d bytes", maxAddress)
	}
	if err := checkDomain(domain); err != nil {
		return err
	}
	if a, err := mail.ParseAddress(address); err != nil || a.Address != address || a.Name != "" {
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
