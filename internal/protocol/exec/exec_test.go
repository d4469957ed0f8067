package exec_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coreproof/coreproof/internal/protocol"
	lines "github.com/coreproof/coreproof/internal/protocol/exec"
)

// adapter writes a shell script that answers "describe" well and any other line with
// what a script says.
func adapter(t *testing.T, script string) *lines.Protocol {
	t.Helper()
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip("needs sh")
	}
	path := filepath.Join(t.TempDir(), "adapter")
	text := "#!/bin/sh\nwhile read -r line; do case \"$line\" in *describe*) echo '{\"status\":\"OK\",\"versions\":[\"5.4\"],\"verbs\":[\"list\"]}';; *) " + script + ";; esac; done\n"
	if err := os.WriteFile(path, []byte(text), 0o700); err != nil {
		t.Fatal(err)
	}
	p := lines.New(lines.Options{Command: []string{"sh", path}, Env: os.Environ()})
	t.Cleanup(func() { _ = p.Close() })
	return p
}

func dial(t *testing.T, p *lines.Protocol, o protocol.DialOptions) protocol.Core {
	t.Helper()
	o.Name, o.BaseURL, o.Version = "on-0", "http://core", "5.4"
	versions, err := p.Probe(t.Context(), o)
	if err != nil || len(versions) != 1 || versions[0] != "5.4" {
		t.Fatalf("versions %v, %v", versions, err)
	}
	c, err := p.Dial(o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestVerbsAreThoseThatTheAdapterNames(t *testing.T) {
	t.Parallel()
	c := dial(t, adapter(t, `echo '{"status":"OK"}'`), protocol.DialOptions{})
	if !protocol.Has(c, protocol.VerbList) || protocol.Has(c, protocol.VerbRefresh) {
		t.Error("want list and no refresh")
	}
	if _, err := adapter(t, "").Judge("5.4"); err == nil {
		t.Error("an adapter can be measured")
	}
}

// described is an adapter that answers each line alike.
func described(t *testing.T, answer string) *lines.Protocol {
	t.Helper()
	path := filepath.Join(t.TempDir(), "adapter")
	text := "#!/bin/sh\nwhile read -r line; do cat <<'END'\n" + answer + "\nEND\ndone\n"
	if err := os.WriteFile(path, []byte(text), 0o700); err != nil {
		t.Fatal(err)
	}
	p := lines.New(lines.Options{Command: []string{"sh", path}, Env: os.Environ()})
	t.Cleanup(func() { _ = p.Close() })
	return p
}

// TestWhatACoreIsWithout is the adapter's word, with its reason.
func TestWhatACoreIsWithout(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ answer, err string }{
		"a word and a verb": {`{"versions":["5.4"],"verbs":["list"],"without":{"anti-csrf values":"no cookies","get":"nothing is read"}}`, ""},
		"no such word":      {`{"versions":["5.4"],"without":{"csrf":"no cookies"}}`, `is without "csrf"; choose from`},
		"create":            {`{"versions":["5.4"],"without":{"create":"no logins"}}`, `is without "create"; choose from`},
		"no reason":         {`{"versions":["5.4"],"without":{"anti-csrf values":" "}}`, "does not say why"},
		"a verb it has":     {`{"versions":["5.4"],"verbs":["get"],"without":{"get":"no"}}`, `names verb "get" and is without it`},
		"a list":            {`{"versions":["5.4"],"without":["get"]}`, "describe: "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := described(t, tc.answer)
			_, err := p.Probe(t.Context(), protocol.DialOptions{})
			if tc.err == "" != (err == nil) || err != nil && !strings.Contains(err.Error(), tc.err) {
				t.Fatalf("error %v, want %q", err, tc.err)
			}
			if err != nil {
				return
			}
			c, err := p.Dial(protocol.DialOptions{Version: "5.4"})
			if err != nil {
				t.Fatal(err)
			}
			if why := protocol.Without(c, protocol.VerbAntiCSRF); why != "no cookies" || protocol.Has(c, protocol.VerbAntiCSRF) {
				t.Errorf("anti-csrf values: without for %q", why)
			}
			if protocol.Without(c, protocol.VerbGet) == "" || protocol.Has(c, protocol.VerbGet) || !protocol.Has(c, protocol.VerbList) || !protocol.Has(c, protocol.VerbStaticKey) {
				t.Error("want no get, and the rest")
			}
		})
	}
}

