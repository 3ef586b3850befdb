//go:build unix

package archive

import (
	"io/fs"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// nonblock keeps an open from waiting for the other end of a pipe.
const nonblock = syscall.O_NONBLOCK

// folder lists names and looks at each below the open folder. ReadDir would do both, but it drops a name that is gone by
// then and ends at the first that cannot be looked at, without saying which.
type folder struct{ *os.File }

func (r *Root) openListing(rel string) (listing, error) {
	f, err := r.dir.OpenFile(rel, os.O_RDONLY|syscall.O_DIRECTORY|nonblock, 0)
	if err != nil {
		return nil, err
	}
	return folder{f}, nil
}

func (f folder) next(n int) ([]item, error) {
	names, err := f.Readdirnames(n)
	items := make([]item, len(names))
	fd := int(f.Fd())
	for i, name := range names {
		items[i] = look(fd, name)
	}
	return items, err
}

func look(dir int, name string) item {
	var st unix.Stat_t
	for {
		err := unix.Fstatat(dir, name, &st, unix.AT_SYMLINK_NOFOLLOW)
		if err == nil {
			break
		}
		if err != unix.EINTR {
			return item{name: name, err: &fs.PathError{Op: "fstatat", Path: name, Err: err}}
		}
	}
	it := item{name: name, mtime: time.Unix(st.Mtim.Unix())}
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFREG:
		it.kind, it.size = File, st.Size
	case unix.S_IFDIR:
		it.kind = Dir
	case unix.S_IFLNK:
		it.kind = Link
	default:
		it.kind = Special
	}
	return it
}
