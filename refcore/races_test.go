package refcore_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/coreproof/coreproof/refcore/internal/coretest"
)

// racing are versions of both rules of refresh.
var racing = []string{"2.20", "5.5", "5.6"}

// together starts n calls from a barrier, spread over cores, and waits for all.
func together(cores []*coretest.Core, n int, call func(c *coretest.Core, i int)) {
	begin := make(chan struct{})
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			<-begin
			call(cores[i%len(cores)], i)
		})
	}
	close(begin)
	wg.Wait()
}

// tally counts answers by what they contain.
type tally struct {
	mu sync.Mutex
	by map[string]int
}

func (y *tally) add(t *testing.T, code int, body string) {
	y.mu.Lock()
	defer y.mu.Unlock()
	if y.by == nil {
		y.by = map[string]int{}
	}
	if code != 200 {
		t.Errorf("HTTP %d %s", code, coretest.Clip(body))
	}
	_, rest, _ := strings.Cut(body, `"status":"`)
	status, _, _ := strings.Cut(rest, `"`)
	y.by[status]++
}

var engineRaces = []coretest.Rule{
	{Cite: "docs/spec/session-engine.md 9.70", Name: "two removes of one handle", CDI: racing, Run: func(t *testing.T, cdi string) {
		cores := coretest.Deploy(t, 2)
		for range 5 {
			s := cores[0].Create(cdi)
			body := coretest.Encode(t, coretest.Obj{"sessionHandles": []string{s.Handle}})
			var mu sync.Mutex
			reported := 0
			together(cores, 4, func(c *coretest.Core, _ int) {
				code, text := c.Raw(http.MethodPost, cdi, coretest.PathRemove, body)
				mu.Lock()
				defer mu.Unlock()
				reported += strings.Count(text, s.Handle)
				if code != 200 {
					t.Errorf("HTTP %d %s", code, text)
				}
			})
			if reported != 1 {
				t.Errorf("%d of 4 report it", reported)
			}
		}
	}},
	{Cite: "docs/spec/session-engine.md 9.75", Name: "remove beside refreshes", CDI: racing, Run: func(t *testing.T, cdi string) {
		cores := coretest.Deploy(t, 3)
		for range 5 {
			s := cores[0].Create(cdi)
			refresh, remove := coretest.Encode(t, coretest.RefreshBody(cdi, s.Refresh)), coretest.Encode(t, coretest.Obj{"sessionHandles": []string{s.Handle}})
			var y tally
			together(cores, 10, func(c *coretest.Core, i int) {
				if i == 4 {
					code, body := c.Raw(http.MethodPost, cdi, coretest.PathRemove, remove)
					y.add(t, code, body)
					if !strings.Contains(body, s.Handle) {
						t.Errorf("the removal found nothing: %s", body)
					}
					return
				}
				code, body := c.Raw(http.MethodPost, cdi, coretest.PathRefresh, refresh)
				y.add(t, code, body)
			})
			if y.by["OK"]+y.by["UNAUTHORISED"] != 10 {
				t.Errorf("answers %v", y.by)
			}
			cores[0].Gone(s.Handle)
		}
	}},
	{Cite: "docs/spec/session-engine.md 9.76", Name: "remove beside put and promote", CDI: racing, Run: func(t *testing.T, cdi string) {
		cores := coretest.Deploy(t, 3)
		for range 5 {
			s := cores[0].Create(cdi)
			n := cores[0].Next(cdi, s.Refresh)
			remove := coretest.Encode(t, coretest.Obj{"sessionHandles": []string{s.Handle}})
			put := coretest.Encode(t, coretest.Obj{"sessionHandle": s.Handle, "userDataInJWT": coretest.Obj{"a": 1}})
			verify := coretest.Encode(t, cores[0].VerifyBody(cdi, n.Access))
			var y tally
			together(cores, 9, func(c *coretest.Core, i int) {
				switch {
				case i == 4:
					code, body := c.Raw(http.MethodPost, cdi, coretest.PathRemove, remove)
					y.add(t, code, body)
				case i%2 == 0:
					code, body := c.Raw(http.MethodPut, cdi, coretest.PathPayload, put)
					y.add(t, code, body)
				default:
					code, body := c.Raw(http.MethodPost, cdi, coretest.PathVerify, verify)
					y.add(t, code, body)
				}
			})
			if y.by["OK"]+y.by["UNAUTHORISED"] != 9 {
				t.Errorf("answers %v", y.by)
			}
			cores[1].Gone(s.Handle)
			cores[2].SetPayload(cdi, s.Handle, coretest.Obj{}).Unauth(coretest.MsgNone)
		}
	}},
	{Cite: "docs/spec/session-engine.md 9.77", Name: "parallel refreshes in the grace period", CDI: newest, Run: func(t *testing.T, cdi string) {
		cores := coretest.Deploy(t, 3)
		for range 3 {
			s := cores[0].Create(cdi)
			body := coretest.Encode(t, coretest.RefreshBody(cdi, s.Refresh))
			var y tally
			var mu sync.Mutex
			var answers []string
			together(cores, 9, func(c *coretest.Core, _ int) {
				code, text := c.Raw(http.MethodPost, cdi, coretest.PathRefresh, body)
				y.add(t, code, text)
				mu.Lock()
				defer mu.Unlock()
				answers = append(answers, text)
			})
			if y.by["OK"] != 9 {
				t.Fatalf("answers %v", y.by)
			}
			row, _ := cores[0].Row(s.Handle)
			current := 0
			for _, text := range answers {
				if hash2(excerpt(text, `"refreshToken":{"token":"`, `"`)) == row.RefreshHash2 {
					current++
				}
			}
			if current != 1 || row.PrevRefreshHash2 != hash2(s.Refresh) {
				t.Errorf("%d of the tokens are current; row %+v", current, row)
			}
		}
	}},
	{Cite: "docs/spec/session-engine.md 9.78", Name: "parallel refreshes of one parent", CDI: []string{"2.20", "5.5"}, Run: func(t *testing.T, cdi string) {
		cores := coretest.Deploy(t, 3)
		s := cores[0].Create(cdi)
		body := coretest.Encode(t, coretest.RefreshBody(cdi, s.Refresh))
		var mu sync.Mutex
		var children []string
		together(cores, 6, func(c *coretest.Core, _ int) {
			code, text := c.Raw(http.MethodPost, cdi, coretest.PathRefresh, body)
			mu.Lock()
			defer mu.Unlock()
			children = append(children, excerpt(text, `"refreshToken":{"token":"`, `"`))
			if code != 200 {
				t.Errorf("HTTP %d %s", code, text)
			}
		})
		// Now all children are used at once: one line survives.
		var y tally
		together(cores, 6, func(c *coretest.Core, i int) {
			code, text := c.Raw(http.MethodPost, cdi, coretest.PathRefresh, coretest.Encode(t, coretest.RefreshBody(cdi, children[i])))
			y.add(t, code, text)
		})
		if y.by["OK"] != 1 || y.by["TOKEN_THEFT_DETECTED"] != 5 {
			t.Errorf("answers %v", y.by)
		}
	}},
}

// excerpt is the text between two marks.
func excerpt(s, before, after string) string {
	_, s, _ = strings.Cut(s, before)
	s, _, _ = strings.Cut(s, after)
	return s
}

// TestManyRefreshesAtOnce: however many calls come at once with one refresh
// token, each within its grace period is answered.
func TestManyRefreshesAtOnce(t *testing.T) {
	t.Parallel()
	for _, cores := range []int{1, 3} {
		deployment := coretest.Deploy(t, cores)
		const n = 150
		s := deployment[0].Create("5.6")
		body := coretest.Encode(t, coretest.RefreshBody("5.6", s.Refresh))
		var y tally
		together(deployment, n, func(c *coretest.Core, _ int) {
			code, text := c.Raw(http.MethodPost, "5.6", coretest.PathRefresh, body)
			y.add(t, code, text)
		})
		if y.by["OK"] != n {
			t.Errorf("%d cores: %v, want %d OK", cores, y.by, n)
		}
	}
}
