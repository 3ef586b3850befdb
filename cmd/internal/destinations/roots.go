package destinations

import (
	"crypto/x509"

	"github.com/openomt/omt/internal/destination/web"
)

// Roots are the authorities that are trusted, those of --ca among them, for what else a command connects to.
func (f *Flag) Roots() (*x509.CertPool, error) { return web.Roots(f.ca) }
