package pack

import (
	"context"
	"fmt"
	"slices"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/tenant"
)

// meet asks the tenant, before anything is read of the source, whose it is and what mode a migration will have.
func (r *run) meet(ctx context.Context) error {
	if r.o.To == nil {
		return nil
	}
	d, err := r.o.To(ctx)
	if err != nil {
		return err
	}
	r.closers = append(r.closers, func() { d.Close() }) //nolint:errcheck // it was only read
	r.tenant = tenant.Open(d)
	inst := r.in.installation
	r.mode, err = r.tenant.Foresee(ctx, inst.Owner, inst.Serial, r.in.header.ID)
	return err
}

// learn reads what is at the destination already, from the manifests of former pushes.
func (r *run) learn(ctx context.Context) error {
	manifests := slices.Clone(r.o.Known)
	if r.tenant != nil {
		commits, err := r.tenant.Known(ctx, r.in.header.ID)
		if err != nil {
			return err
		}
		for _, c := range commits {
			manifests = append(manifests, r.committed(c))
		}
	}
	if len(manifests) == 0 {
		return nil
	}
	k, err := newKnown(r.o.Temp, r.in.installation)
	if err != nil {
		return err
	}
	r.closers = append(r.closers, k.close)
	for _, m := range manifests {
		if err := k.read(ctx, m); err != nil {
			return err
		}
	}
	if r.tenant != nil {
		if err := k.seen(ctx, r.tenant.Chunks); err != nil {
			return err
		}
	}
	k.order()
	r.known = k
	r.o.Log.Info("known content", "manifests", len(manifests), "chunks", len(k.chunks), "parts", len(k.parts))
	return nil
}

// committed is a manifest at the destination.
func (r *run) committed(c tenant.Commit) Known {
	return Known{
		Name: fmt.Sprintf("revision %d of the %s migration %s at %s", c.Revision, c.Phase, c.ID, r.tenant.URL()),
		Each: func(ctx context.Context, fn func(manifest.Line) error) error {
			_, err := r.tenant.EachLine(ctx, c, fn)
			return err
		},
	}
}

// header is the input's first record with this run's phase and, when the tenant was asked, mode.
func (r *run) header() manifest.Header {
	h := r.in.header
	if r.preseed() {
		h.Phase, h.Before = preseed, manifest.At(r.cutoff())
	} else if h.Mode == "" {
		h.Mode = r.mode
	}
	return h
}

// end lets go of all that the run has opened.
func (r *run) end() {
	if r.planned != nil {
		r.planned.close()
	}
	for _, c := range r.closers {
		c()
	}
}

// is reports whether a chunk is at the destination already.
func (k *known) is(d manifest.Digest) bool {
	if k == nil {
		return false
	}
	c := k.places[d]
	return c != nil && c.receipt
}
