package attack

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"time"

	"github.com/coreproof/coreproof/internal/pause"
)

// Ahead is by how much the clock of the first core is ahead of a shard's, at least and at
// most; negative where it is behind. Each shard says when it began by its own clock, and
// what they all know is the core's.
type Ahead struct {
	Low  time.Duration `json:"lowNs"`  // at least
	High time.Duration `json:"highNs"` // at most
}

const (
	// clockSamples of the core's Date, clockEvery apart: it counts whole seconds, and
	// samples on both sides of its turn say more.
	clockSamples = 6
	clockEvery   = 170 * time.Millisecond
	// clockWithin bounds a sample.
	clockWithin = 2 * time.Second
	// clockBefore the start no more is asked.
	clockBefore = time.Second
)

// ahead asks the core for the time by a request of the load; nil where it
// sends no Date, or where its dates contradict each other.
func ahead(ctx context.Context, client *http.Client, start time.Time, method, url string, header http.Header, body []byte) *Ahead {
	var out *Ahead
	for i := range clockSamples {
		if i > 0 && (!start.IsZero() && time.Until(start) < clockBefore || pause.For(ctx, clockEvery) != nil) {
			break
		}
		date, sent, received, ok := sample(ctx, client, method, url, header, body)
		if !ok {
			return nil
		}
		out = out.narrowed(date, sent, received)
	}
	if out != nil && out.Low > out.High {
		return nil
	}
	return out
}

// narrowed by a date that was written between two moments of the shard's clock: the core's
// was then from date to a second later.
func (a *Ahead) narrowed(date, sent, received time.Time) *Ahead {
	n := &Ahead{Low: date.Sub(received), High: date.Add(time.Second).Sub(sent)}
	if a != nil {
		n.Low, n.High = max(n.Low, a.Low), min(n.High, a.High)
	}
	return n
}

func sample(ctx context.Context, client *http.Client, method, url string, header http.Header, body []byte) (date, sent, received time.Time, ok bool) {
	ctx, cancel := context.WithTimeout(ctx, clockWithin)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return date, sent, received, false
	}
	req.Header = header.Clone()
	sent = time.Now().Round(0) // by the clock on the wall, which is compared
	resp, err := client.Do(req)
	if err != nil {
		return date, sent, received, false
	}
	received = time.Now().Round(0)
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<20))
	_ = resp.Body.Close()
	date, err = http.ParseTime(resp.Header.Get("Date"))
	return date, sent, received, err == nil
}

// Apart is how far the clocks of the shards are apart at least, as far as they are known,
// and at most, where all are.
func (s *Shard) Apart() (least, most time.Duration, known bool) {
	var low, high []time.Duration
	for _, a := range s.Ahead {
		if a != nil {
			low, high = append(low, a.Low), append(high, a.High)
		}
	}
	if len(low) == 0 {
		return 0, 0, false
	}
	lowest, highest := low[0], high[0]
	latest, earliest := low[0], high[0]
	for i := range low {
		lowest, highest = min(lowest, low[i]), max(highest, high[i])
		latest, earliest = max(latest, low[i]), min(earliest, high[i])
	}
	return max(0, latest-earliest), highest - lowest, len(low) == len(s.Shards)
}
