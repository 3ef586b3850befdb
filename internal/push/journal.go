package push

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"

	"github.com/openomt/omt/internal/durable"
	"github.com/openomt/omt/internal/manifest"
)

const (
	sumKey   = `,"sum":"`
	sumBytes = 8
	sumTail  = "\"}"
	maxEntry = 64 << 10 // bytes of a line; a URL is the only part whose length is not fixed
)

// entry is a line of the journal; see the package comment.
type entry struct {
	Chunk manifest.Digest `json:"chunk"`
	Bytes int64           `json:"bytes"`
	Sent  bool            `json:"sent"`
	At    manifest.Time   `json:"at"`
	Push  manifest.Time   `json:"push,omitzero"` // when the push began that took it
	To    string          `json:"to"`
}

func (e entry) append(dst []byte) ([]byte, error) {
	data, err := json.Marshal(e)
	if err != nil {
		return dst, err
	}
	data = data[:len(data)-1]
	sum := sha256.Sum256(data)
	dst = append(append(dst, data...), sumKey...)
	dst = hex.AppendEncode(dst, sum[:sumBytes])
	return append(append(dst, sumTail...), '\n'), nil
}

// parseEntry reads a line without its line end; ok is false when it is damaged.
func parseEntry(line []byte) (e entry, ok bool) {
	n := len(line) - len(sumKey) - 2*sumBytes - len(sumTail)
	if n < 1 {
		return e, false
	}
	body, tail := line[:n], line[n:]
	sum := sha256.Sum256(body)
	want := append(hex.AppendEncode([]byte(sumKey), sum[:sumBytes]), sumTail...)
	if !bytes.Equal(tail, want) {
		return e, false
	}
	err := json.Unmarshal(append(bytes.Clone(body), '}'), &e)
	return e, err == nil && !e.Chunk.IsZero()
}

// journal is SPOOL/receipts.jsonl, opened for one destination.
type journal struct {
	to    string
	known map[manifest.Digest]manifest.Receipt // read when it was opened
	doubt bool                                 // lines were lost: what is not known may still be there
	begun manifest.Time                        // when this push began

	mu sync.Mutex
	f  *os.File
}

// openJournal reads the journal and makes it fit to be appended to.
func openJournal(name, to string, logger *slog.Logger) (*journal, error) {
	j := &journal{to: to, known: map[manifest.Digest]manifest.Receipt{}}
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err == nil {
		err = durable.SyncDir(filepath.Dir(name))
	}
	if err != nil {
		return nil, fmt.Errorf("opening the receipts journal: %w", err)
	}
	j.f = f
	end, damaged, err := j.read()
	if err == nil && damaged > 0 {
		logger.Warn("lines of the receipts journal are damaged and left out; the destination is listed instead", "lines", damaged, "journal", name)
		j.doubt = true
		err = j.rewrite(name)
	} else if err == nil {
		if err = f.Truncate(end); err == nil {
			_, err = f.Seek(end, io.SeekStart)
		}
	}
	if err != nil {
		j.f.Close()
		return nil, fmt.Errorf("reading the receipts journal %q: %w", name, err)
	}
	return j, nil
}

// read takes what is known of the destination, and returns where the last whole line ends.
func (j *journal) read() (end int64, damaged int, err error) {
	if _, err := j.f.Seek(0, io.SeekStart); err != nil {
		return 0, 0, err
	}
	in := bufio.NewReaderSize(j.f, maxEntry)
	for {
		line, whole, n, err := readLine(in)
		if err != nil || !whole {
			return end, damaged, err
		}
		end += n
		e, ok := parseEntry(line)
		switch {
		case !ok:
			damaged++
		case e.To == j.to:
			j.known[e.Chunk] = manifest.Receipt{Chunk: e.Chunk, Bytes: e.Bytes, Sent: e.Sent, At: e.At}
		}
	}
}

// readLine reads a line without its end. whole is false at the end of the file, torn line or not. A line longer than
// the buffer is no line of ours: line is then empty.
func readLine(in *bufio.Reader) (line []byte, whole bool, n int64, err error) {
	line, err = in.ReadSlice('\n')
	n = int64(len(line))
	long := false
	for errors.Is(err, bufio.ErrBufferFull) {
		long = true
		line, err = in.ReadSlice('\n')
		n += int64(len(line))
	}
	if errors.Is(err, io.EOF) {
		return nil, false, n, nil
	}
	if err != nil {
		return nil, false, n, err
	}
	if long {
		return nil, true, n, nil
	}
	return line[:len(line)-1], true, n, nil
}

// rewrite leaves the damaged lines out, those of other destinations in.
func (j *journal) rewrite(name string) error {
	fresh, err := os.OpenFile(name+".new", os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	err = copyGood(fresh, j.f)
	if serr := durable.Sync(fresh); err == nil {
		err = serr
	}
	j.f.Close()
	if err == nil {
		err = durable.Publish(name+".new", name)
	}
	if err != nil {
		return err
	}
	j.f, err = os.OpenFile(name, os.O_RDWR|os.O_APPEND, 0o600)
	return err
}

func copyGood(dst io.Writer, src io.ReadSeeker) error {
	if _, err := src.Seek(0, io.SeekStart); err != nil {
		return err
	}
	in, out := bufio.NewReaderSize(src, maxEntry), bufio.NewWriter(dst)
	for {
		line, whole, _, err := readLine(in)
		if err != nil {
			return err
		}
		if !whole {
			return out.Flush()
		}
		if _, ok := parseEntry(line); ok {
			if _, err := out.Write(append(line, '\n')); err != nil {
				return err
			}
		}
	}
}

// add makes a receipt durable.
func (j *journal) add(r manifest.Receipt) error { return j.append(r, true) }

// note keeps a receipt that a listing has told. It is not synced: where it is lost, the next listing tells it again, and to
// wait for the disk for each of 100,000 would take minutes.
func (j *journal) note(r manifest.Receipt) error { return j.append(r, false) }

func (j *journal) append(r manifest.Receipt, sync bool) error {
	line, err := entry{Chunk: r.Chunk, Bytes: r.Bytes, Sent: r.Sent, At: r.At, Push: j.begun, To: j.to}.append(nil)
	if err == nil {
		j.mu.Lock()
		defer j.mu.Unlock()
		if _, err = j.f.Write(line); err == nil && sync {
			err = j.f.Sync()
		}
	}
	if err != nil {
		return fmt.Errorf("writing to the receipts journal: %w", err)
	}
	return nil
}

func (j *journal) close() { j.f.Close() }
