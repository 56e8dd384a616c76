package resolver

import (
	"context"
	"errors"
	"strings"
	"testing"
)

func TestConflictAnalysis(t *testing.T) {
	r := newToy(t, `
		react@17.0.0
		react@18.0.0
		react@19.0.0
		dom@17.0.0 peer:react@^17
		dom@18.0.0 peer:react@^18
		dom@19.0.0 peer:react@^19
		widgets@2.0.0 peer:react@^18
		widgets@3.0.0 peer:react@^19
		charts@1.0.0 peer:react@^17
		kit@1.0.0 charts@1 react@^17
		old@1.0.0 peer:react@^17
		suite@1.0.0 widgets@^2
		core@1.2.0
		core@1.3.0
		common@1.2.0 peer:core@1.2.0
		latest@1.0.0 peer:react@^19
		render@1.1.0 peer:react@^18
		render@1.2.0 peer:react@^19
		forms@2.0.0 peer:motion@^2
		forms@3.0.0 peer:motion@^3
		motion@2.0.0 peer:react@^18
		motion@3.0.0 peer:react@^19
	`)
	tests := []struct {
		name  string
		want  string
		lines string
		fix   string
	}{
		{"a newer version of what lags behind", "react@^19 widgets@^2",
			"app@1.0.0 › widgets@2.0.0 › peer react@^18 | app@1.0.0 › react@^19", "widgets@^3.0.0"},
		{"what both can live with", "react@^18 dom@^19",
			"app@1.0.0 › dom@19.0.0 › peer react@^19 | app@1.0.0 › react@^18", "react@^19.0.0"},
		{"an override where no version helps", "react@^19 latest@^1 old@1",
			"app@1.0.0 › old@1.0.0 › peer react@^17 | app@1.0.0 › react@^19", "overrides old react $react"},
		{"a version that installing a newer one would not keep", "core@~1.3 common@~1.2",
			"app@1.0.0 › common@1.2.0 › peer core@1.2.0 | app@1.0.0 › core@~1.3", "core@~1.2.0"},
		{"two versions where one does not do", "react@^18 dom@^18 charts@1",
			"app@1.0.0 › charts@1.0.0 › peer react@^17 | app@1.0.0 › react@^18", "react@^17.0.0 dom@^17.0.0"},
		{"an older version that a wider range would pass by", "react@18.0.0 dom@18 render@^1.2",
			"app@1.0.0 › render@1.2.0 › peer react@^19 | app@1.0.0 › react@18.0.0", "render@~1.1.0"},
		{"a peer's peer", "react@^18 forms@^3",
			"app@1.0.0 › forms@3.0.0 › motion@3.0.0 › peer react@^19 | app@1.0.0 › react@^18", "react@^19.0.0"},
		{"peers that only meet", "dom@^19 widgets@^2",
			"app@1.0.0 › widgets@2.0.0 › peer react@^18 | app@1.0.0 › dom@19.0.0 › peer react@^19", "widgets@^3.0.0"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := r.resolve(project(t, test.want))
			var conflict *ConflictError
			if !errors.As(err, &conflict) {
				t.Fatalf("%v, want a conflict", err)
			}
			a := conflict.Analyze(context.Background())
			var lines []string
			for _, s := range a.Sides {
				lines = append(lines, strings.Join(s.Chain, " › "))
			}
			if got := strings.Join(lines, " | "); got != test.lines {
				t.Errorf("sides: %s\nwant:  %s", got, test.lines)
			}
			fix := "none"
			if f := a.Fix; f != nil {
				if fix = strings.Join(f.Add, " "); f.Override != nil {
					fix = "overrides " + strings.Join(f.Override, " ") + " " + f.OverrideValue
				}
			}
			if fix != test.fix {
				t.Errorf("fix %s, want %s", fix, test.fix)
			}
			if !strings.Contains(conflict.ReportFile(), "Could not resolve dependency:") {
				t.Error(conflict.ReportFile())
			}
		})
	}
}
