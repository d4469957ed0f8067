package history

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

// op is an operation on session h: kind, call, return, result.
func op(kind Kind, call, ret time.Duration, result Result) Operation {
	return Operation{Kind: kind, Handle: "h", Call: call, Return: ret, Result: result}
}

func TestRecheck(t *testing.T) {
	t.Parallel()
	made := op(Create, 0, 10, OK)
	for _, tc := range []struct {
		name string
		ops  []Operation
		want string
	}{
		{"nothing happened", nil, Linearizable},
		{"made, verified, revoked, refused", []Operation{made, op(Verify, 20, 30, OK), op(Revoke, 40, 50, Ended), op(Verify, 60, 70, Refused)}, Linearizable},
		{"accepted after an answered revoke", []Operation{made, op(Revoke, 20, 30, Ended), op(Verify, 40, 50, OK)}, NotLinearizable},
		{"accepted after a revoke that does not say what it ended", []Operation{made, op(Revoke, 20, 30, Done), op(Verify, 40, 50, OK)}, NotLinearizable},
		{"accepted while the revoke was under way", []Operation{made, op(Revoke, 20, 50, Ended), op(Verify, 30, 40, OK)}, Linearizable},
		{"accepted, answered late, invoked before the revoke's answer", []Operation{made, op(Revoke, 20, 30, Ended), op(Verify, 25, 90, OK)}, Linearizable},
		{"invoked at the very instant of the answer", []Operation{made, op(Revoke, 20, 30, Ended), op(Verify, 30, 40, OK)}, Linearizable},
		{"refused while the revoke was under way", []Operation{made, op(Revoke, 20, 50, Ended), op(Verify, 30, 40, Refused)}, Linearizable},
		{"refused, then accepted, both under the revoke", []Operation{made, op(Revoke, 20, 100, Ended), op(Verify, 30, 40, Refused), op(Verify, 50, 60, OK)}, NotLinearizable},
		{"accepted, then refused, both under the revoke", []Operation{made, op(Revoke, 20, 100, Ended), op(Verify, 30, 40, OK), op(Verify, 50, 60, Refused)}, Linearizable},
		{"refused without a revoke", []Operation{made, op(Verify, 20, 30, Refused)}, NotLinearizable},
		{"refused before the revoke was sent", []Operation{made, op(Verify, 20, 30, Refused), op(Revoke, 40, 50, Ended)}, NotLinearizable},
		{"a revoke without an answer that happened", []Operation{made, op(Revoke, 20, 30, Unknown), op(Verify, 40, 50, Refused)}, Linearizable},
		{"a revoke without an answer that did not happen", []Operation{made, op(Revoke, 20, 30, Unknown), op(Verify, 40, 50, OK)}, Linearizable},
		{"a revoke without an answer that happened late", []Operation{made, op(Revoke, 20, 30, Unknown), op(Verify, 40, 50, OK), op(Verify, 60, 70, Refused)}, Linearizable},
		{"a revoke without an answer never un-happens", []Operation{made, op(Revoke, 20, 30, Unknown), op(Verify, 40, 50, Refused), op(Verify, 60, 70, OK)}, NotLinearizable},
		{"a revoke without an answer cannot work before it was sent", []Operation{made, op(Verify, 12, 15, Refused), op(Revoke, 20, 30, Unknown)}, NotLinearizable},
		{"two revokes, each says that it ended the session", []Operation{made, op(Revoke, 20, 40, Ended), op(Revoke, 25, 45, Ended)}, NotLinearizable},
		{"two revokes, one found nothing", []Operation{made, op(Revoke, 20, 40, Ended), op(Revoke, 25, 45, Absent)}, Linearizable},
		{"a revoke found nothing though the session was alive", []Operation{made, op(Revoke, 20, 30, Absent), op(Verify, 40, 50, OK)}, NotLinearizable},
		{"refreshed after an answered revoke", []Operation{made, op(Revoke, 20, 30, Ended), op(Refresh, 40, 50, OK)}, NotLinearizable},
		{"refreshed under the revoke, refused afterwards", []Operation{made, op(Revoke, 20, 60, Ended), op(Refresh, 30, 50, OK), op(Verify, 70, 80, Refused)}, Linearizable},
		{"a refresh in flight brings the session back", []Operation{made, op(Revoke, 20, 40, Ended), op(Refresh, 30, 60, OK), op(Verify, 70, 80, OK)}, NotLinearizable},
		{"still listed after the revoke", []Operation{made, op(Revoke, 20, 30, Ended), op(Get, 40, 50, OK)}, NotLinearizable},
		{"made twice", []Operation{made, op(Create, 20, 30, OK)}, NotLinearizable},
		{"a verify without an answer says nothing", []Operation{made, op(Revoke, 20, 30, Ended), op(Verify, 40, 50, Unknown)}, Linearizable},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got, err := Recheck(t.Context(), &History{Operations: tc.ops})
			if err != nil {
				t.Fatal(err)
			}
			if got.Result != tc.want {
				t.Fatalf("got %s, want %s", got.Result, tc.want)
			}
			if broken := got.Result == NotLinearizable; broken != (len(got.Broken) == 1) {
				t.Fatalf("broken sessions %v at %s", got.Broken, got.Result)
			}
		})
	}
}

