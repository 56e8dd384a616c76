package cmd

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/ibid-pm/ibid/internal/config"
	"github.com/ibid-pm/ibid/internal/jsjson"
	"github.com/ibid-pm/ibid/internal/term"
	"github.com/ibid-pm/ibid/registry"
)

func newPingCmd(a *App) *cobra.Command {
	return declare(&cobra.Command{Use: "ping", Short: "Ask the registry for a sign of life"}, []string{"registry"},
		func(c *cobra.Command, _ []string) error { return runPing(c.Context(), a) })
}

// runPing follows npm's lib/commands/ping.js.
func runPing(ctx context.Context, a *App) error {
	address := config.Redact(a.Config.Registry(""))
	a.logPrefixed(levelNotice, "PING", address)
	start := time.Now()
	details, err := a.ping(ctx)
	if err != nil {
		return err
	}
	took := time.Since(start).Milliseconds()
	a.logPrefixed(levelNotice, "PONG", fmt.Sprintf("%dms", took))
	switch {
	case a.json():
		a.printJSON(jsjson.NewObject(
			jsjson.Member{Key: "registry", Value: jsjson.NewString(address)},
			jsjson.Member{Key: "time", Value: jsjson.NewNumber(float64(took))},
			jsjson.Member{Key: "details", Value: details}))
	case details.Len() > 0:
		a.logPrefixed(levelNotice, "PONG", term.Safe(string(jsjson.Append(nil, details, "  ", "\n"))))
	}
	return nil
}

// ping gives what the registry says of itself.
func (a *App) ping(ctx context.Context) (jsjson.Value, error) {
	client, err := a.client()
	if err != nil {
		return jsjson.Value{}, err
	}
	res, err := client.Do(ctx, registry.Request{URL: "/-/ping", Registry: a.Config.Registry("")})
	if err != nil {
		return jsjson.Value{}, err
	}
	details, err := jsjson.Parse(res.Body)
	if err != nil {
		details = jsjson.NewObject()
	}
	return details, nil
}
