package serve_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/coreproof/coreproof/internal/stats"
	"github.com/coreproof/coreproof/refcore"
	"github.com/coreproof/coreproof/refcore/httpapi"
	"github.com/coreproof/coreproof/refcore/serve"
	"github.com/coreproof/coreproof/refcore/store"
	"github.com/coreproof/coreproof/refcore/store/kinds"
	"github.com/coreproof/coreproof/refcore/store/kinds/kindtest"
)

// Stages of a verify with the flag on. Each is a server of its own that does no more
// than net/http and that one stage.
const (
	stageHTTP      = "http"      // reads a request, and answers as many bytes as the core does
	stageHandler   = "handler"   // JSON in and out, versions, keys: all between net/http and the engine
	stageSignature = "signature" // the token taken apart and its signature verified
	stageStore     = "store"     // the read: pool, driver and the wire as the core pays for them
)

// stageShare of what the whole serves at most is the rate of all: a server that is
// asked more seldom than it could be answered waits for each call, and one that is faster
// would otherwise be asked more often, and wait less.
const stageShare = 0.4

// noCollector keeps the garbage collector from running: the servers of single stages hold
// other heaps than the core, and its work belongs to no stage.
var noCollector = []string{"GOMAXPROCS=1", "GOGC=off", "GOMEMLIMIT=2GiB"}

// BenchmarkStages measures what each stage of a verify costs the core in CPU, by itself
// and at the same rate as the whole, which is measured in turn with them: a stage is
// what a server that does it spends more than one that only reads and answers. Their sum
// is held against the whole, round by round, so that a round's disturbances are in both.
// What the database spends is its own and in no stage. docs/benchmarks.md has the
// figures; COREPROOF_BENCH_ROUNDS asks for more rounds.
func BenchmarkStages(b *testing.B) {
	rounds := 40
	if n, err := strconv.Atoi(os.Getenv("COREPROOF_BENCH_ROUNDS")); err == nil {
		rounds = n
	}
	benchmarked(b, func(b *testing.B, db kindtest.Database) {
		uri := db.Fresh(b)
		core := startCore(b, append([]string{db.Environ(uri)}, noCollector...)...)
		pop := populate(b, core, 2000)
		answer := answerTo(b, core, pop.on[0])
		file := filepath.Join(b.TempDir(), "bodies")
		if err := os.WriteFile(file, bytes.Join(pop.on, []byte("\n")), 0o600); err != nil {
			b.Fatal(err)
		}
		names := []string{"whole", stageHTTP, stageHandler, stageSignature, stageStore}
		servers := []*process{core}
		for _, name := range names[1:] {
			servers = append(servers, startProcess(b, noCollector, "stage", name, db.Kind.Name, uri, file, answer))
		}
		const window = 300 * time.Millisecond
		hz := stageShare * float64(len(load(b, core.url, pop.on, 8, 2*time.Second))) / 2
		us, ratios := make([][]float64, len(names)), []float64(nil)
		for b.Loop() {
			for range rounds {
				spent := make([]float64, len(names))
				for _, i := range rand.Perm(len(names)) {
					loadAt(b, servers[i].url, pop.on, 8, hz, 50*time.Millisecond)
					spent[i], _ = costAt(b, servers[i], pop.on, 8, hz, window)
				}
				sum := spent[1]
				for i, x := range spent {
					if i > 1 {
						x -= spent[1]
						sum += x
					}
					us[i] = append(us[i], x)
				}
				ratios = append(ratios, sum/spent[0])
			}
		}
		for i, name := range names {
			b.ReportMetric(median(us[i]), name+"-µs")
		}
		b.ReportMetric(hz, "calls/s")
		ratio := stats.T(ratios, 0.95)
		b.ReportMetric(ratio.Mean, "sum/whole")
		b.ReportMetric(ratio.High-ratio.Mean, "±sum/whole")
		b.ReportMetric(0, "ns/op")
	})
}

// answerTo is what the core says to a verify.
func answerTo(b *testing.B, p *process, body []byte) string {
	b.Helper()
	req, err := http.NewRequestWithContext(b.Context(), http.MethodPost, p.url+"/recipe/session/verify", bytes.NewReader(body))
	if err != nil {
		b.Fatal(err)
	}
	req.Header.Set("cdi-version", "5.4")
	resp, err := client.Do(req)
	if err != nil {
		b.Fatal(err)
	}
	text, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if err != nil || resp.StatusCode != http.StatusOK {
		b.Fatalf("verify: HTTP %d %s, %v", resp.StatusCode, text, err)
	}
	return string(text)
}

// known is an engine that has verified each token before.
type known struct {
	*refcore.Engine
	sessions map[string]verified // by token
}

func (k known) Verify(_ context.Context, in refcore.VerifyInput) (refcore.Verified, error) {
	return k.sessions[in.AccessToken].answer, nil
}

// verified is a token and what a core made of it.
type verified struct {
	token  string
	answer refcore.Verified
}

// stageMain is a server of one stage: name, kind of store, its URI, a file of bodies and
// the answer.
func stageMain(args []string) int {
	if err := serveStage(context.Background(), args[0], args[1], args[2], args[3], args[4]); err != nil {
		fmt.Fprintln(os.Stderr, "stage:", err)
		return 1
	}
	return 0
}

func serveStage(ctx context.Context, name, kind, uri, file, answer string) error {
	i := slices.IndexFunc(kinds.All(), func(k store.Kind) bool { return k.Name == kind })
	s, err := kinds.All()[i].Open(ctx, store.Config{URI: uri})
	if err != nil {
		return err
	}
	defer s.Close()
	engine, err := refcore.New(ctx, refcore.Options{Store: s, Settings: refcore.DefaultSettings()})
	if err != nil {
		return err
	}
	defer engine.Close()
	byBody, byToken, err := prepared(ctx, engine, file)
	if err != nil {
		return err
	}
	inner, err := httpapi.New(httpapi.Options{Engine: known{engine, byToken}})
	if err != nil {
		return err
	}
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		x, ok := byBody[string(body)]
		switch {
		case err != nil || !ok:
			err = errors.New("that is no body of the population")
		case name == stageSignature:
			_, err = engine.Keys().Verify(r.Context(), x.token)
		case name == stageStore:
			_, err = s.Liveness(r.Context(), x.answer.Session.Handle)
		case name == stageHandler:
			r.Body = io.NopCloser(bytes.NewReader(body))
			inner.ServeHTTP(w, r)
			return
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json; charset=UTF-8")
		_, _ = io.WriteString(w, answer)
	})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Printf("%shttp://%s\n", serve.ReadyPrefix, l.Addr())
	srv := &http.Server{Handler: handler}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		_ = srv.Close()
	}()
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// prepared reads bodies of verifies and what a core makes of them.
func prepared(ctx context.Context, engine *refcore.Engine, file string) (byBody, byToken map[string]verified, err error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	byBody, byToken = map[string]verified{}, map[string]verified{}
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var in struct{ AccessToken string }
		if err := json.Unmarshal(lines.Bytes(), &in); err != nil {
			return nil, nil, err
		}
		v, err := engine.Verify(ctx, refcore.VerifyInput{AccessToken: in.AccessToken, CheckDatabase: true})
		if err != nil {
			return nil, nil, err
		}
		byBody[lines.Text()] = verified{in.AccessToken, v}
		byToken[in.AccessToken] = verified{in.AccessToken, v}
	}
	return byBody, byToken, lines.Err()
}
