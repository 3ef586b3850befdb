package rules

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/openomt/omt/plugins/sdk"
)

// spf is what a domain's SPF record holds where the tenant sends with its addresses.
const spf = "v=spf1 include:_spf.online.superoffice.com ~all"

var serviceMailbox = sdk.Rule{
	ID: "service-mailbox", Title: "the mailboxes of Service, for which a way of receiving and sending has to be chosen",
	Help: "At the tenant Service gets new addresses in a domain of the vendor's. Customers go on writing to the old ones, and what " +
		"they write does not reach it. For each address choose before the live migration: forward it to the new one, or tell " +
		"everybody the new one. Where Service goes on sending with the old address, mail systems may refuse the mail unless the SPF " +
		"record of the address's domain allows it: \"" + spf + "\". Passwords of mailboxes are not read.",
	Severity: sdk.Warning,
	Facts:    []string{"service-config", "mailbox", "mailbox-alias"},
	Check: func(_ context.Context, in *sdk.Input, report sdk.Report) error {
		b := boxes{}
		for f := range sdk.Each[*sdk.Fact](in) {
			switch f.Name {
			case "service-config":
				b.add(f, "default_mail", "default sender")
				b.add(f, "admin_mail", "of the administrator")
			case "mailbox":
				what := "mailbox " + f.ID
				if at := text(f, "pop_server"); at != "" {
					what += " at " + at
				}
				b.add(f, "address", what)
			default:
				what := "alias " + f.ID
				if id, ok := number(f, "filter_id"); ok {
					what += fmt.Sprintf(" of mailbox %d", id)
				}
				b.add(f, "alias", what)
			}
		}
		b.report(report)
		return nil
	},
}

// boxes are addresses that Service receives or sends with, by domain.
type boxes map[string]*domainBoxes

type domainBoxes struct {
	order    []string
	uses     map[string][]string // by lower-cased address
	subjects []string
}

func (b boxes) add(f *sdk.Fact, key, use string) {
	address := text(f, key)
	if address == "" {
		return
	}
	folded := strings.ToLower(address)
	domain := ""
	if i := strings.LastIndexByte(folded, '@'); i >= 0 {
		domain = folded[i+1:]
	}
	d := b[domain]
	if d == nil {
		d = &domainBoxes{uses: map[string][]string{}}
		b[domain] = d
	}
	if d.uses[folded] == nil {
		d.order = append(d.order, address)
	}
	d.uses[folded] = append(d.uses[folded], use)
	if s := rowSubject(f.Name, f.ID); !slices.Contains(d.subjects, s) {
		d.subjects = append(d.subjects, s)
	}
}

func (b boxes) report(report sdk.Report) {
	for _, domain := range slices.Sorted(maps.Keys(b)) {
		d := b[domain]
		var list []string
		for _, a := range d.order {
			list = append(list, fmt.Sprintf("%s (%s)", a, strings.Join(d.uses[strings.ToLower(a)], "; ")))
		}
		if domain == "" {
			report(sdk.Finding{Subjects: d.subjects, Message: fmt.Sprintf("Service names addresses without a domain: %s; choose how they are to be reached", enumerate(list))})
			continue
		}
		report(sdk.Finding{Subjects: d.subjects, Message: fmt.Sprintf("Service uses %s: forward to the tenant's new addresses, or tell everybody the new ones; to go on sending from %s, its SPF record needs \"%s\"",
			enumerate(list), domain, spf)})
	}
}