// TestPageNamesEachWord that an adapter may be without.
func TestPageNamesEachWord(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "exec.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range protocol.Words() {
		if !strings.Contains(string(page), "`"+string(w)+"`") {
			t.Errorf("docs/exec.md has no word %q", w)
		}
	}
}

// TestTellFlag: what an adapter does not tell is not known.
func TestTellFlag(t *testing.T) {
	t.Parallel()
	for answer, want := range map[string]struct{ on, known, fails bool }{
		`{"status":"OK","flag":true}`:        {true, true, false},
		`{"status":"OK","flag":false}`:       {false, true, false},
		`{"status":"OK"}`:                    {false, false, false},
		`{"status":"HTTP_ERROR","http":500}`: {false, false, true},
	} {
		c, err := described(t, answer).Dial(protocol.DialOptions{Version: "2.20"})
		if err != nil {
			t.Fatal(err)
		}
		on, known, err := c.(protocol.FlagTeller).FlagSetting(t.Context())
		if on != want.on || known != want.known || (err != nil) != want.fails {
			t.Errorf("%s: on %v, known %v, %v", answer, on, known, err)
		}
	}
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ script, status, err string }{
		"accepted":     {`echo '{"status":"OK","handle":"h"}'`, "OK", ""},
		"refused":      {`echo '{"status":"UNAUTHORISED","message":"ended"}'`, "UNAUTHORISED", ""},
		"a 500":        {`echo '{"status":"HTTP_ERROR","http":500}'`, "HTTP_ERROR", ""},
		"too many":     {`echo '{"status":"HTTP_ERROR","http":429}'`, "HTTP_ERROR", "calls are limited"},
		"a proxy":      {`echo '{"status":"HTTP_ERROR","http":503}'`, "HTTP_ERROR", "what stands before it"},
		"no status":    {`echo '{}'`, "", "has no status"},
		"no number":    {`echo '{"status":"HTTP_ERROR"}'`, "HTTP_ERROR", "say which status"},
		"trouble":      {`echo '{"error":"connection refused"}'`, "", "connection refused"},
		"no JSON":      {`echo hello`, "", "no JSON object"},
		"it ends":      {`echo out of order >&2; exit 3`, "", "out of order"},
		"too late":     {`sleep 60`, "", "no answer in time"},
		"without end":  {`head -c 3000000 /dev/zero; echo`, "", "larger than 1 MiB"},
		"half a line":  {`printf '{"status"'; exit 0`, "", "without an answer"},
		"several once": {`echo '{"status":"OK"}'`, "OK", ""},
		"another call": {`echo '{"id":1,"status":"OK"}'`, "", "answered call 1 when it was asked"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := protocol.DialOptions{}
			if name == "too late" {
				o.Timeout = 50 * time.Millisecond
			}
			c := dial(t, adapter(t, tc.script), o)
			v, err := c.Verify(t.Context(), protocol.VerifyRequest{AccessToken: "t"})
			if tc.err == "" != (err == nil) || err != nil && !strings.Contains(err.Error(), tc.err) {
				t.Errorf("error %v, want %q", err, tc.err)
			}
			if string(v.Status) != tc.status {
				t.Errorf("status %q, want %q", v.Status, tc.status)
			}
		})
	}
}

