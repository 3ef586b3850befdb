//go:build !windows

package mssql

// authenticator=krb5: a login by the domain's ticket from a machine that is no Windows, without a password anywhere. The
// driver has it in a package of its own, since it costs 2 MB; on Windows SSPI does the same.
import _ "github.com/microsoft/go-mssqldb/integratedauth/krb5"
