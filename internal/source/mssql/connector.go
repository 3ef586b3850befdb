package mssql

import (
	"context"
	"database/sql/driver"
	"errors"
	"net"
	"time"

	mssqldb "github.com/microsoft/go-mssqldb"
)

// loginWaits is how long a server may take from the first packet to the end of the login.
const loginWaits = 30 * time.Second

// connector makes connections and knows, when one fails, how far it came: the driver's errors do not always tell.
type connector struct {
	driver *mssqldb.Connector
	to     target
	waits  time.Duration
}

var _ driver.Connector = (*connector)(nil)

func newConnector(t target, s settings) (*connector, error) {
	c := &connector{to: t, waits: loginWaits + t.login.waits()}
	var err error
	switch {
	case t.login == nil:
		c.driver = mssqldb.NewConnectorConfig(t.cfg)
	case t.login.method == byDeviceCode && s.prompt == nil:
		return nil, usagef("fedauth=%s: %w", byDeviceCode, errPrompt).WithHint("take another login by Entra ID, such as fedauth=%s", byAzCli)
	default:
		t.login.prompt = s.prompt
		if c.driver, err = t.login.connector(t); err != nil {
			return nil, usagef("fedauth=%s: %w", t.login.method, err)
		}
	}
	c.driver.Dialer = dialer{net.Dialer{KeepAlive: t.cfg.KeepAlive}}
	return c, nil
}

// Driver returns the driver behind.
func (c *connector) Driver() driver.Driver { return c.driver.Driver() }

// Connect makes one connection, and ends an attempt that takes too long: the driver itself waits for ever once the
// server has taken the call. A failure is a *connectError.
func (c *connector) Connect(ctx context.Context) (driver.Conn, error) {
	limit := c.to.cfg.DialTimeout + c.waits
	if c.to.cfg.FailOverPartner != "" {
		limit *= 2
	}
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	a := &attempt{ctx: limited}
	conn, err := c.driver.Connect(context.WithValue(limited, attemptKey{}, a))
	if err == nil && a.tooOld() {
		err = errors.Join(errTooOld, conn.Close())
	}
	if err == nil {
		if err = a.settle(); err != nil {
			err = errors.Join(err, conn.Close())
		}
	}
	if err != nil {
		a.release()
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, &connectError{to: c.to, attempt: a, limit: limit, err: err}
	}
	return conn, nil
}

// connectError is a connection that was not made.
type connectError struct {
	to      target
	attempt *attempt
	limit   time.Duration
	err     error
}

// Error is the driver's text; Driver.explain says it in our words.
func (e *connectError) Error() string { return e.err.Error() }

// Unwrap returns the driver's error.
func (e *connectError) Unwrap() error { return e.err }
