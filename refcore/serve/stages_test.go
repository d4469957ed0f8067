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

// BenchmarkStages measures what each stage of a verify costs the core in CPU, by itself
// and under the same load as the whole, which is measured in turn with them: a stage is
// what a server that does it spends more than one that only reads and answers. Their sum
// is held against the whole. What the database spends is its own and in no stage.
// docs/benchmarks.md has the figures; COREPROOF_BENCH_ROUNDS asks for more rounds.
func BenchmarkStages(b *testing.B) {
	rounds := 8
	if n, err := strconv.Atoi(os.Getenv("COREPROOF_BENCH_ROUNDS")); err == nil {
		rounds = n
	}
	benchmarked(b, func(b *testing.B, db kindtest.Database) {
		uri := db.Fresh(b)
		one := "GOMAXPROCS=1"
		core := startCore(b, db.Environ(uri), one)
		pop := populate(b, core, 5000)
		answer := answerTo(b, core, pop.on[0])
		file := filepath.Join(b.TempDir(), "bodies")
		if err := os.WriteFile(file, bytes.Join(pop.on, []byte("\n")), 0o600); err != nil {
			b.Fatal(err)
		}
		names := []string{"whole", stageHTTP, stageHandler, stageSignature, stageStore}
		servers := []*process{core}
		for _, name := range names[1:] {
			servers = append(servers, startProcess(b, []string{one}, "stage", name, db.Kind.Name, uri, file, answer))
		}
		us := make([][]float64, len(names))
		for b.Loop() {
			for range rounds {
				for _, i := range rand.Perm(len(names)) {
					load(b, servers[i].url, pop.on, 8, 100*time.Millisecond)
					x, _ := cost(b, servers[i], pop.on, 8, 700*time.Millisecond)
					us[i] = append(us[i], x)
				}
			}
		}
		http := median(us[1])
		sum := http
		b.ReportMetric(http, stageHTTP+"-µs")
		for i := 2; i < len(names); i++ {
			x := median(us[i]) - http
			sum += x
			b.ReportMetric(x, names[i]+"-µs")
		}
		b.ReportMetric(median(us[0]), "whole-µs")
		b.ReportMetric(sum/median(us[0]), "sum/whole")
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
