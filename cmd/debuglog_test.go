package cmd

import (
	"slices"
	"testing"
)

func TestTheLogHasNoSecretsOfTheCommandLine(t *testing.T) {
	for _, args := range [][2][]string{
		{{"config", "set", "//h.example/:_authToken=s3cret"}, {"config", "set", "//h.example/:_authToken=***"}},
		{{"config", "set", "//h.example/:_password", "s3cret", "color=false"}, {"config", "set", "//h.example/:_password", "***", "color=false"}},
		{{"set", "_auth=s3cret"}, {"set", "_auth=***"}},
		{{"i", "--//h.example/:_authToken=s3cret", "a@1"}, {"i", "--//h.example/:_authToken=***", "a@1"}},
		{{"token", "revoke", "--otp=1", "s3cret"}, {"token", "revoke", "--otp=***", "***"}},
		{{"publish", "--otp", "123456"}, {"publish", "--otp", "***"}},
	} {
		a := &App{Command: args[0][0], Env: Env{Argv: append([]string{"ibid"}, args[0]...)}}
		if got := a.safeArgs(); !slices.Equal(got, args[1]) {
			t.Errorf("%q", got)
		}
	}
}
