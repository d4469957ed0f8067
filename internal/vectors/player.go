package vectors

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/coreproof/coreproof/internal/pause"
)

// Difference is a step whose answer does not agree with the recording.
type Difference struct {
	Step string
	What string
}

func (d Difference) String() string { return d.Step + ": " + d.What }

// Player plays scenarios against one core.
type Player struct {
	Client *http.Client
	Base   string // URL of the core
	// Sleep passes the time between two steps; nil really waits. A core with a
	// clock of its own needs none of the waiting.
	Sleep func(ctx context.Context, d time.Duration) error
}

// Play sends the scenario's steps and says which answers differ. run is a word
// of the caller's that keeps plays apart. An error means that a step could not
// be sent.
func (p *Player) Play(ctx context.Context, s *Scenario, run string) ([]Difference, error) {
	recorded := newNames(s.Env["run"], s.Env)
	playing := newNames(run, nil)
	sleep := p.Sleep
	if sleep == nil {
		sleep = pause.For
	}
	var found []Difference
	for i := range s.Steps {
		step := &s.Steps[i]
		if step.SleepMS > 0 {
			if err := sleep(ctx, time.Duration(step.SleepMS)*time.Millisecond); err != nil {
				return found, err
			}
		}
		got, err := p.send(ctx, step, playing)
		if err != nil {
			return found, fmt.Errorf("%s step %s: %w", s.File, step.ID, err)
		}
		save(step, got, playing)
		want, masked := step.Response, false
		if want == nil {
			want, masked = step.Means, true
		}
		if d := differ(want, got, recorded, playing, masked); d != "" {
			found = append(found, Difference{Step: s.File + " " + step.ID, What: d})
		}
	}
	return found, nil
}

func (p *Player) send(ctx context.Context, step *Step, n *names) (*Answer, error) {
	path, err := n.fill(step.Path)
	if err != nil {
		return nil, err
	}
	var body io.Reader
	switch {
	case step.Raw != nil:
		s, err := n.fill(*step.Raw)
		if err != nil {
			return nil, err
		}
		body = strings.NewReader(s)
	case len(step.Body) > 0 && string(step.Body) != "null":
		b, err := n.fillJSON(step.Body)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, step.Method, p.Base+path, body)
	if err != nil {
		return nil, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json; charset=utf-8")
	}
	for k, v := range step.Headers {
		if v, err = n.fill(v); err != nil {
			return nil, err
		}
		req.Header[http.CanonicalHeaderKey(k)] = []string{v}
	}
	resp, err := p.Client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, 8<<20))
	if err != nil {
		return nil, err
	}
	a := &Answer{Status: resp.StatusCode, ContentType: resp.Header.Get("Content-Type"), Text: string(b), Headers: map[string]string{}}
	for k := range resp.Header {
		a.Headers[strings.ToLower(k)] = resp.Header.Get(k)
	}
	if strings.HasPrefix(mediaType(a.ContentType), "application/json") {
		a.Body = b
	}
	return a, nil
}

// save keeps the values that later steps need; one that is missing stays unset.
func save(step *Step, got *Answer, n *names) {
	for name, path := range step.Save {
		var v any
		if json.Unmarshal(got.Body, &v) != nil {
			continue
		}
		for part := range strings.SplitSeq(path, ".") {
			m, _ := v.(map[string]any)
			v = m[part]
		}
		if s, ok := v.(string); ok {
			n.save(name, s)
		}
	}
}
