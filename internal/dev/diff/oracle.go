//go:build unix

package main

import (
	"bufio"
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
)

//go:embed oracle.js
var oracleJS []byte

// An oracle is one node process that runs npm's commands one after another.
type oracle struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
	// said is what was written beside the answers.
	said bytes.Buffer
}

// An oracleAnswer is what one command came to.
type oracleAnswer struct {
	Exit int    `json:"exit"`
	Out  string `json:"out"`
}

// startOracle starts the npm that is unpacked in npmDir, with home as its HOME.
func startOracle(npmDir, scratch, home string) (*oracle, error) {
	script := filepath.Join(scratch, "oracle.js")
	if err := os.WriteFile(script, oracleJS, 0o644); err != nil {
		return nil, err
	}
	o := &oracle{cmd: exec.Command("node", "--max-old-space-size=8000", script, npmDir)}
	o.cmd.Env = cleanEnv(home)
	o.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	o.cmd.Stderr = &o.said
	var err error
	if o.in, err = o.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := o.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	o.out = bufio.NewReader(out)
	return o, o.cmd.Start()
}

// run has npm do one command. An oracle whose context ended is of no more use.
func (o *oracle) run(ctx context.Context, dir string, args []string) (a oracleAnswer, err error) {
	stop := context.AfterFunc(ctx, o.kill)
	defer stop()
	ask, err := json.Marshal(map[string]any{"cwd": dir, "args": args})
	if err != nil {
		return a, err
	}
	if _, err := o.in.Write(append(ask, '\n')); err != nil {
		return a, err
	}
	line, err := o.out.ReadBytes('\n')
	if ctx.Err() != nil {
		return a, ctx.Err()
	}
	if err != nil {
		return a, fmt.Errorf("npm's process ended: %w\n%s", err, o.said.Bytes())
	}
	return a, json.Unmarshal(line, &a)
}

func (o *oracle) kill() { _ = syscall.Kill(-o.cmd.Process.Pid, syscall.SIGKILL) }

// close ends the process and waits for it.
func (o *oracle) close() {
	_ = o.in.Close()
	o.kill()
	_ = o.cmd.Wait()
}
