package inventory

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/openomt/omt/internal/archive"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/source"
)

func TestNumber(t *testing.T) {
	tests := map[string]int64{
		"1": 1, "123": 123, "000123": 123, "123.dat": 123, "00123.tmp": 123, "123_4.pdf": 123, "2019-report.pdf": 2019, "12 34": 12,
		"att123": 123, "att-000123.bin": 123, "att123.mp3": 123, "att.123": 123, "attachment.000123": 123, "9223372036854775807": 9223372036854775807,
		"": 0, "a": 0, "0": 0, "000": 0, "a0": 0, "song.mp3": 0, "a1b2.dat": 0, "9223372036854775808": 0, "x9223372036854775808": 0, "a.b": 0, ".": 0,
		"x.": 0, "-5": 5, "１２": 0, "a.1.2": 1, "0x12": 12,
	}
	delete(tests, "0x12") // a zero at the front is no id, and then there are two numbers
	for name, want := range tests {
		if got, ok := number(name); got != want || ok != (want > 0) {
			t.Errorf("number(%q) = %d, %t, want %d", name, got, ok, want)
		}
	}
}

func FuzzNumber(f *testing.F) {
	for _, s := range []string{"", "123.dat", "att-000123.bin", "a1b2", "9223372036854775808", "x.9"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n, ok := number(s)
		if ok != (n > 0) {
			t.Fatalf("number(%q) = %d, %t", s, n, ok)
		}
		if ok && !strings.Contains(s, strconv.FormatInt(n, 10)) {
			t.Fatalf("number(%q) = %d, which is not in the name", s, n)
		}
		if id := leading(s); ok && id != "" && strings.Trim(id, "0") != "" && strings.TrimLeft(id, "0") != strconv.FormatInt(n, 10) {
			t.Fatalf("number(%q) = %d, want the number at the front", s, n)
		}
	})
}

func TestAttachments(t *testing.T) {
	w := newWorld(t)
	w.root(manifest.Attachment, "att")
	w.files("att/1", "att/0000002.dat", "att/00/3.pdf", "att/00/att4.x", "att/5", "att/00/5", "att/99/5.z", "att/7.tmp", "att/8.tmp", "att/readme.txt",
		"att/77.dat", "att/Thumbs.db", "att/00/10.br\xf8d")
	w.fake.attached = []source.Attached{
		{ID: 1, Name: "one.txt", Size: -1}, {ID: 2, Name: "two", Size: 15}, {ID: 3, Size: 999}, {ID: 4, Size: -1},
		{ID: 5, Size: 8}, // "att/00/5" has eight bytes
		{ID: 6, Name: "six", Size: 3}, {ID: 7, Size: -1}, {ID: 10, Size: -1},
	}
	i := w.want(manifest.Attachment,
		"00/10.br%F8d present id=10 raw",
		"00/3.pdf present id=3",
		"00/5 present id=5",
		"00/att4.x present id=4",
		"0000002.dat present id=2",
		"1 present id=1",
		"5 no-row reason=same-number",
		"7.tmp present id=7",
		"77.dat no-row",
		"99/5.z no-row reason=same-number",
		"readme.txt no-row",
		"- missing id=6",
	)
	w.wantFindings(i)
	files, err := w.list(New(w.o), manifest.Attachment)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if f.ID == 2 && (f.Title != "two" || f.Size != int64(len("att/0000002.dat"))) || f.ID == 6 && (f.Title != "six" || f.Size != 0) {
			t.Errorf("record %+v has the wrong title or size", f)
		}
	}
}

func TestAttachmentSizeDecides(t *testing.T) {
	for size, want := range map[int64]string{7: "a/5 present id=5", 8: "bb/5 present id=5", 9: "ccc/5 present id=5", 100: "a/5 present id=5", -1: "a/5 present id=5"} {
		w := newWorld(t)
		w.root(manifest.Attachment, "att")
		w.files("att/a/5", "att/bb/5", "att/ccc/5", "att/ddd/5") // of 7, 8, 9 and 9 bytes
		w.fake.attached = []source.Attached{{ID: 5, Size: size}}
		files, err := w.list(New(w.o), manifest.Attachment)
		if err != nil || len(files) != 4 {
			t.Fatalf("got %d records and %v", len(files), err)
		}
		for _, f := range files {
			if got := line(f); f.ID != 0 && got != want {
				t.Errorf("size %d: %q, want %q", size, got, want)
			} else if f.ID == 0 && f.Reason != "same-number" {
				t.Errorf("size %d: %q, want the reason same-number", size, got)
			}
		}
	}
}

