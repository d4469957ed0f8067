package verdict_test

import (
	"bytes"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/verdict"
)

// Whatever can be read can be judged: without a panic, with figures that JSON can
// hold, and to the same end after writing and reading.
func FuzzDerive(f *testing.F) {
	p, _ := saved(f, "empty") // larger seeds only slow the fuzzer down
	var b bytes.Buffer
	if err := proof.Encode(&b, p); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add([]byte(`{"schemaVersion":2,"require":["x"],"limits":[{"name":"cost-ms"},{"name":"?"}],"targets":[{"conformance":{"planned":-1,"profiles":[{"name":"x"}],"checks":[{"profiles":["x","y"],"cause":"?","race":{"want":-1,"trials":[{}]},"immediacy":{"revokes":-3,"broken":7,"twinsAccepted":1}},{"lacks":{}}],"histories":[{"file":"a"}],"switch":[{"named":true,"trials":-1}]},
"footprint":{"statements":[{"operation":"verify","flag":"on","calls":-1}],"space":{"bytesOn":9223372036854775807,"bytesOff":-9}},"bench":[{"variants":[{"name":"on"},{"name":"off"}],"idleDatabaseCpu":1e308,"rounds":[{"kind":"cost","databaseCpuUs":1e308,"tookNs":9223372036854775807,"windows":[{"variant":"on","calls":1,"cpuUs":1e308,"p50Ms":1e308},{"variant":"off","calls":1,"cpuUs":1e-308,"p50Ms":-1e308}]},{"kind":"floor","windows":[{},{}]},{"kind":"saturated","windows":[{"variant":"off","rate":1e308},{"variant":"on","rate":1e-308}]}],"histograms":[{"upperMs":[1],"count":[9223372036854775807,5]}]}]}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := proof.Read(bytes.NewReader(data), "fuzz")
		if err != nil {
			return
		}
		verdict.Verify(p, fstest.MapFS{})
		verdict.Derive(p)
		if v := p.Verdict; (v.Outcome == proof.Pass || v.Outcome == proof.Incomplete) != (v.ExitCode == 0) || v.Headline == "" {
			t.Errorf("verdict %+v", v)
		}
		if p.Verdict.ExitCode == 0 && len(p.Targets) == 0 {
			t.Error("a proof without targets passed")
		}
		var b bytes.Buffer
		if err := proof.Encode(&b, p); err != nil {
			if strings.Contains(err.Error(), "year outside") {
				return
			}
			t.Fatalf("what was derived cannot be written: %v", err)
		}
		again, err := proof.Read(&b, "again")
		if err != nil {
			t.Fatal(err)
		}
		if d := verdict.Compare(again); len(d) > 0 {
			t.Errorf("after writing and reading: %v", d)
		}
	})
}
