//go:build !linux

package e2e

// watcher looks at processes where a system shows them as files.
type watcher struct{}

func watchProcesses() *watcher { return &watcher{} }

func (w *watcher) end(int) error { return nil }
