package wire

import (
	"github.com/openomt/omt/internal/manifest"
	pb "github.com/openomt/omt/plugins/sdk/proto"
)

// message makes a message of a record that is neither file nor fact. It is nil for a kind that is not sent.
func message(rec manifest.Record) *pb.Record {
	switch r := rec.(type) {
	case manifest.Header:
		return &pb.Record{Kind: &pb.Record_Manifest{Manifest: header(r)}}
	case manifest.Installation:
		return &pb.Record{Kind: &pb.Record_Installation{Installation: installation(r)}}
	case manifest.Migrator:
		return &pb.Record{Kind: &pb.Record_Migrator{Migrator: &pb.Migrator{Login: r.Login, Name: r.Name, Email: r.Email,
			Phone: r.Phone, Language: r.Language, Verified: r.Verified, Admin: r.Admin}}}
	case manifest.Plan:
		return &pb.Record{Kind: &pb.Record_Plan{Plan: &pb.Plan{Name: r.Name, Title: r.Title, Onsite: r.Onsite,
			Seats: int64(r.Seats), Unlimited: r.Unlimited, Source: r.Source}}}
	case manifest.User:
		return &pb.Record{Kind: &pb.Record_User{User: user(r)}}
	case manifest.Review:
		return &pb.Record{Kind: &pb.Record_Review{Review: &pb.Review{Item: r.Item, By: r.By, At: instant(r.At), How: r.How,
			Summary: r.Summary}}}
	case manifest.Address:
		return &pb.Record{Kind: &pb.Record_Address{Address: &pb.Address{Person: r.Person, Rank: int64(r.Rank), Email: r.Email}}}
	case manifest.Removal:
		return &pb.Record{Kind: &pb.Record_Removal{Removal: &pb.Removal{Person: r.Person, Email: r.Email, User: r.User}}}
	case manifest.Table:
		return &pb.Record{Kind: &pb.Record_Table{Table: table(r)}}
	case manifest.Chunk:
		return &pb.Record{Kind: &pb.Record_Chunk{Chunk: &pb.Chunk{Sha256: digest(r.SHA256), Type: r.Type, Area: string(r.Area),
			Role: r.Role, Bytes: r.Bytes, Raw: r.Raw, Items: int64(r.Items), Table: r.Table, First: r.First, Last: r.Last,
			Rows: r.Rows}}}
	case manifest.Receipt:
		return &pb.Record{Kind: &pb.Record_Receipt{Receipt: &pb.Receipt{Chunk: digest(r.Chunk), Bytes: r.Bytes, Sent: r.Sent,
			At: instant(r.At)}}}
	}
	return nil
}

func header(r manifest.Header) *pb.Header {
	return &pb.Header{Format: r.Format, Id: r.ID, Tool: r.Tool, Created: instant(r.Created), Migration: r.Migration,
		Mode: r.Mode, Phase: r.Phase, Before: instant(r.Before)}
}

func installation(r manifest.Installation) *pb.Installation {
	m := &pb.Installation{Owner: r.Owner, Serial: r.Serial, Version: r.Version, Engine: r.Engine, Database: r.Database,
		Prefix: r.Prefix, Fingerprint: r.Fingerprint, Roots: make(map[string]*pb.Folders, len(r.Roots))}
	for _, a := range r.Areas {
		m.Areas = append(m.Areas, string(a))
	}
	for area, paths := range r.Roots {
		m.Roots[area] = &pb.Folders{Paths: paths}
	}
	return m
}

func user(r manifest.User) *pb.User {
	return &pb.User{Id: r.ID, Login: r.Login, Person: r.Person, Name: r.Name, Company: r.Company, Group: r.Group, Role: r.Role,
		Position: r.Position, Admin: r.Admin, Confidential: r.Confidential, Emails: r.Emails, Onsite: r.Onsite, Plan: r.Plan,
		Username: r.Username, Welcome: r.Welcome}
}

func table(r manifest.Table) *pb.Table {
	m := &pb.Table{Name: r.Name, Rows: r.Rows, Key: r.Key, Columns: make([]*pb.Column, len(r.Columns))}
	for i, c := range r.Columns {
		m.Columns[i] = &pb.Column{Name: c.Name, Type: c.Type, Null: c.Null, Collation: c.Collation, Identity: c.Identity,
			Computed: c.Computed, Default: c.Default}
	}
	return m
}

// digest writes a digest as a manifest does; one that is not set is empty.
func digest(d manifest.Digest) string {
	if d.IsZero() {
		return ""
	}
	return d.String()
}

// instant writes a time as a manifest does; one that is not set, or that RFC 3339 cannot hold, is empty.
func instant(t manifest.Time) string {
	if t.IsZero() {
		return ""
	}
	b, err := t.MarshalText()
	if err != nil {
		return ""
	}
	return string(b)
}
