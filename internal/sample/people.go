package sample

import (
	"fmt"
	"strings"
)

// mail is one row of the table email.
type mail struct {
	address string
	rank    int
	kind    int // 0 e-mail, 1 chat
}

// person is one row of the table person with its e-mails and phones.
type person struct {
	id, contact int
	first, last string
	position    int
	retired     bool
	mails       []mail
	phone       string
}

// associate is one row of the table associate.
type associate struct {
	id, person   int
	login        string
	kind         int // 0 employee, 1 resource, 4 external, 7 anonymous, 13 system
	retired      bool
	group, role  int
	plan         string // module name, empty: none
	confidential bool
	userName     string
	folder       string // of the archive; empty: the login
	// What users.csv says of it.
	tenantPlan, username string
}

func (a associate) dir() string {
	if a.folder != "" {
		return a.folder
	}
	return a.login
}

const (
	groupCount = 3
	roleCount  = 8 // user levels 0 to 5, external, system
	companies  = 4
)

// moduleOf are the licence modules by name, with their ids and, for plans, the tenant's plan of that kind.
type module struct {
	id             int
	name, title    string
	kind, flags    int // licenseType 1 site, 4 user; extraFlags 1 plan
	seats          int
	unlimited      bool
	info           string
	tenant, tTitle string // the tenant's plan, empty: none of that kind
	tenantSeats    int
}

func (w *world) modules() []module {
	n := len(w.associates) + 10
	list := []module{
		{id: 1, name: "server", title: "Server", kind: 1, seats: 1},
		{id: 2, name: "user", title: "User", kind: 4, seats: n},
		{id: 3, name: "web", title: "Web", kind: 4, seats: n},
		{id: 4, name: "visible-for", title: "Confidential activities", kind: 4, unlimited: true},
		{id: 5, name: "ten-sales", title: "Sales Premium", kind: 4, flags: 1, seats: n, info: "set=user,web", tenant: "SalesPREM", tTitle: "Sales Premium", tenantSeats: n},
		{id: 6, name: "ten-service", title: "Service Premium", kind: 4, flags: 1, seats: n, info: "set=user,web", tenant: "ServicePREM", tTitle: "Service Premium", tenantSeats: n},
	}
	if !w.o.Clean {
		// A plan that the tenant does not have under any name.
		list = append(list, module{id: 7, name: "ten-marketing", title: "Marketing Premium", kind: 4, flags: 1, seats: 2, info: "set=user,web,mktg-auto-cal"})
	}
	return list
}

var (
	firstNames = []string{"Anne", "Bjørn", "Cecilie", "David", "Åse", "Fredrik", "Gunn", "Håkon", "Ida", "Jürgen", "Kari", "Lars", "Märta", "Nils", "Øystein", "Petra"}
	lastNames  = []string{"Aas", "Berg", "Dahl", "Eriksen", "Fjeld", "Grønn", "Hansen", "Iversen", "Jørgensen", "Krüger", "Lie", "Myhre", "Ness", "Østby", "Pedersen", "Ødegård"}
	logins     = []string{"ADM0", "BOB", "ÅSE", "KN", "EE", "SØR", "TOM", "AB"}
)

// people fills the persons and associates: N employees, the kinds that never get a plan, contacts of other companies,
// and the odd cases.
func (w *world) people() {
	for i := range w.o.Users {
		w.employee(i)
	}
	w.add(person{contact: 1, first: "", last: "Møterom Fjorden"}, associate{login: "ROOM1", kind: 1})
	w.add(person{contact: 2, first: "Elena", last: "External", mails: []mail{{"elena@partner.example", 1, 0}}}, associate{login: "EXT1", kind: 4, role: 7})
	w.addAssociate(associate{login: "anonymous", kind: 7})
	w.addAssociate(associate{login: "ejSysUser", kind: 13, role: 8})
	w.add(person{contact: 1, first: "Olav", last: "Olsen", retired: true, mails: []mail{{"olav.olsen@docklock.example", 1, 0}}},
		associate{login: "OLA", retired: true, group: 1, role: 2})
	for i := range 20 { // customers
		first, last := firstNames[(i*5)%len(firstNames)], lastNames[(i*3)%len(lastNames)]
		w.addPerson(person{contact: 2 + i%(companies-1), first: first, last: last, phone: fmt.Sprintf("+47 55 %02d 20 %02d", i, 99-i),
			mails: []mail{{fmt.Sprintf("%s.%s%d@customer%d.example", ascii(first), ascii(last), i, 2+i%3), 1, 0}}})
	}
	if !w.o.Clean {
		w.oddPeople()
	}
}

func (w *world) employee(i int) {
	first, last := firstNames[i%len(firstNames)], lastNames[(i*7+i/16)%len(lastNames)]
	a := associate{login: fmt.Sprintf("U%04d", i), group: 1 + i%groupCount, role: 2 + i%4, plan: "ten-sales", confidential: i%3 == 0}
	if i < len(logins) {
		a.login = logins[i]
	}
	if i%4 == 3 {
		a.plan = "ten-service"
	}
	p := person{contact: 1, first: first, last: last, position: 1 + i%2, phone: fmt.Sprintf("+47 934 66 %03d", i)}
	address := strings.ToLower(ascii(a.login)) + "@docklock.example"
	p.mails = []mail{{address, 1, 0}}
	switch {
	case i == 0:
		a.role = 1 // user level 0
	case i%5 == 1: // several addresses, and one that is a chat name
		p.mails = append(p.mails, mail{ascii(first) + "." + ascii(last) + fmt.Sprint(i) + "@docklock.example", 2, 0}, mail{a.login + "@chat", 1, 1})
	}
	a.username, a.tenantPlan = address, w.tenantPlan(a.plan)
	w.add(p, a)
}

func (w *world) tenantPlan(onsite string) string {
	switch onsite {
	case "ten-sales", "ten-marketing":
		return "SalesPREM"
	case "ten-service":
		return "ServicePREM"
	}
	return "-"
}

func (w *world) addPerson(p person) int {
	p.id = len(w.persons) + 1
	w.persons = append(w.persons, p)
	return p.id
}

func (w *world) addAssociate(a associate) *associate {
	a.id = len(w.associates) + 1
	w.associates = append(w.associates, a)
	return &w.associates[len(w.associates)-1]
}

func (w *world) add(p person, a associate) {
	a.person = w.addPerson(p)
	w.addAssociate(a)
}

// ascii spells a name as people do in e-mail addresses.
func ascii(s string) string {
	return strings.NewReplacer("å", "a", "Å", "A", "ø", "o", "Ø", "O", "æ", "ae", "Æ", "AE", "ä", "a", "ü", "u").Replace(s)
}

// authors are the associates that documents are written by.
func (w *world) authors() []associate {
	var list []associate
	for _, a := range w.associates {
		if a.kind == 0 && a.plan != "" {
			list = append(list, a)
		}
	}
	return list
}
