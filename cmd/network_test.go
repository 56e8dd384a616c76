package cmd

import (
	"bytes"
	"io"
	"log"
	"net"
	"os"
	"testing"
	"time"
)

func TestWhatIsBehindAnAnswerIsNotShown(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				c.Read(make([]byte, 4096))
				io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}and a stranger's text")
				c.Read(make([]byte, 4096))
			}()
		}
	}()
	var said bytes.Buffer
	log.SetOutput(&said)
	defer log.SetOutput(os.Stderr)
	var out, errs bytes.Buffer
	status := Main(Env{
		Argv:    []string{"ibid", "ping", "--registry=http://" + l.Addr().String()},
		Environ: []string{"HOME=" + t.TempDir()}, Cwd: t.TempDir(), Stdout: &out, Stderr: &errs,
	})
	time.Sleep(50 * time.Millisecond)
	if status != 0 || said.Len() > 0 {
		t.Errorf("status %d: %s%s", status, errs.String(), said.String())
	}
}