func TestAttachmentLocations(t *testing.T) {
	w := newWorld(t)
	w.root(manifest.Attachment, "one", "two", "two/three", "one")
	w.fake.locations = []source.Location{{ID: 30, Path: "c"}, {ID: 20, Path: "b"}, {ID: 10, Path: "a"}, {ID: 40, Path: "a"}}
	w.files("one/1", "one/2", "two/2", "two/three/3", "one/4", "two/5", "one/6", "two/three/sub/x7", "one/8", "two/8")
	w.fake.attached = []source.Attached{
		{ID: 1, Location: 10, Size: -1}, {ID: 2, Location: 20, Size: -1}, {ID: 3, Location: 30, Size: -1}, {ID: 4, Location: 20, Size: -1},
		{ID: 5, Location: 0, Size: -1}, {ID: 6, Location: 40, Size: -1}, {ID: 7, Location: 99, Size: -1}, {ID: 8, Location: 10, Size: -1},
	}
	w.want(manifest.Attachment,
		"1 present id=1",
		"10/2 no-row reason=other-location disk=2",
		"10/8 present id=8 disk=8",
		"20/2 present id=2 disk=2 root=1",
		"20/8 no-row reason=other-location disk=8 root=1",
		"3 present id=3 root=2",
		"4 no-row reason=other-location",
		"5 present id=5 root=1",
		"6 present id=6",
		"sub/x7 present id=7 root=2",
		"- missing id=4 root=1 candidates=4",
	)
	// Folders that are not one for each location hold any of them.
	w.o.Installation.Roots["attachment"] = w.o.Installation.Roots["attachment"][:2]
	w.want(manifest.Attachment,
		"1 present id=1",
		"1/2 present id=2 disk=2",
		"1/8 present id=8 disk=8",
		"2/2 no-row reason=same-number disk=2 root=1",
		"2/8 no-row reason=same-number disk=8 root=1",
		"4 present id=4",
		"5 present id=5 root=1",
		"6 present id=6",
		"three/3 present id=3 root=1",
		"three/sub/x7 present id=7 root=1",
	)
}

func TestAttachmentNamesNotRecognised(t *testing.T) {
	w := newWorld(t)
	w.root(manifest.Attachment, "att", "more")
	w.fake.locations = []source.Location{{ID: 1}, {ID: 2}}
	w.files("att/1.dat", "att/aaa", "att/bbb", "att/~$x", "att/ccc", "more/x.tmp", "more/aaa", "more/locked")
	w.fake.attached = []source.Attached{
		{ID: 1, Name: "one", Location: 1, Size: -1}, {ID: 2, Name: "two", Location: 1, Size: -1}, {ID: 3, Name: "three", Location: 2, Size: -1},
		{ID: 4, Name: "four", Location: 1, Size: -1},
	}
	i := New(w.o)
	i.faults(map[string]string{"locked": archive.Locked})
	w.wantFrom(i, manifest.Attachment,
		"1.dat present",
		"1/aaa present disk=aaa",
		"2/aaa present disk=aaa root=1",
		"bbb present",
		"ccc present",
		"locked unreadable reason=locked root=1",
		"- missing id=1 reason=naming",
		"- missing id=2 reason=naming",
		"- unreadable id=3 reason=locked root=1",
		"- missing id=4 reason=naming",
	)
	w.wantFindings(i,
		"attachment-names warning []: naming not recognised: 1 of 3 attachments found a file by the number in its name, 5 files did not; "+
			"all files move, without their rows",
		`file-unreadable error [file:attachment:locked]: file "locked" cannot be read: another program holds it`,
		`file-unreadable error [file:attachment:3]: file "three" cannot be read: another program holds it`,
	)
}

