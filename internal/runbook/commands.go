package runbook

import (
	"cmp"
	"strings"

	"github.com/openomt/omt/internal/manifest"
)

// inTurn are the areas of files, in their order.
var inTurn = [...]manifest.Area{manifest.Template, manifest.Document, manifest.Service, manifest.Attachment}

// to is the destination in commands.
func (g *gathered) to() string {
	if g.o.To == "" {
		return "@tenant.url"
	}
	return g.o.To
}

// spool is a folder of its own beside the spool that was named; without a word it is that one.
func (g *gathered) spool(word string) string {
	base := strings.TrimRight(g.o.Spool, `/\`)
	if base == "" {
		base = "omt-spool"
	}
	if word == "" {
		return base
	}
	return base + "-" + word
}

// install is the installation's folder without a backslash at its end, which shells and programs take in more than one way.
func (g *gathered) install() string {
	if short := strings.TrimRight(g.o.Install, `\`); short != "" && !strings.HasSuffix(short, ":") {
		return short
	}
	return g.o.Install
}

// site are the flags that say where the installation is.
func (g *gathered) site() []string {
	if g.o.Install != "" {
		return []string{"--install", g.install()}
	}
	i := g.f.inst
	words := []string{"--db", login(i.Database)}
	if i.Prefix != "" {
		words = append(words, "--prefix", i.Prefix)
	}
	for _, a := range inTurn {
		for _, dir := range i.Roots[string(a)] {
			words = append(words, "--root", string(a)+"="+dir)
		}
	}
	for _, m := range i.Map {
		words = append(words, "--map", m)
	}
	return words
}

// login puts the place of a login into a recorded URL of a server, which has none.
func login(url string) string {
	if rest, ok := strings.CutPrefix(url, "sqlserver://"); ok {
		return "sqlserver://LOGIN@" + rest
	}
	return url
}

func (g *gathered) scan(live bool, out string) Command {
	c := append(Command{"omt-scan"}, g.site()...)
	for _, f := range g.f.inst.Folders {
		c = append(c, "--folder", f)
	}
	c = append(c, "--plans", "plans.csv")
	m := g.f.migrator
	for _, x := range [...][2]string{{"--login", m.Login}, {"--migrator-name", m.Name}, {"--migrator-email", m.Email},
		{"--migrator-phone", m.Phone}, {"--migrator-language", m.Language}} {
		if x[1] != "" {
			c = append(c, x[0], x[1])
		}
	}
	if live {
		c = append(c, "--live", "--to", g.to())
	}
	return append(c, "--out", out)
}

func (g *gathered) assign(in, out string) Command {
	c := Command{"omt-assign", "--in", in, "--users", "users.csv"}
	if g.f.waivers > 0 {
		c = append(c, "--waivers", "waivers.csv")
	}
	if g.f.removals > 0 {
		c = append(c, "--remove-from-persons")
	}
	return append(c, "--welcome-email", "all", "--summary-to", cmp.Or(g.f.summary, "ADDRESS"), "--out", out)
}

// pack is a pack of the installation. The database's login is not in the manifest.
func (g *gathered) pack(in, spool, out string, more ...string) Command {
	c := Command{"omt-pack", "--in", in}
	if g.o.Install != "" {
		c = append(c, "--install", g.install())
	} else if l := login(g.f.inst.Database); l != g.f.inst.Database {
		c = append(c, "--db", l)
	}
	return append(append(append(c, "--spool", spool), more...), "--out", out)
}

func (g *gathered) push(in, spool, out string, more ...string) Command {
	c := Command{"omt-push", "--in", in, "--spool", spool, "--to", g.to()}
	return append(append(c, more...), "--out", out)
}

// thaw is the way back of a freeze. It, too, needs the database's login.
func (g *gathered) thaw() Command {
	c := Command{"omt-pack", "thaw"}
	if g.o.Install != "" {
		c = append(c, "--install", g.install())
	} else if l := login(g.f.inst.Database); l != g.f.inst.Database {
		c = append(c, "--db", l)
	}
	return append(c, "--spool", g.spool("live"))
}

// areas are the areas of files that took part, for --only.
func (g *gathered) areas() string {
	var names []string
	for _, a := range inTurn {
		for _, has := range g.f.inst.Areas {
			if has == a {
				names = append(names, string(a))
			}
		}
	}
	return strings.Join(names, ",")
}

func (g *gathered) has(a manifest.Area) bool {
	for _, x := range g.f.inst.Areas {
		if x == a {
			return true
		}
	}
	return false
}
