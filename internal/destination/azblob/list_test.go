package azblob

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"testing"

	"github.com/openomt/omt/internal/destination"
)

// A container of 100,000 blobs is listed a page at a time, and no page is kept.
func TestListMany(t *testing.T) {
	const blobs, page = 100_000, 5000
	pages := 0
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		pages++
		from, _ := strconv.Atoi(req.URL.Query().Get("marker"))
		w.Header().Set("Content-Type", "application/xml")
		fmt.Fprint(w, `<?xml version="1.0" encoding="utf-8"?><EnumerationResults><Blobs>`)
		for i := from; i < from+page; i++ {
			fmt.Fprintf(w, `<Blob><Name>chunks/ab/%064d.tar.zst</Name><Properties><Content-Length>%d</Content-Length></Properties></Blob>`, i, i)
		}
		next := ""
		if from+page < blobs {
			next = strconv.Itoa(from + page)
		}
		fmt.Fprintf(w, `</Blobs><NextMarker>%s</NextMarker></EnumerationResults>`, next)
	}))
	defer s.Close()
	d := open(t, s.URL+"/omttest/tenant?sig=x", Options{})
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before, most, seen, sum := heap(), uint64(0), 0, int64(0)
	err := d.List(t.Context(), "", func(i destination.Info) error {
		if seen++; seen%20_000 == 0 {
			most = max(most, heap())
		}
		sum += i.Size
		return nil
	})
	if err != nil || seen != blobs || sum != blobs*(blobs-1)/2 || pages != blobs/page {
		t.Fatalf("%d blobs of %d bytes in %d pages, error %v", seen, sum, pages, err)
	}
	if grown := int64(most) - int64(before); grown > 24<<20 {
		t.Errorf("listing holds %d bytes", grown)
	}
}
