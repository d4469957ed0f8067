package token

import (
	"encoding/hex"
	"strings"
	"testing"
)

// The test vector of the specification, made by the classes that the real core
// uses.
const (
	vectorMaster = "1000:00ff:0123"
	vectorNonce  = "1b16b1df538ba12dc3f97edbb85caa7050d46c148134290feba80f8236c83db9"
	vectorToken  = "AAECAwQFBgcICQoLA+6jp6JTMKEtm/rda9sh6Po/DjCXkqSma0QYsfLWGa84jQtVnF1w2tylKS5DN4bknV4xk7JKPl0Cc4iiyP0BcfK7yqwaLrGXSAIMdT8BM4D/kqJUlAILEKhNZHVqeX0bGgvAwVqELu10WCTDdajzkZ4NjI+DvQ8e1J/NVh0=." + vectorNonce + ".V2"
)

func TestRefreshVector(t *testing.T) {
	t.Parallel()
	if got := Hash1("n"); got != vectorNonce {
		t.Fatalf("Hash1(n) = %s", got)
	}
	var iv [ivSize]byte
	for i := range iv {
		iv[i] = byte(i)
	}
	want := Refresh{Handle: "h", UserID: "u", Nonce: vectorNonce}
	got, err := mintRefresh(vectorMaster, want, iv)
	if err != nil || got != vectorToken {
		t.Errorf("mintRefresh = %s, %v", got, err)
	}
	want.TenantID = "public"
	if r, err := ParseRefresh(vectorMaster, vectorToken); err != nil || r != want {
		t.Errorf("ParseRefresh = %+v, %v", r, err)
	}
	if got := Hash1(vectorToken); got != "2999caeb6bc1d613442befd4c52c12077ba08c1691cae1cc9fadc021894fab6a" {
		t.Errorf("Hash1 = %s", got)
	}
	if got := Hash1(Hash1(vectorToken)); got != "870f460e1a5a80b2a28f6b55ec50d845d9716b7ea99b2d3c8ff4e8751739d2f5" {
		t.Errorf("Hash1 of Hash1 = %s", got)
	}
	if r, err := ParseRefresh(vectorMaster+"x", vectorToken); err == nil {
		t.Errorf("another master key reads %+v", r)
	}
}

func TestRefreshRoundTrip(t *testing.T) {
	t.Parallel()
	master, err := NewMasterKey()
	if err != nil {
		t.Fatal(err)
	}
	if p := strings.Split(master, ":"); len(master) != 262 || len(p) != 3 || p[0] != "1000" || len(p[1]) != 128 || len(p[2]) != 128 {
		t.Errorf("master key of %d characters", len(master))
	}
	for _, r := range []Refresh{
		{Handle: "h", UserID: "u"},
		{Handle: "h", UserID: "u", ParentHash1: Hash1("p"), AntiCSRF: "a", TenantID: "public"},
		{Handle: "h_t1", UserID: "é\x00\"\\", TenantID: "t1"},
		{},
	} {
		seen := map[string]bool{}
		for range 3 {
			s, err := MintRefresh(master, r)
			if err != nil {
				t.Fatal(err)
			}
			if seen[s] {
				t.Error("twice the same token")
			}
			seen[s] = true
			got, err := ParseRefresh(master, s)
			if err != nil {
				t.Fatalf("%+v: %v", r, err)
			}
			if b, err := hex.DecodeString(got.Nonce); err != nil || len(b) != 32 {
				t.Errorf("nonce %q", got.Nonce)
			}
			want := r
			want.Nonce = got.Nonce
			if want.TenantID == "" {
				want.TenantID = "public"
			}
			if got != want {
				t.Errorf("got %+v, want %+v", got, want)
			}
		}
	}
}

// FuzzParseRefresh: nothing but the core's own tokens is accepted, and nothing panics.
func FuzzParseRefresh(f *testing.F) {
	p := strings.Split(vectorToken, ".")
	for _, s := range []string{
		vectorToken, "", ".", "V2", "..V2", "a.b.V2", p[0], p[0] + "." + p[1], p[0] + "..V2", p[0] + "." + p[1] + ".V0", vectorToken + "..", p[0][4:] + "." + p[1] + ".V2",
		p[0][:16] + "." + p[1] + ".V2", p[0][:8] + "\n" + p[0][8:] + "." + p[1] + ".v2", "====." + p[1] + ".V2", "=.=.V2", "\xff.\x00.V1",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, err := ParseRefresh(vectorMaster, s)
		if err != nil {
			if _, ok := err.(Invalid); !ok {
				t.Fatalf("%q: an error of another kind: %v", s, err)
			}
			return
		}
		// What decodes can only be the vector's own content, however it is spelled.
		if r.Handle != "h" || r.UserID != "u" || r.Nonce != vectorNonce || !strings.Contains(s, vectorNonce) {
			t.Fatalf("%q is accepted as %+v", s, r)
		}
	})
}