// Half of the rows found is enough, and so is nothing found where no other file is there.
func TestAttachmentNamesRecognised(t *testing.T) {
	w := newWorld(t)
	w.root(manifest.Attachment, "att")
	w.files("att/1", "att/x")
	w.fake.attached = []source.Attached{{ID: 1, Size: -1}, {ID: 2, Size: -1}}
	w.wantFindings(w.want(manifest.Attachment, "1 present id=1", "x no-row", "- missing id=2"))
	if err := os.Remove(filepath.Join(w.dir, "att/x")); err != nil {
		t.Fatal(err)
	}
	w.fake.attached = append(w.fake.attached, source.Attached{ID: 3, Size: -1}, source.Attached{ID: 4, Size: -1})
	w.wantFindings(w.want(manifest.Attachment, "1 present id=1", "- missing id=2", "- missing id=3", "- missing id=4"))
	w.fake.attached = nil
	w.wantFindings(w.want(manifest.Attachment, "1 no-row"))
}

func TestAttachmentsUnreadable(t *testing.T) {
	w := newWorld(t)
	w.root(manifest.Attachment, "one", "two")
	w.fake.locations = []source.Location{{ID: 1}, {ID: 2}}
	w.files("one/1", "one/sub/2", "two/3", "two/4", "one/5")
	w.fake.attached = []source.Attached{
		{ID: 1, Location: 1, Size: -1}, {ID: 2, Location: 1, Size: -1}, {ID: 3, Location: 2, Size: -1}, {ID: 6, Location: 2, Size: -1},
		{ID: 7, Name: "seven", Location: 0, Size: -1},
	}
	i := New(w.o)
	i.faults(map[string]string{"sub": archive.Denied, "4": archive.Vanished})
	w.wantFrom(i, manifest.Attachment,
		"1 present id=1",
		"3 present id=3 root=1",
		"5 no-row",
		"- unreadable id=2 reason=denied",
		"- missing id=6 root=1",
		"- unreadable id=7 reason=denied",
	)
}

func TestEmptyAttachmentFolders(t *testing.T) {
	w := newWorld(t)
	w.root(manifest.Attachment, "old", "new")
	w.fake.locations = []source.Location{{ID: 1}, {ID: 2}}
	w.want(manifest.Attachment) // no rows, no files
	w.files("old/1")
	w.fake.attached = []source.Attached{{ID: 1, Location: 1, Size: -1}}
	w.want(manifest.Attachment, "1 present id=1")
	w.fake.attached = append(w.fake.attached, source.Attached{ID: 2, Location: 0, Size: -1})
	w.want(manifest.Attachment, "1 present id=1", "- missing id=2")
	w.fake.attached = append(w.fake.attached, source.Attached{ID: 3, Location: 2, Size: -1})
	if _, err := w.list(New(w.o), manifest.Attachment); !errors.Is(err, archive.ErrEmptyRoot) || manifest.StatusOf(err) != manifest.Failed {
		t.Errorf("rows point to an empty folder: got %v", err)
	}
	if err := os.Remove(filepath.Join(w.dir, "old/1")); err != nil {
		t.Fatal(err)
	}
	w.fake.attached = w.fake.attached[1:2]
	if _, err := w.list(New(w.o), manifest.Attachment); !errors.Is(err, archive.ErrEmptyRoot) {
		t.Errorf("all folders are empty and there is a row: got %v", err)
	}
}

func TestAttachmentErrors(t *testing.T) {
	w := newWorld(t)
	w.root(manifest.Attachment, "att")
	w.files("att/1")
	w.fake.fail = errors.New("boom")
	if _, err := w.list(New(w.o), manifest.Attachment); !errors.Is(err, w.fake.fail) {
		t.Errorf("an error of the database: got %v", err)
	}
}

// A flat location and one with sub-folders: the file 1 and the folder 1 cannot both stay as they are called, nor can the
// file 2 beside a folder that is called after location 2.
func TestFileCalledLikeAFolder(t *testing.T) {
	w := newWorld(t)
	w.root(manifest.Attachment, "flat", "deep")
	w.files("flat/1", "flat/2", "deep/1/10001", "deep/0/9999")
	w.fake.locations = []source.Location{{ID: 1}, {ID: 2}}
	w.fake.attached = []source.Attached{
		{ID: 1, Size: -1, Location: 1}, {ID: 2, Size: -1, Location: 1}, {ID: 9999, Size: -1, Location: 2}, {ID: 10001, Size: -1, Location: 2},
	}
	w.want(manifest.Attachment,
		"1/1 present id=1 disk=1",
		"1/2 present id=2 disk=2",
		"2/0/9999 present id=9999 disk=0/9999 root=1",
		"2/1/10001 present id=10001 disk=1/10001 root=1",
	)
}
