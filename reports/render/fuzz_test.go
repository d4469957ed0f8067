package render

import (
	"bytes"
	"strings"
	"testing"

	"github.com/coreproof/coreproof/reports/proof"
)

// Whatever can be loaded can be rendered, and stays harmless.
func FuzzRender(f *testing.F) {
	for _, name := range []string{"empty", "interrupted"} {
		f.Add([]byte(format(f, "json", example(f, name))))
	}
	f.Add([]byte(`{"schemaVersion":1,"targets":[{"name":"\u001b","conformance":{"profiles":[{}],"checks":[{"outcome":"fail","got":"::x","exchanges":[{}]}],"immediacy":{"trials":1,"accepted":2}},
"footprint":{"statements":[{"operation":"verify","expected":1}],"space":{}},"bench":[{"rounds":[{"kind":"cost","a":{"calls":1,"cpuUs":1e300},"b":{"calls":1,"cpuUs":1e-300}}],
"histograms":[{"flag":"on","upperMs":[1,2],"count":[9223372036854775807,1]}],"latency":[{"quantile":0.5,"off":{"value":1e308},"on":{"value":1e-308}},{"quantile":0.9,"off":{"value":1},"on":{"value":1}}],
"coreCpuRatio":{"value":-1,"low":1e308,"high":-1e308,"n":2},"coreCpuOff":{"value":1},"coreCpuOn":{"value":1e308}}]}],"budgets":[{}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := proof.Read(bytes.NewReader(data), "fuzz")
		if err != nil {
			return
		}
		for _, format := range Formats {
			var buf bytes.Buffer
			if err := format.Render(&buf, p); err != nil {
				if format.Name == "json" { // e.g. a year beyond 9999
					continue
				}
				t.Fatalf("%s: %v", format.Name, err)
			}
			out := buf.String()
			switch format.Name {
			case "html":
				if len(out) > MaxHTML {
					t.Errorf("the page has %d bytes", len(out))
				}
				inspect(t, out)
			case "terminal":
				if strings.ContainsAny(out, "\x1b\r\x00") {
					t.Error("control characters in the terminal's text")
				}
			case "junit":
				agrees(t, p)
			}
		}
	})
}
