package archive

import (
	"io/fs"
	"os"
)

// nonblock has no meaning on Windows, where folders hold no pipes.
const nonblock = 0

// folder lists entries with size and time, which Windows gives with the name.
type folder struct{ *os.File }

func (r *Root) openListing(rel string) (listing, error) {
	f, err := r.dir.Open(rel)
	if err != nil {
		return nil, err
	}
	return folder{f}, nil
}

func (f folder) next(n int) ([]item, error) {
	entries, err := f.ReadDir(n)
	items := make([]item, len(entries))
	for i, e := range entries {
		items[i] = item{name: e.Name(), kind: kindOf(e.Type())}
		info, ierr := e.Info()
		if ierr != nil {
			items[i].err = ierr
			continue
		}
		items[i].mtime = info.ModTime()
		if items[i].kind == File {
			items[i].size = info.Size()
		}
	}
	return items, err
}

func kindOf(m fs.FileMode) Kind {
	switch {
	case m.IsRegular():
		return File
	case m.IsDir():
		return Dir
	case m&fs.ModeSymlink != 0:
		return Link
	}
	return Special
}
