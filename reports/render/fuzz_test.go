package render_test

import (
	"bytes"
	"testing"

	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/render"
)

// Whatever can be loaded can be rendered, and stays harmless.
func FuzzRender(f *testing.F) {
	f.Add([]byte(format(f, "json", example(f, "empty"))))
	f.Add([]byte(format(f, "json", example(f, "swept"))))
	f.Add([]byte(`{"schemaVersion":2,"targets":[{"name":"\u001b","conformance":{"profiles":[{}],"checks":[{"violations":[{"got":"::x","exchanges":[{}]}]}]},
"footprint":{"statements":[{"operation":"verify","flag":"on"}],"space":{}},"bench":[{"variants":[{"name":"on"},{"name":"off"}],"rounds":[{"kind":"cost","windows":[{"variant":"on","calls":1,"cpuUs":1e300},{"variant":"off","calls":1,"cpuUs":1e-300}]}],
"histograms":[{"variant":"on","upperMs":[1,2],"count":[9223372036854775807,1]}],
"sweep":{"blocks":1,"points":[{"variant":"on","share":1,"rateHz":1e300,"servedHz":1e300,"achieved":1,"calls":1,"meanMs":1e-300,"p50Ms":1e-300,"p90Ms":1,"p99Ms":1e300,"cpuUs":1e300,"databaseCpuUs":-1},{"variant":"on","share":2,"rateHz":5,"servedHz":1,"achieved":1,"calls":1,"meanMs":1,"p50Ms":1,"p90Ms":1,"p99Ms":1,"cpuUs":0,"databaseCpuUs":0}]}}]}],"limits":[{"name":"cost-ms"}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := proof.Read(bytes.NewReader(data), "fuzz")
		if err != nil {
			return
		}
		for _, format := range render.Formats {
			var buf bytes.Buffer
			if err := format.Render(&buf, p); err != nil {
				if format.Name == "json" { // e.g. a year beyond 9999
					continue
				}
				t.Fatalf("%s: %v", format.Name, err)
			}
			harmless(t, format.Name, buf.String())
		}
	})
}
