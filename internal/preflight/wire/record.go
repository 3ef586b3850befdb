package wire

import (
	"encoding/json"

	"github.com/openomt/omt/internal/manifest"
	pb "github.com/openomt/omt/plugins/sdk/proto"
)

// Encoder turns records of a manifest into messages. Files, nearly all of a large manifest, share one message, so that they
// cost little memory. The zero value is ready to use.
type Encoder struct {
	file    manifest.File
	fileMsg pb.File
	record  pb.Record
	kind    pb.Record_File
	text    []byte
	body    []byte
}

// Sent reports whether records of a kind can be sent to a rule.
func Sent(k manifest.Kind) bool {
	switch k {
	case manifest.KindFile, manifest.KindUser, manifest.KindFact, manifest.KindChunk, manifest.KindAddress, manifest.KindTable,
		manifest.KindManifest, manifest.KindInstallation, manifest.KindMigrator, manifest.KindPlan, manifest.KindReview,
		manifest.KindRemoval, manifest.KindReceipt:
		return true
	}
	return false
}

// Record makes a message of a record: of rec, or where that is nil of the line. It is nil for a kind that is not sent. The
// message is valid until the next call.
func (e *Encoder) Record(l manifest.Line, rec manifest.Record) (*pb.Record, error) {
	switch l.Kind {
	case manifest.KindFile:
		return e.fromFile(l, rec)
	case manifest.KindFact:
		return fact(l, rec)
	}
	if rec == nil {
		var err error
		if rec, err = decode(l); err != nil {
			return nil, err
		}
	}
	return message(rec), nil
}

func (e *Encoder) fromFile(l manifest.Line, rec manifest.Record) (*pb.Record, error) {
	f := &e.file
	switch rec := rec.(type) {
	case manifest.File:
		e.file = rec
	case *manifest.File:
		f = rec
	default:
		var err error
		if e.file, err = l.File(); err != nil {
			return nil, err
		}
	}
	mtime, err := e.time(f.MTime)
	if err != nil {
		return nil, err
	}
	m := &e.fileMsg
	m.Area, m.Id, m.Path, m.Disk, m.Root, m.Size = string(f.Area), f.ID, f.Path, f.Disk, int64(f.Root), f.Size
	m.Mtime, m.Owner, m.Title, m.State, m.Reason = mtime, f.Owner, f.Title, string(f.State), f.Reason
	m.Also, m.Candidates, m.Raw = f.Also, f.Candidates, f.Raw
	m.Sha256, m.Chunk, m.Offset, m.Same = digest(f.SHA256), digest(f.Chunk), f.Offset, f.Same
	e.kind.File = m
	e.record.Kind = &e.kind
	return &e.record, nil
}

// time writes an instant as a manifest does; one that is not set is empty.
func (e *Encoder) time(t manifest.Time) (string, error) {
	if t.IsZero() {
		return "", nil
	}
	var err error
	e.text, err = t.UTC().AppendText(e.text[:0])
	return string(e.text), err
}

// fact takes the data as it stands in the line: the contract has it as JSON too.
func fact(l manifest.Line, rec manifest.Record) (*pb.Record, error) {
	var f struct {
		Name string          `json:"name"`
		ID   string          `json:"id"`
		Data json.RawMessage `json:"data"`
	}
	if len(l.Raw) > 0 {
		if err := l.Decode(&f); err != nil {
			return nil, err
		}
	} else if r, ok := rec.(manifest.Fact); ok {
		data, err := json.Marshal(r.Data)
		if err != nil {
			return nil, err
		}
		f.Name, f.ID, f.Data = r.Name, r.ID, data
	}
	if len(f.Data) == 0 || string(f.Data) == "null" {
		f.Data = json.RawMessage("{}")
	}
	return &pb.Record{Kind: &pb.Record_Fact{Fact: &pb.Fact{Name: f.Name, Id: f.ID, Data: string(f.Data)}}}, nil
}

// decode decodes a line of the kinds that are not files or facts. It is nil for a kind that is not sent.
func decode(l manifest.Line) (manifest.Record, error) {
	switch l.Kind {
	case manifest.KindManifest:
		return as[manifest.Header](l)
	case manifest.KindInstallation:
		return as[manifest.Installation](l)
	case manifest.KindMigrator:
		return as[manifest.Migrator](l)
	case manifest.KindPlan:
		return as[manifest.Plan](l)
	case manifest.KindUser:
		return as[manifest.User](l)
	case manifest.KindReview:
		return as[manifest.Review](l)
	case manifest.KindAddress:
		return as[manifest.Address](l)
	case manifest.KindRemoval:
		return as[manifest.Removal](l)
	case manifest.KindTable:
		return as[manifest.Table](l)
	case manifest.KindChunk:
		return as[manifest.Chunk](l)
	case manifest.KindReceipt:
		return as[manifest.Receipt](l)
	}
	return nil, nil
}

func as[R manifest.Record](l manifest.Line) (manifest.Record, error) {
	var r R
	err := l.Decode(&r)
	return r, err
}
