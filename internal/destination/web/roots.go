package web

import "crypto/x509"

// Roots is the system's pool of authorities with the certificates of a file (PEM); nil, which is the system's alone,
// where no file is named.
func Roots(file string) (*x509.CertPool, error) { return roots(file) }
