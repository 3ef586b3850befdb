// Package wire is what the host of the rules and the SDK must agree on beside the contract in plugins/sdk/proto: how a plugin is
// greeted, and how records of a manifest become messages. It knows neither the host nor the SDK.
package wire

import "github.com/hashicorp/go-plugin"

// Version is the number of the protocol that go-plugin negotiates. It is raised only on a break.
const Version = 1

// Service is the name under which a plugin serves the rules.
const Service = "rules"

// Handshake is what go-plugin asks of a plugin before anything else. It is no secret: it keeps a plugin that is started by
// hand from waiting for a host.
func Handshake() plugin.HandshakeConfig {
	return plugin.HandshakeConfig{
		ProtocolVersion:  Version,
		MagicCookieKey:   "OMT_RULES_PLUGIN",
		MagicCookieValue: "0197f0c2-8a44-7b0e-a5d1-52a1c0b9e3f6",
	}
}
