package sdk

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/openomt/omt/plugins/sdk/proto"
)

// convert makes records of the messages of a batch. Messages of kinds that no rule reads, or that this SDK does not know,
// are left out.
func convert(messages []*proto.Record, wanted map[string]bool) ([]Record, error) {
	records := make([]Record, 0, len(messages))
	for _, m := range messages {
		r, err := record(m, wanted)
		if err != nil {
			return nil, err
		}
		if r != nil {
			records = append(records, r)
		}
	}
	return records, nil
}

// record makes one record; nil where nobody wants it.
func record(m *proto.Record, wanted map[string]bool) (Record, error) {
	switch k := m.GetKind().(type) {
	case *proto.Record_File:
		return only(wanted, KindFile, k.File, file)
	case *proto.Record_Fact:
		return only(wanted, KindFact, k.Fact, fact)
	case *proto.Record_User:
		return only(wanted, KindUser, k.User, user)
	case *proto.Record_Chunk:
		return only(wanted, KindChunk, k.Chunk, chunk)
	case *proto.Record_Receipt:
		return only(wanted, KindReceipt, k.Receipt, receipt)
	case *proto.Record_Table:
		return only(wanted, KindTable, k.Table, table)
	case *proto.Record_Address:
		return only(wanted, KindAddress, k.Address, address)
	case *proto.Record_Removal:
		return only(wanted, KindRemoval, k.Removal, removal)
	case *proto.Record_Review:
		return only(wanted, KindReview, k.Review, review)
	case *proto.Record_Plan:
		return only(wanted, KindPlan, k.Plan, plan)
	case *proto.Record_Migrator:
		return only(wanted, KindMigrator, k.Migrator, migrator)
	case *proto.Record_Installation:
		return only(wanted, KindInstallation, k.Installation, installation)
	case *proto.Record_Manifest:
		return only(wanted, KindHeader, k.Manifest, header)
	}
	return nil, nil
}

// only converts a message of a kind that is wanted.
func only[M any, R Record](wanted map[string]bool, kind string, m M, convert func(M) (R, error)) (Record, error) {
	if !wanted[kind] {
		return nil, nil
	}
	r, err := convert(m)
	if err != nil {
		return nil, fmt.Errorf("record of kind %q: %w", kind, err)
	}
	return r, nil
}

func header(m *proto.Header) (*Header, error) {
	at, err := when(m.GetCreated())
	if err != nil {
		return nil, err
	}
	before, err := when(m.GetBefore())
	return &Header{Format: m.GetFormat(), ID: m.GetId(), Tool: m.GetTool(), Created: at, Migration: m.GetMigration(),
		Mode: m.GetMode(), Phase: m.GetPhase(), Before: before}, err
}

func installation(m *proto.Installation) (*Installation, error) {
	roots := make(map[string][]string, len(m.GetRoots()))
	for area, folders := range m.GetRoots() {
		roots[area] = folders.GetPaths()
	}
	return &Installation{Owner: m.GetOwner(), Serial: m.GetSerial(), Version: m.GetVersion(), Engine: m.GetEngine(),
		Database: m.GetDatabase(), Prefix: m.GetPrefix(), Fingerprint: m.GetFingerprint(), Areas: m.GetAreas(), Roots: roots}, nil
}

func migrator(m *proto.Migrator) (*Migrator, error) {
	return &Migrator{Login: m.GetLogin(), Name: m.GetName(), Email: m.GetEmail(), Phone: m.GetPhone(),
		Language: m.GetLanguage(), Verified: m.GetVerified(), Admin: m.GetAdmin()}, nil
}

func plan(m *proto.Plan) (*Plan, error) {
	return &Plan{Name: m.GetName(), Title: m.GetTitle(), Onsite: m.GetOnsite(), Seats: m.GetSeats(),
		Unlimited: m.GetUnlimited(), Source: m.GetSource()}, nil
}

