package preflight

import (
	"sync"

	"google.golang.org/grpc/encoding"
	grpcproto "google.golang.org/grpc/encoding/proto"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/encoding/protowire"
)

// The limits of a batch, and how many of them a plugin may be behind.
const (
	batchRecords = 512
	batchBytes   = 1 << 20
	window       = 4
	// maxRecord is what a record may have: libraries of gRPC take messages up to 4 MiB unless they are told otherwise.
	maxRecord = 4<<20 - 1<<10
)

// The numbers of the fields of the contract that a batch is made of.
const (
	fieldBatch   protowire.Number = 2 // CheckRequest.batch
	fieldNumber  protowire.Number = 1 // Batch.number
	fieldRecords protowire.Number = 2 // Batch.records
)

// batch is a CheckRequest with a Batch, put together from records that are encoded already: a record is encoded once for all
// plugins, and a plugin's message is a copy of bytes.
type batch struct {
	buf     *[]byte // room for what stands before the records, then the records
	records int
}

// headroom is what the fields before the records take at most.
const headroom = 32

func (b *batch) add(record []byte) {
	buf := protowire.AppendTag(*b.buf, fieldRecords, protowire.BytesType)
	*b.buf = protowire.AppendBytes(buf, record)
	b.records++
}

func (b *batch) full() bool { return b.records >= batchRecords || len(*b.buf) >= batchBytes }

// holds reports whether a record still has a place in a message.
func (b *batch) holds(n int) bool { return b.records == 0 || len(*b.buf)+n+headroom <= maxRecord }

// message puts what belongs there before the records.
func (b *batch) message(number int64) []byte {
	var head [headroom]byte
	inner := protowire.AppendTag(head[:0], fieldNumber, protowire.VarintType)
	inner = protowire.AppendVarint(inner, uint64(number))
	var outer [headroom]byte
	all := protowire.AppendTag(outer[:0], fieldBatch, protowire.BytesType)
	all = protowire.AppendVarint(all, uint64(len(inner)+len(*b.buf)-headroom))
	all = append(all, inner...)
	from := headroom - len(all)
	copy((*b.buf)[from:headroom], all)
	return (*b.buf)[from:]
}

// encoded is a message that needs no encoding.
type encoded struct {
	data []byte
	back func() // gives data back once it is sent
}

// codec sends encoded messages as they are, and all others as gRPC does.
type codec struct{ encoding.CodecV2 }

func newCodec() codec { return codec{encoding.GetCodecV2(grpcproto.Name)} }

// Marshal implements encoding.CodecV2.
func (c codec) Marshal(v any) (mem.BufferSlice, error) {
	if e, ok := v.(*encoded); ok {
		return mem.BufferSlice{mem.NewBuffer(&e.data, returns{e})}, nil
	}
	return c.CodecV2.Marshal(v)
}

// returns gives an encoded message back when gRPC is through with it.
type returns struct{ e *encoded }

// Get implements mem.BufferPool; nobody asks.
func (returns) Get(n int) *[]byte { b := make([]byte, n); return &b }

// Put implements mem.BufferPool.
func (r returns) Put(*[]byte) { r.e.back() }

// buffers are the buffers of batches that are not in use, of all plugins of a session.
type buffers struct {
	mu   sync.Mutex
	free []*[]byte
}

func (p *buffers) get() *[]byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := len(p.free); n > 0 {
		b := p.free[n-1]
		p.free = p.free[:n-1]
		*b = (*b)[:headroom]
		return b
	}
	b := make([]byte, headroom, 160<<10)
	return &b
}

func (p *buffers) put(b *[]byte) {
	if cap(*b) > 2*batchBytes {
		return // a large record made it; the next one will not need it
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.free = append(p.free, b)
}