// TestSessionsAreJudgedApart: another session's operations excuse nothing.
func TestSessionsAreJudgedApart(t *testing.T) {
	t.Parallel()
	h := &History{Operations: []Operation{
		{Kind: Create, Handle: "a", Call: 0, Return: 1, Result: OK},
		{Kind: Create, Handle: "b", Call: 0, Return: 1, Result: OK},
		{Kind: Revoke, Handle: "b", Call: 2, Return: 3, Result: Ended},
		{Kind: Verify, Handle: "a", Call: 4, Return: 5, Result: Refused},
		{Kind: Verify, Handle: "b", Call: 4, Return: 5, Result: Refused},
	}}
	got, err := Recheck(t.Context(), h)
	if err != nil || !reflect.DeepEqual(got.Broken, []string{"a"}) || got.Sessions != 2 || h.Sessions() != 2 {
		t.Fatalf("got %+v, %v; want a broken", got, err)
	}
}

func TestRecheckStopsWhenTold(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Recheck(ctx, &History{Operations: []Operation{op(Create, 0, 1, OK)}}); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want context.Canceled", err)
	}
}

func TestCount(t *testing.T) {
	t.Parallel()
	h := &History{Operations: []Operation{
		op(Create, 0, 10, OK),
		op(Verify, 11, 15, OK), // before the revoke: not counted
		op(Revoke, 20, 40, Ended),
		op(Revoke, 22, 60, Absent), // the first answer counts
		op(Verify, 18, 25, OK),     // overlaps
		op(Verify, 30, 45, Refused),
		op(Verify, 40, 45, OK), // invoked at the instant of the answer: overlaps
		op(Verify, 41, 50, OK),
		op(Verify, 90, 95, OK),
		op(Verify, 96, 99, Refused),
		op(Verify, 97, 99, Unknown),
		{Kind: Create, Handle: "x", Call: 0, Return: 1, Result: OK},
		{Kind: Revoke, Handle: "x", Call: 2, Return: 3, Result: Unknown}, // never answered
		{Kind: Verify, Handle: "x", Call: 5, Return: 6, Result: OK},
		// The twin: verified next after the first answer, and revoked by nobody until then.
		{Kind: Create, Handle: "y", Call: 0, Return: 1, Result: OK},
		{Kind: Verify, Handle: "y", Call: 44, Return: 46, Result: OK},
		{Kind: Revoke, Handle: "y", Call: 47, Return: 48, Result: Unknown},
	}}
	want := Counts{Revokes: 1, Broken: 1, Twins: 1, TwinsOK: 1, After: 3, AfterOK: 2, Window: 50, During: 3, DuringOK: 2}
	if got := Count(h); got != want {
		t.Fatalf("got %+v, want %+v", got, want)
	}
}

func sample() *History {
	return &History{
		Check: "BL-50", FlagMode: "request", Protocol: "CDI 5.4", Seed: 1 << 63, Started: time.Unix(1, 2).UTC(), Clients: 2,
		Operations: []Operation{
			{Client: 1, Instance: "on-0", Kind: Create, Handle: "h", Call: 1, Return: 2, Result: OK},
			{Client: 0, Instance: "on-1", Kind: Revoke, Handle: "h", Call: 3, Return: 3, Result: Unknown, Note: "timeout"},
		},
	}
}