func user(m *proto.User) (*User, error) {
	return &User{ID: m.GetId(), Login: m.GetLogin(), Person: m.GetPerson(), Name: m.GetName(), Company: m.GetCompany(),
		Group: m.GetGroup(), Role: m.GetRole(), Position: m.GetPosition(), Admin: m.GetAdmin(),
		Confidential: m.GetConfidential(), Emails: m.GetEmails(), Onsite: m.GetOnsite(), Plan: m.Plan,
		Username: m.GetUsername(), Welcome: m.Welcome}, nil
}

func review(m *proto.Review) (*Review, error) {
	at, err := when(m.GetAt())
	return &Review{Item: m.GetItem(), By: m.GetBy(), At: at, How: m.GetHow(), Summary: m.Summary}, err
}

func address(m *proto.Address) (*Address, error) {
	return &Address{Person: m.GetPerson(), Rank: m.GetRank(), Email: m.GetEmail()}, nil
}

func removal(m *proto.Removal) (*Removal, error) {
	return &Removal{Person: m.GetPerson(), Email: m.GetEmail(), User: m.GetUser()}, nil
}

func table(m *proto.Table) (*Table, error) {
	columns := make([]Column, len(m.GetColumns()))
	for i, c := range m.GetColumns() {
		columns[i] = Column{Name: c.GetName(), Type: c.GetType(), Null: c.GetNull(), Collation: c.GetCollation(),
			Identity: c.GetIdentity(), Computed: c.GetComputed(), Default: c.GetDefault()}
	}
	return &Table{Name: m.GetName(), Rows: m.GetRows(), Columns: columns, Key: m.GetKey()}, nil
}

func file(m *proto.File) (*File, error) {
	at, err := when(m.GetMtime())
	return &File{Area: m.GetArea(), ID: m.GetId(), Path: m.GetPath(), Disk: m.GetDisk(), Root: m.GetRoot(),
		Size: m.GetSize(), MTime: at, Owner: m.GetOwner(), Title: m.GetTitle(), State: m.GetState(), Reason: m.GetReason(),
		Also: m.GetAlso(), Candidates: m.GetCandidates(), Raw: m.GetRaw(), SHA256: m.GetSha256(), Chunk: m.GetChunk(),
		Offset: m.GetOffset(), Same: m.GetSame()}, err
}

func chunk(m *proto.Chunk) (*Chunk, error) {
	return &Chunk{SHA256: m.GetSha256(), Type: m.GetType(), Area: m.GetArea(), Role: m.GetRole(), Bytes: m.GetBytes(),
		Raw: m.GetRaw(), Items: m.GetItems(), Table: m.GetTable(), First: m.GetFirst(), Last: m.GetLast(), Rows: m.GetRows()}, nil
}

func receipt(m *proto.Receipt) (*Receipt, error) {
	at, err := when(m.GetAt())
	return &Receipt{Chunk: m.GetChunk(), Bytes: m.GetBytes(), Sent: m.GetSent(), At: at}, err
}

func fact(m *proto.Fact) (*Fact, error) {
	data, err := object(m.GetData())
	return &Fact{Name: m.GetName(), ID: m.GetId(), Data: data}, err
}

// when reads a time; there is none in an empty text.
func when(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	return time.Parse(time.RFC3339, s)
}

// object reads the data of a fact: whole numbers are int64, others float64, and null is no value.
func object(text string) (map[string]any, error) {
	data := map[string]any{}
	if text == "" {
		return data, nil
	}
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	d.UseNumber()
	if err := d.Decode(&data); err != nil {
		return nil, fmt.Errorf("its data: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("its data: something stands behind the object")
	}
	if data == nil {
		data = map[string]any{}
	}
	for key, v := range data {
		if v == nil {
			delete(data, key)
		} else {
			data[key] = plainValue(v)
		}
	}
	return data, nil
}

// plainValue makes the numbers of JSON those of Go.
func plainValue(v any) any {
	switch v := v.(type) {
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n
		}
		if f, err := v.Float64(); err == nil {
			return f
		}
		return v.String() // of no size that Go knows
	case []any:
		for i := range v {
			v[i] = plainValue(v[i])
		}
	case map[string]any:
		for key := range v {
			v[key] = plainValue(v[key])
		}
	}
	return v
}
