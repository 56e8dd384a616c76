package cmd

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	xterm "golang.org/x/term"

	"github.com/ibid-pm/ibid/internal/js"
	"github.com/ibid-pm/ibid/internal/jsjson"
	"github.com/ibid-pm/ibid/internal/term"
	"github.com/ibid-pm/ibid/registry"
)

// What the commands share that change something in a registry: requests with
// JSON in and out, the one-time passwords that a registry may ask for, and
// questions to the person at the terminal.

// api sends a request and gives the JSON that came back; undefined where none did to
// a change.
func (a *App) api(ctx context.Context, r registry.Request) (jsjson.Value, error) {
	res, err := a.send(ctx, r)
	if err != nil {
		return jsjson.Value{}, err
	}
	return res.JSON()
}

// api2FA is api for requests that may need a one-time password.
func (a *App) api2FA(ctx context.Context, r registry.Request) (jsjson.Value, error) {
	res, err := a.ask2FA(ctx, r)
	if err != nil {
		return jsjson.Value{}, err
	}
	return res.JSON()
}

func (a *App) send(ctx context.Context, r registry.Request) (*registry.Response, error) {
	client, err := a.client()
	if err != nil {
		return nil, err
	}
	return client.Do(ctx, r)
}

// ask2FA sends a request, and where the registry wants a one-time password asks
// the person for it and sends the request again (npm: lib/utils/auth.js
// otplease). Without a terminal there is nobody to ask.
func (a *App) ask2FA(ctx context.Context, r registry.Request) (res *registry.Response, err error) {
	err = a.otpPlease(ctx, r.Registry, func(otp string) error {
		if otp != "" {
			r.OTP = otp
		}
		res, err = a.send(ctx, r)
		return err
	})
	return res, err
}

// otpPlease does what may need a one-time password, and does all of it again
// with one where the registry wants it and somebody is there to be asked.
func (a *App) otpPlease(ctx context.Context, reg string, do func(otp string) error) error {
	err := do("")
	var refused *registry.Error
	if err == nil || !errors.As(err, &refused) || refused.ErrCode != "EOTP" || !a.onTerminal() {
		return err
	}
	if auth, done := refused.AuthURLs(); auth != "" {
		token, err := a.webAuth(ctx, "Authenticate your account at", auth, done, reg)
		if err != nil {
			return err
		}
		return do(token)
	}
	otp, err := a.newPrompt(ctx).otp("This operation requires a one-time password.\nEnter OTP:")
	if err != nil {
		return err
	}
	return do(otp)
}

// onTerminal says whether somebody is there to be asked.
func (a *App) onTerminal() bool {
	in, ok := a.Stdin.(*os.File)
	out, ok2 := a.Stdout.(*os.File)
	return ok && ok2 && term.IsTerminal(in) && term.IsTerminal(out)
}

// webAuth shows the address where a person says yes, offers to open it in a
// browser, and waits until they have; it gives the token that the registry then
// hands out (npm: npm-profile webAuthOpener).
func (a *App) webAuth(ctx context.Context, title, loginURL, doneURL, reg string) (string, error) {
	if !registry.IsWebURL(loginURL) || !registry.IsWebURL(doneURL) {
		return "", errWebLogin(200)
	}
	show := a.out
	if a.json() {
		show = a.say // stdout is for the answer
	}
	show("%s:\n%s", title, term.SafeLine(loginURL))
	waiting, enough := context.WithCancel(ctx)
	offered := make(chan struct{})
	go func() {
		defer close(offered)
		a.offerBrowser(waiting, loginURL)
	}()
	defer func() {
		enough()
		<-offered
	}()
	return a.pollWebAuth(ctx, doneURL, reg)
}

// offerBrowser opens an address in the browser when somebody presses ENTER.
func (a *App) offerBrowser(ctx context.Context, address string) {
	in, ok := a.Stdin.(*os.File)
	if _, wanted := a.Config.Browser(); !wanted || !ok || !a.onTerminal() {
		return
	}
	fmt.Fprint(a.Stderr, "Press ENTER to open in the browser...")
	if err := term.WaitInput(ctx, in); err != nil {
		fmt.Fprintln(a.Stderr)
		return
	}
	// Not more than this line: the next belongs to another question.
	for one := make([]byte, 1); ; {
		if n, err := in.Read(one); err != nil || n == 0 || one[0] == '\n' {
			break
		}
	}
	if err := a.openURL(ctx, "Browser unavailable. Please open the URL manually", address); err != nil {
		a.log(levelWarn, "the browser: "+term.SafeLine(err.Error()))
	}
}

