package html

import (
	"bytes"
	"strings"
	"testing"

	"github.com/coreproof/coreproof/reports/examples"
	"github.com/coreproof/coreproof/reports/verdict"
)

// TestPartsOfAnEmbeddedDatabase are the core's own, also where a descriptor started the core.
func TestPartsOfAnEmbeddedDatabase(t *testing.T) {
	t.Parallel()
	for tls, want := range map[string]string{"none": "in the core's", "no": "not read"} {
		e, ok := examples.Named("swept")
		if !ok {
			t.Fatal("there is no example swept")
		}
		x := &e.Proof.Targets[0]
		x.Kind, x.Database.TLS = "process", tls
		for i := range x.Bench[0].Rounds {
			x.Bench[0].Rounds[i].DatabaseCPU = -1
		}
		if v := newPartsView(e.Proof, detail[0]); len(v.Table.Rows) != 2 || v.Table.Rows[1][4].Sub != want {
			t.Errorf("TLS %q: the database's part says %+v, want %q", tls, v.Table.Rows, want)
		}
	}
}

// TestPartsOfAMixedLoad are not drawn, and the page says why in their place.
func TestPartsOfAMixedLoad(t *testing.T) {
	t.Parallel()
	for _, share := range []float64{0, 1, 0.95} {
		e, ok := examples.Named("swept")
		if !ok {
			t.Fatal("there is no example swept")
		}
		e.Proof.Targets[0].Bench[0].Design.VerifyShare = share
		verdict.Derive(e.Proof)
		var buf bytes.Buffer
		if err := Render(&buf, e.Proof); err != nil {
			t.Fatal(err)
		}
		mixed := share == 0.95
		if page := buf.String(); strings.Contains(page, `id="parts-t"`) == mixed || strings.Contains(page, "asks none") == mixed ||
			strings.Contains(page, "is not known of postgres, CDI 5.4: sessions also began") != mixed {
			t.Errorf("a share of verifies of %g: the parts of a call are shown, or nothing says why not", share)
		}
	}
}
