package destination

import "fmt"

// Checker is a destination that can say beforehand what it would refuse.
type Checker interface {
	// Check refuses an object that cannot be stored because of its name or its size. It asks nobody.
	Check(name string, size int64) error
}

// Check asks a destination that is a Checker, and d below a wrapper of this package, about an object.
func Check(d Destination, name string, size int64) error {
	if w, ok := d.(interface{ inner() Destination }); ok {
		return Check(w.inner(), name, size)
	}
	if c, ok := d.(Checker); ok {
		if err := c.Check(name, size); err != nil {
			return fmt.Errorf("%s cannot hold what is to be sent: %w", d.URL(), err)
		}
	}
	return nil
}
