package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/openomt/omt/internal/cli"
	"github.com/openomt/omt/internal/destination/web"
	"github.com/openomt/omt/internal/install"
	"github.com/openomt/omt/internal/login"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/source"
)

// netserver holds the flags of how the login is verified.
type netserver struct{ url, password string }

func (n *netserver) flags() []*cli.Flag {
	return []*cli.Flag{
		cli.String("netserver", "check login and password with NetServer at `URL`, the address in front of "+login.Path, &n.url),
		cli.Secret("netserver-password", "take the password for NetServer from `@FILE` instead of asking for it", &n.password),
	}
}

func (n *netserver) validate() error {
	if n.url == "" {
		return nil
	}
	if _, err := login.ParseURL(n.url); err != nil {
		return manifest.Errorf(manifest.Usage, "--netserver: %w", err).WithHint("%s", manifest.HintOf(err))
	}
	return nil
}

// verifier makes what proves the login; ca is what --ca says. A URL of the configuration counts where the command line has none.
func (n *netserver) verifier(j *cli.Job, c install.Config, ca string, r source.Reader) (func(context.Context, string, source.Account) (login.Proof, error), error) {
	env := j.Env()
	env.Hide(n.password)
	v := login.Verifier{SID: login.AccountSID, Reader: r, Now: env.Now, Say: j.Say, Password: func(ctx context.Context, user string) (string, error) {
		return n.ask(ctx, j, user)
	}}
	raw := cmp.Or(n.url, c.NetServer)
	if raw == "" {
		return v.Verify, nil
	}
	u, err := login.ParseURL(raw)
	if err != nil {
		return nil, manifest.Errorf(manifest.Usage, "the address of NetServer in the configuration: %w", err).WithHint("%s", manifest.HintOf(err))
	}
	for _, s := range web.ProxySecrets(env.Getenv) {
		env.Hide(s)
	}
	client, err := web.Client(web.Options{Getenv: env.Getenv, Now: env.Now, CA: ca})
	if err != nil {
		return nil, manifest.Errorf(manifest.Usage, "asking NetServer: %w", err)
	}
	v.NetServer = &login.NetServer{URL: u, Client: client, Network: web.Network}
	return v.Verify, nil
}

// ask finds the password, which is hidden from everything that the run prints from now on.
func (n *netserver) ask(ctx context.Context, j *cli.Job, user string) (string, error) {
	if n.password != "" {
		return n.password, nil
	}
	const instead = "the password in a file with --netserver-password @FILE, or in the variable OMT_SCAN_NETSERVER_PASSWORD"
	console, err := j.Console(instead)
	if err != nil {
		return "", err
	}
	defer console.Close() //nolint:errcheck // nothing is lost with a terminal
	password, err := console.AskHidden(ctx, fmt.Sprintf("password of %s for NetServer: ", user))
	switch {
	case errors.Is(err, io.EOF) || err == nil && password == "":
		return "", manifest.Errorf(manifest.Usage, "the password of %s was asked for and not given", user).WithHint("give %s", instead)
	case err != nil:
		return "", fmt.Errorf("asking for the password: %w", err)
	}
	j.Env().Hide(password)
	return password, nil
}
