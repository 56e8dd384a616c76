//go:build unix

package main

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// A poolPackage is a package of the recording that projects may ask for.
type poolPackage struct {
	Name     string   `json:"name"`
	Versions []string `json:"versions"` // oldest first; the recording answers for all they depend on
	Tags     []string `json:"tags"`
	Deps     []string `json:"deps"`   // names that the newest version depends on
	Peers    []string `json:"peers"`  // names that it has as peers
	Open     bool     `json:"open"`   // the recording also answers for * and latest
	Stored   []string `json:"stored"` // versions whose tarballs, and those of all they depend on, are recorded
	Size     int      `json:"size"`   // packages in the newest version's closure
}

type pool struct {
	all    []poolPackage
	stored []poolPackage // those that can really be installed
	byName map[string]*poolPackage
}

//go:embed pool.json
var poolJSON []byte

//go:embed harvest.js
var harvestJS []byte

func loadPool() (*pool, error) {
	p := &pool{byName: map[string]*poolPackage{}}
	if err := json.Unmarshal(poolJSON, &p.all); err != nil {
		return nil, fmt.Errorf("pool.json: %w", err)
	}
	for i := range p.all {
		p.byName[p.all[i].Name] = &p.all[i]
		if len(p.all[i].Stored) > 0 {
			p.stored = append(p.stored, p.all[i])
		}
	}
	return p, nil
}

// harvest writes pool.json anew, with npm's own copy of semver and npm-pick-manifest.
func harvest(ctx context.Context, recording, npmDir, out, scratch string) error {
	script := filepath.Join(scratch, "harvest.js")
	if err := os.WriteFile(script, harvestJS, 0o644); err != nil {
		return err
	}
	var pool bytes.Buffer
	node := exec.CommandContext(ctx, "node", "--max-old-space-size=6000", script, recording, npmDir)
	node.Stdout = &pool
	node.Stderr = os.Stderr
	if err := node.Run(); err != nil {
		return fmt.Errorf("harvesting %s: %w", recording, err)
	}
	return os.WriteFile(out, pool.Bytes(), 0o644)
}