// pollWebAuth asks until a person has said yes in the browser.
func (a *App) pollWebAuth(ctx context.Context, doneURL, reg string) (string, error) {
	for {
		res, err := a.send(ctx, registry.Request{URL: doneURL, Registry: reg, MaxBody: 1 << 20})
		if err != nil {
			return "", err
		}
		v, err := jsjson.Parse(res.Body)
		if err != nil {
			return "", errWebLogin(res.Status)
		}
		switch token := v.Get("token"); {
		case res.Status == 200 && token.IsString() && token.Truthy():
			return token.Str(), nil
		case res.Status != 202:
			return "", errWebLogin(res.Status)
		}
		// A registry that names no time is asked again at once by npm; ibid
		// leaves it room to breathe.
		wait := 500 * time.Millisecond
		if s, err := strconv.ParseFloat(res.Header.Get("Retry-After"), 64); err == nil && s > 0 {
			wait = time.Duration(min(s, 300) * float64(time.Second))
		}
		select {
		case <-ctx.Done():
			return "", ctx.Err()
		case <-time.After(wait):
		}
	}
}

// errWebLogin says that a registry's answer is none; its code is that of the
// answer, as npm's is.
func errWebLogin(status int) error {
	return &codedError{code: "E" + strconv.Itoa(status), text: "Invalid response from web login endpoint"}
}

// prompt asks the person several questions.
type prompt struct {
	app *App
	ctx context.Context
	in  *bufio.Reader
}

func (a *App) newPrompt(ctx context.Context) *prompt { return &prompt{a, ctx, a.input(ctx)} }

// line asks for a text that check accepts; standing is what is taken for an
// empty answer.
func (p *prompt) line(question, standing string, check func(string) string) (string, error) {
	for {
		if standing != "" {
			fmt.Fprintf(p.app.Stderr, "%s (%s) ", question, term.SafeLine(standing))
		} else {
			fmt.Fprintf(p.app.Stderr, "%s ", question)
		}
		text, err := p.in.ReadString('\n')
		text = strings.TrimSpace(text)
		if text == "" {
			text = standing
		}
		if text != "" {
			why := ""
			if check != nil {
				why = check(text)
			}
			if why == "" {
				return text, nil
			}
			p.app.log(levelWarn, why)
		}
		if err != nil {
			fmt.Fprintln(p.app.Stderr)
			return "", noAnswer(err)
		}
	}
}

// password asks for a text that is not shown while it is typed.
func (p *prompt) password(question string) (string, error) {
	f, ok := p.app.Stdin.(*os.File)
	if !ok || !term.IsTerminal(f) {
		return p.line(question, "", nil)
	}
	for {
		fmt.Fprintf(p.app.Stderr, "%s ", question)
		shown, err := xterm.GetState(int(f.Fd()))
		if err != nil {
			return "", err
		}
		text, err := await(p.ctx, func() ([]byte, error) { return xterm.ReadPassword(int(f.Fd())) })
		if p.ctx.Err() != nil {
			_ = xterm.Restore(int(f.Fd()), shown)
		}
		fmt.Fprintln(p.app.Stderr)
		if err != nil {
			return "", noAnswer(err)
		}
		if len(text) > 0 {
			return string(text), nil
		}
	}
}

func (p *prompt) otp(question string) (string, error) {
	text, err := p.line(question, "", func(s string) string {
		digits := strings.Trim(s, "0123456789 ") == ""
		recovery := len(s) == 64 && strings.Trim(s, "0123456789abcdefABCDEF") == ""
		if digits || recovery {
			return ""
		}
		return "A one-time password is digits, or a recovery code of 64 hexadecimal ones"
	})
	return strings.ReplaceAll(text, " ", ""), err
}

func (p *prompt) username(question, standing string) (string, error) {
	return p.line(question, standing, func(s string) string {
		switch {
		case s != strings.ToLower(s):
			return "Name must be lowercase"
		case s != js.EncodeURIComponent(s):
			return "Name may not contain non-url-safe chars"
		case strings.HasPrefix(s, "."):
			return `Name may not start with "."`
		case len(s) > 214:
			return "Name length must be less than or equal to 214 characters long"
		case strings.Contains(s, "'"):
			return `Name may not contain illegal character "'"`
		}
		return ""
	})
}

func noAnswer(err error) error {
	if errors.Is(err, io.EOF) {
		return &codedError{code: "EUSAGE", text: "nobody answers: the standard input has ended"}
	}
	return err
}

// requestBody writes members as the JSON of a request.
func requestBody(members ...jsjson.Member) []byte {
	return jsjson.Append(nil, jsjson.NewObject(members...), "", "")
}

func textMember(key, text string) jsjson.Member {
	return jsjson.Member{Key: key, Value: jsjson.NewString(text)}
}
