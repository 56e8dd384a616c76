package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// server is a running Verdaccio.
type server struct {
	url     string // with a slash at its end
	storage string
	log     string
	cmd     *exec.Cmd
	done    chan struct{}
}

const serverConfig = `storage: ./storage
auth:
  htpasswd:
    file: ./htpasswd
packages:
  '@*/*':
    access: $all
    publish: $authenticated
    unpublish: $authenticated
  '**':
    access: $all
    publish: $authenticated
    unpublish: $authenticated
max_body_size: 100mb
web:
  enable: false
log: { type: stdout, format: pretty, level: http }
`

// start runs Verdaccio in dir, with what is needed there.
func start(ctx context.Context, verdaccio, dir string) (*server, error) {
	bin, err := filepath.Abs(filepath.Join(verdaccio, "bin", "verdaccio"))
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(dir, "config.yaml"), []byte(serverConfig), 0o644); err != nil {
		return nil, err
	}
	// A free port is one that somebody else may take before Verdaccio does;
	// then it says so and ends.
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	at := l.Addr().String()
	l.Close()
	s := &server{url: "http://" + at + "/", storage: filepath.Join(dir, "storage"), log: filepath.Join(dir, "log"), done: make(chan struct{})}
	out, err := os.Create(s.log)
	if err != nil {
		return nil, err
	}
	s.cmd = exec.CommandContext(ctx, "node", bin, "--config", filepath.Join(dir, "config.yaml"), "--listen", at)
	s.cmd.Dir, s.cmd.Stdout, s.cmd.Stderr = dir, out, out
	s.cmd.Env = append(os.Environ(), "HOME="+dir, "NO_COLOR=1")
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		_ = s.cmd.Wait() // it is killed in the end
		out.Close()
		close(s.done)
	}()
	for deadline := time.Now().Add(2 * time.Minute); ; {
		if res, err := http.Get(s.url + "-/ping"); err == nil {
			res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return s, nil
			}
		}
		select {
		case <-s.done:
			text, _ := os.ReadFile(s.log)
			return nil, fmt.Errorf("verdaccio ended:\n%s", text)
		case <-ctx.Done():
			s.stop()
			return nil, ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			s.stop()
			return nil, fmt.Errorf("verdaccio does not answer; its log is %s", s.log)
		}
	}
}

func (s *server) stop() {
	_ = s.cmd.Process.Kill()
	<-s.done
}

// addUser registers somebody and gives the token.
func (s *server) addUser(ctx context.Context, name, password string) (string, error) {
	body, err := json.Marshal(map[string]any{"name": name, "password": password, "type": "user", "roles": []string{}})
	if err != nil {
		return "", err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, s.url+"-/user/org.couchdb.user:"+name, bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		return "", err
	}
	var answer struct{ Token string }
	if err := json.Unmarshal(text, &answer); err != nil || answer.Token == "" {
		return "", fmt.Errorf("verdaccio gives no token: %s %s", res.Status, text)
	}
	return answer.Token, nil
}
