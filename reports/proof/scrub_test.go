package proof_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/coreproof/coreproof/reports/proof"
)

// F6: a credential that slipped past the recorder does not reach a file,
// wherever it stands: in a curl line, a body, a body in a body, an error.
func TestF6NoCredentialIsLeft(t *testing.T) {
	t.Parallel()
	inner, err := json.Marshal(`{"accessToken":"` + accessV5 + `"}`)
	if err != nil {
		t.Fatal(err)
	}
	p := &proof.Proof{
		Command:     []string{"coreproof", "run", "--api-key=" + apiKey},
		Interrupted: "on " + refreshV2,
		Targets: []proof.Target{{
			Error: "api-key: " + apiKey + " was refused",
			Conformance: &proof.Conformance{
				Switch: []proof.SwitchControl{{Trouble: "POST /recipe/session/verify " + accessV2, Apart: refreshV2}},
				Checks: []proof.Check{{
					Trouble: "verify " + accessV2, CouldNotFail: refreshV2, Rerun: "API_KEYS=" + apiKey + " coreproof conform",
					Observations: map[string]string{"last token": accessV5},
					Lacks:        &proof.Lack{Text: accessV2},
					Violations: []proof.Violation{{
						Expected: "not " + accessV5, Got: accessV5,
						Replay: `curl -sS -H "api-key: ` + apiKey + `" -H 'authorization: Bearer ` + accessV5 + `' --data-binary '{"refreshToken":"` + refreshV2 + `"}' http://127.0.0.1:1/`,
						Exchanges: []proof.Exchange{{
							URL: "http://127.0.0.1:1/?token=" + accessV5, RequestBody: `{"accessToken":"` + accessV2 + `"}`,
							ResponseBody: string(inner), Error: "bearer " + accessV5,
						}},
					}},
				}},
			},
			Bench: []proof.Bench{{
				Controls: []proof.VariantControl{{Trouble: accessV2}},
				Rounds:   []proof.Round{{Windows: []proof.Window{{Example: `{"refreshToken":{"token":"` + refreshV2 + `"}}`}}}},
				Dropped:  []proof.Dropped{{Reason: accessV5}},
				Sweep:    &proof.Sweep{Points: []proof.SweepPoint{{Example: accessV2}}},
			}},
			LeftBehind: &proof.LeftBehind{Reason: accessV5},
		}},
		Gate: &proof.Gate{
			Error: "verify " + accessV5,
			Bench: []proof.Bench{{
				Controls: []proof.VariantControl{{Trouble: refreshV2}},
				Rounds:   []proof.Round{{Windows: []proof.Window{{Example: accessV2}}}},
			}},
		},
	}
	const want = 25
	if changed := proof.Scrub(p); len(changed) != want {
		t.Errorf("changed %d texts, want %d: %v", len(changed), want, changed)
	}
	var out bytes.Buffer
	if err := proof.Encode(&out, p); err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{accessV2, accessV5, refreshV2} {
		if s := survivor(out.String(), secret); s != "" {
			t.Errorf("%q survived", s)
		}
	}
	if strings.Contains(out.String(), apiKey) {
		t.Error("the API key survived")
	}
	if changed := proof.Scrub(p); len(changed) != 0 {
		t.Errorf("scrubbed again, %v changed", changed)
	}
}
