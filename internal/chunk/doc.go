// Package chunk holds the formats of what is stored at a destination: file chunks and table parts, as readers and
// writers alone.
package chunk
