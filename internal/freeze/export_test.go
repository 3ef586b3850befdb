package freeze

// For the tests that use a driver, which imports this package.

// Message is what the row says.
const Message = message

// WithReplace has files replaced by f.
func (o Options) WithReplace(f func(tmp, path string) error) Options {
	o.replace = f
	return o
}

// WithPoints has f told what has just been done.
func (o Options) WithPoints(f func(point string)) Options {
	o.at = f
	return o
}
