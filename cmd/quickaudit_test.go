package cmd

import (
	"testing"
	"time"
)

func TestAnInstallWaitsForTheAuditInProportion(t *testing.T) {
	for _, x := range []struct {
		name       string
		took, want time.Duration
		json       bool
	}{
		{"a quick one hardly", 300 * time.Millisecond, 250 * time.Millisecond, false},
		{"a longer one a fifth", 6 * time.Second, 1200 * time.Millisecond, false},
		{"none for long", time.Minute, 2 * time.Second, false},
		{"a program that reads JSON has time", time.Second, 3 * time.Second, true},
	} {
		t.Run(x.name, func(t *testing.T) {
			if got := patience(x.took, x.json); got != x.want {
				t.Errorf("waits %v, want %v", got, x.want)
			}
		})
	}
}
