package mssql

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/openomt/omt/internal/manifest"
)

// Fingerprint names the database by what the server says of itself and of it; see the package comment.
func (d *Driver) Fingerprint(ctx context.Context) (string, error) {
	prints, err := each(ctx, d, `SELECT CAST(SERVERPROPERTY('MachineName') AS nvarchar(128)), CAST(SERVERPROPERTY('InstanceName') AS nvarchar(128)),
			CAST(@@SERVERNAME AS nvarchar(128)), d.name, d.create_date, CAST(d.service_broker_guid AS nvarchar(36))
		FROM sys.databases d WHERE d.name = DB_NAME()`,
		func(r *sql.Rows) (string, error) {
			var machine, instance, server, name, broker sql.NullString
			var created sql.NullTime
			err := r.Scan(&machine, &instance, &server, &name, &created, &broker)
			return fmt.Sprintf("mssql %q %q %q %q %q %q", machine.String, instance.String, server.String, name.String,
				created.Time.UTC().Format(time.RFC3339Nano), broker.String), err
		})
	if err != nil {
		return "", err
	}
	if len(prints) != 1 {
		return "", manifest.Errorf(manifest.Failed, "database %q does not show itself in sys.databases", d.name)
	}
	sum := sha256.Sum256([]byte(prints[0]))
	return hex.EncodeToString(sum[:]), nil
}

// Fingerprint is that of the database.
func (l *Loader) Fingerprint(ctx context.Context) (string, error) { return l.d.Fingerprint(ctx) }
