package spectest

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// racing are versions of both rules of refresh.
var racing = []string{"2.20", "5.5", "5.6"}

// together starts n calls from a barrier, spread over cores, and waits for all.
func together(cores []*core, n int, call func(c *core, i int)) {
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

// raw sends a request and gives its body, for use in goroutines, where a test
// must not be ended.
func (c *core) raw(method, cdi, path string, body []byte) (int, string) {
	r := httptest.NewRequest(method, path, strings.NewReader(string(body)))
	r.Header.Set("cdi-version", cdi)
	w := httptest.NewRecorder()
	c.handler.ServeHTTP(w, r)
	return w.Code, w.Body.String()
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
		t.Errorf("HTTP %d %s", code, clip(body))
	}
	_, rest, _ := strings.Cut(body, `"status":"`)
	status, _, _ := strings.Cut(rest, `"`)
	y.by[status]++
}

var engineRaces = []rule{
	{number: 70, name: "two removes of one handle", cdi: racing, run: func(t *testing.T, cdi string) {
		cores := deploy(t, 2)
		for range 5 {
			s := cores[0].create(cdi)
			body := encode(t, obj{"sessionHandles": []string{s.handle}})
			var mu sync.Mutex
			reported := 0
			together(cores, 4, func(c *core, _ int) {
				code, text := c.raw(http.MethodPost, cdi, pathRemove, body)
				mu.Lock()
				defer mu.Unlock()
				reported += strings.Count(text, s.handle)
				if code != 200 {
					t.Errorf("HTTP %d %s", code, text)
				}
			})
			if reported != 1 {
				t.Errorf("%d of 4 report it", reported)
			}
		}
	}},
	{number: 75, name: "remove beside refreshes", cdi: racing, run: func(t *testing.T, cdi string) {
		cores := deploy(t, 3)
		for range 5 {
			s := cores[0].create(cdi)
			refresh, remove := encode(t, refreshBody(cdi, s.refresh)), encode(t, obj{"sessionHandles": []string{s.handle}})
			var y tally
			together(cores, 10, func(c *core, i int) {
				if i == 4 {
					code, body := c.raw(http.MethodPost, cdi, pathRemove, remove)
					y.add(t, code, body)
					if !strings.Contains(body, s.handle) {
						t.Errorf("the removal found nothing: %s", body)
					}
					return
				}
				code, body := c.raw(http.MethodPost, cdi, pathRefresh, refresh)
				y.add(t, code, body)
			})
			if y.by["OK"]+y.by["UNAUTHORISED"] != 10 {
				t.Errorf("answers %v", y.by)
			}
			cores[0].gone(s.handle)
		}
	}},
	{number: 76, name: "remove beside put and promote", cdi: racing, run: func(t *testing.T, cdi string) {
		cores := deploy(t, 3)
		for range 5 {
			s := cores[0].create(cdi)
			n := cores[0].next(cdi, s.refresh)
			remove := encode(t, obj{"sessionHandles": []string{s.handle}})
			put := encode(t, obj{"sessionHandle": s.handle, "userDataInJWT": obj{"a": 1}})
			verify := encode(t, cores[0].verifyBody(cdi, n.access))
			var y tally
			together(cores, 9, func(c *core, i int) {
				switch {
				case i == 4:
					code, body := c.raw(http.MethodPost, cdi, pathRemove, remove)
					y.add(t, code, body)
				case i%2 == 0:
					code, body := c.raw(http.MethodPut, cdi, pathPayload, put)
					y.add(t, code, body)
				default:
					code, body := c.raw(http.MethodPost, cdi, pathVerify, verify)
					y.add(t, code, body)
				}
			})
			if y.by["OK"]+y.by["UNAUTHORISED"] != 9 {
				t.Errorf("answers %v", y.by)
			}
			cores[1].gone(s.handle)
			cores[2].setPayload(cdi, s.handle, obj{}).unauth(msgNone)
		}
	}},
	{number: 77, name: "parallel refreshes in the grace period", cdi: newest, run: func(t *testing.T, cdi string) {
		cores := deploy(t, 3)
		for range 3 {
			s := cores[0].create(cdi)
			body := encode(t, refreshBody(cdi, s.refresh))
			var y tally
			var mu sync.Mutex
			var answers []string
			together(cores, 9, func(c *core, _ int) {
				code, text := c.raw(http.MethodPost, cdi, pathRefresh, body)
				y.add(t, code, text)
				mu.Lock()
				defer mu.Unlock()
				answers = append(answers, text)
			})
			if y.by["OK"] != 9 {
				t.Fatalf("answers %v", y.by)
			}
			row, _ := cores[0].row(s.handle)
			current := 0
			for _, text := range answers {
				if hash2(excerpt(text, `"refreshToken":{"token":"`, `"`)) == row.RefreshHash2 {
					current++
				}
			}
			if current != 1 || row.PrevRefreshHash2 != hash2(s.refresh) {
				t.Errorf("%d of the tokens are current; row %+v", current, row)
			}
		}
	}},
	{number: 78, name: "parallel refreshes of one parent", cdi: []string{"2.20", "5.5"}, run: func(t *testing.T, cdi string) {
		cores := deploy(t, 3)
		s := cores[0].create(cdi)
		body := encode(t, refreshBody(cdi, s.refresh))
		var mu sync.Mutex
		var children []string
		together(cores, 6, func(c *core, _ int) {
			code, text := c.raw(http.MethodPost, cdi, pathRefresh, body)
			mu.Lock()
			defer mu.Unlock()
			children = append(children, excerpt(text, `"refreshToken":{"token":"`, `"`))
			if code != 200 {
				t.Errorf("HTTP %d %s", code, text)
			}
		})
		// Now all children are used at once: one line survives.
		var y tally
		together(cores, 6, func(c *core, i int) {
			code, text := c.raw(http.MethodPost, cdi, pathRefresh, encode(t, refreshBody(cdi, children[i])))
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
