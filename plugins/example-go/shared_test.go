package main

import (
	"slices"
	"testing"

	"github.com/openomt/omt/plugins/sdk"
	"github.com/openomt/omt/plugins/sdk/ruletest"
)

func TestPlugin(t *testing.T) {
	if err := plugin().Validate(); err != nil {
		t.Error(err)
	}
}

func TestSharedAddress(t *testing.T) {
	for username, found := range map[string]bool{
		"":                  false,
		"gks@example.com":   false,
		"info@example.com":  true,
		" Info@Example.com": true,
		"info2@example.com": false,
	} {
		got := ruletest.Run(t, sharedAddress, &sdk.User{ID: 7, Login: "GKS", Name: "Gunn", Username: username})
		if (len(got) == 1) != found || found && !slices.Equal(got[0].Subjects, []string{"user:7"}) {
			t.Errorf("%q: got %v, want a finding: %v", username, got, found)
		}
	}
}