// TestAKeyIsSentAndNotRecorded, and an adapter that broke does not spoil the next call.
// TestALineTooManyIsNoAnswer: what an adapter says beside its answers is an error, and
// never taken for the answer to the next call.
func TestALineTooManyIsNoAnswer(t *testing.T) {
	t.Parallel()
	const id = `id=$(echo "$line" | sed 's/.*"id":\([0-9]*\).*/\1/'); `
	named := func(script string) string { return id + strings.ReplaceAll(script, "ID", `'$id'`) }
	for name, script := range map[string]string{
		"garbage before":     `case "$line" in *first*) echo 'careful';; esac; echo '{"status":"OK"}'`,
		"twice":              `case "$line" in *first*) printf '{"status":"OK"}\n{"status":"OK"}\n';; *) echo '{"status":"UNAUTHORISED"}';; esac`,
		"twice, with ids":    named(`case "$line" in *first*) echo '{"id":ID,"status":"OK"}';; esac; echo '{"id":ID,"status":"OK"}'`),
		"one late, with ids": named(`echo "{\"id\":$((id-1)),\"status\":\"OK\"}"`),
		"an id now and then": named(`case "$line" in *first*) echo '{"id":ID,"status":"OK"}';; *) echo '{"id":2,"status":"OK"}';; esac`),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := dial(t, adapter(t, script), protocol.DialOptions{})
			_, first := c.Verify(t.Context(), protocol.VerifyRequest{AccessToken: "first"})
			v, second := c.Verify(t.Context(), protocol.VerifyRequest{AccessToken: "second"})
			if first == nil && second == nil {
				t.Errorf("no error, and %s", v.Status)
			}
		})
	}
}

// TestAnAdapterThatNamesCallsNamesEach.
func TestAnAdapterThatNamesCallsNamesEach(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "adapter")
	text := "#!/bin/sh\nread -r line; echo '{\"id\":0,\"status\":\"OK\",\"versions\":[\"5.4\"]}'; while read -r line; do echo '{\"status\":\"OK\",\"versions\":[\"5.4\"]}'; done\n"
	if err := os.WriteFile(path, []byte(text), 0o700); err != nil {
		t.Fatal(err)
	}
	p := lines.New(lines.Options{Command: []string{"sh", path}, Env: os.Environ()})
	t.Cleanup(func() { _ = p.Close() })
	if _, err := p.Probe(t.Context(), protocol.DialOptions{}); err == nil || !strings.Contains(err.Error(), "names no call") {
		t.Errorf("error %v", err)
	}
}

func TestAKeyIsSentAndNotRecorded(t *testing.T) {
	t.Parallel()
	c := dial(t, adapter(t, `case "$line" in *hunter2*) echo '{"status":"OK"}';; *) echo '{"status":"UNAUTHORISED"}';; esac`), protocol.DialOptions{APIKey: "hunter2"})
	var recorded []protocol.Exchange
	ctx := protocol.WithRecorder(t.Context(), func(e protocol.Exchange) { recorded = append(recorded, e) })
	v, err := c.Verify(ctx, protocol.VerifyRequest{AccessToken: "t"})
	if err != nil || v.Status != protocol.OK {
		t.Fatalf("%s, %v: the key did not arrive", v.Status, err)
	}
	if len(recorded) != 1 || strings.Contains(recorded[0].RequestBody, "hunter2") || recorded[0].Method != protocol.Piped {
		t.Errorf("recorded %+v", recorded)
	}
}

func TestManyCallsAtOnce(t *testing.T) {
	t.Parallel()
	p := adapter(t, `echo '{"status":"OK"}'`)
	c := dial(t, p, protocol.DialOptions{})
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			if v, err := c.Verify(t.Context(), protocol.VerifyRequest{}); err != nil || v.Status != protocol.OK {
				t.Errorf("%s, %v", v.Status, err)
			}
		})
	}
	wg.Wait()
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Verify(context.Background(), protocol.VerifyRequest{}); err == nil {
		t.Error("a closed protocol answers")
	}
}