func TestSaveAndLoad(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "sub", "h.jsonl")
	want := sample()
	if err := Save(path, want); err != nil {
		t.Fatal(err)
	}
	got, err := Load(path)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Fatalf("got %+v, %v; want %+v", got, err, want)
	}
	files, err := Files(filepath.Dir(path))
	if err != nil || !reflect.DeepEqual(files, []string{path}) {
		t.Fatalf("files %v, %v", files, err)
	}
}

func TestLoadRefuses(t *testing.T) {
	t.Parallel()
	var good bytes.Buffer
	if err := Write(&good, sample()); err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(good.String(), "\n")
	for _, tc := range []struct{ name, text, errHas string }{
		{"an empty file", "", "header"},
		{"another format", strings.Replace(good.String(), `"history":1`, `"history":9`, 1), "format 9"},
		{"a cut file", lines[0] + lines[1], "cut off"},
		{"a cut line", lines[0] + lines[1] + lines[2][:20], "line 3"},
		{"an unknown kind", strings.Replace(good.String(), `"create"`, `"steal"`, 1), "line 2"},
		{"an impossible result", strings.Replace(good.String(), `"result":"ok"`, `"result":"ended"`, 1), "cannot have"},
		{"a return before its call", strings.Replace(good.String(), `"returnNs":2`, `"returnNs":0`, 1), "out of order"},
		{"an unknown field", strings.Replace(good.String(), `"client":1`, `"client":1,"x":2`, 1), "unknown field"},
		{"an endless line", lines[0] + strings.Repeat("x", maxLine+1), "too long"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			_, err := Read(strings.NewReader(tc.text))
			if err == nil || !strings.Contains(err.Error(), tc.errHas) {
				t.Fatalf("got %v, want an error with %q", err, tc.errHas)
			}
		})
	}
}

func TestDraw(t *testing.T) {
	t.Parallel()
	h := &History{Operations: []Operation{
		op(Create, 0, 10, OK), op(Revoke, 12, 14, Unknown), op(Revoke, 20, 30, Ended), op(Verify, 40, 50, OK),
	}}
	path := filepath.Join(t.TempDir(), "pictures", "h.html")
	if err := Draw(path, h, "h"); err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(path)
	if err != nil || !bytes.Contains(page, []byte("revoke → ended")) {
		t.Fatalf("picture lacks the operations (%d bytes, %v)", len(page), err)
	}
	if err := Draw(path, h, "nobody"); err == nil {
		t.Fatal("drew a session that is not there")
	}
}

// long is a history of n operations on sessions of 20 operations each.
func long(n int) *History {
	h := &History{}
	for i := range n {
		session, at := i/20, i%20
		o := Operation{Handle: fmt.Sprint(session), Client: i % 16, Call: time.Duration(i), Return: time.Duration(i + 8)}
		switch at {
		case 0:
			o.Kind, o.Result, o.Return = Create, OK, o.Call
		case 12:
			o.Kind, o.Result = Revoke, Ended
		default:
			o.Kind, o.Result = Verify, OK
			if at > 12 {
				o.Result = Refused
			}
		}
		h.Operations = append(h.Operations, o)
	}
	return h
}

func TestLongHistory(t *testing.T) {
	t.Parallel()
	got, err := Recheck(t.Context(), long(100_000))
	if err != nil || got.Result != Linearizable || got.Sessions != 5000 {
		t.Fatalf("got %+v, %v", got, err)
	}
}

func BenchmarkRecheck(b *testing.B) {
	for _, n := range []int{10_000, 100_000, 1_000_000} {
		h := long(n)
		b.Run(fmt.Sprintf("operations=%d", n), func(b *testing.B) {
			for b.Loop() {
				if v, err := Recheck(b.Context(), h); err != nil || v.Result != Linearizable {
					b.Fatal(v, err)
				}
			}
		})
	}
}

func FuzzRead(f *testing.F) {
	var good bytes.Buffer
	if err := Write(&good, sample()); err != nil {
		f.Fatal(err)
	}
	f.Add(good.Bytes())
	f.Add([]byte(`{"history":1,"operations":0}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := Read(bytes.NewReader(b))
		if err != nil {
			return
		}
		var again bytes.Buffer
		if err := Write(&again, h); err != nil {
			t.Fatal(err)
		}
		if _, err := Read(&again); err != nil {
			t.Fatalf("what was read cannot be read again: %v", err)
		}
		Count(h)
	})
}
