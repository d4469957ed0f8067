package proof

// Footprint is what the flag costs in space and statements.
type Footprint struct {
	// Source names who counted statements, e.g. "pg_stat_statements" or "driver".
	Source     string       `json:"source"`
	Statements []Statements `json:"statements"`      // one row a kind of call, version and flag
	Space      *Space       `json:"space,omitempty"` // nil when it was not compared
	Notes      []string     `json:"notes,omitempty"` // what a reader must know about the counts
}

// Statements is an exact count for one kind of call.
type Statements struct {
	Operation string `json:"operation"` // OpVerify, "refresh", …
	Protocol  string `json:"protocol"`  // version that was spoken
	Flag      string `json:"flag"`      // "on", "off"
	Calls     int64  `json:"calls"`     // that were made
	Count     int64  `json:"count"`     // statements that the database saw for them; negative where its counter went back
	// Unpromised says why no number is claimed where the protocol promises none.
	Unpromised string `json:"unpromised,omitempty"`
	// Expected per call; nil where it is only reported. The claim is exact.
	Expected *float64 `json:"expected,omitempty" derived:"true"`
	Outcome  Outcome  `json:"outcome,omitempty" derived:"true"` // pass, fail, vacuous or error; "" where nothing is claimed
	Reason   string   `json:"reason,omitempty" derived:"true"`  // of vacuous and error
}

// OpVerify is the operation whose statements are a claim: none with the flag
// off, one with it on.
const OpVerify = "verify"

// PerCall is Count / Calls; 0 when there were no calls.
func (s Statements) PerCall() float64 {
	if s.Calls == 0 {
		return 0
	}
	return float64(s.Count) / float64(s.Calls)
}

// Space compares two databases after the same work with the flag on and off.
type Space struct {
	SchemaOn   string `json:"schemaOn"`       // hash of the schema
	SchemaOff  string `json:"schemaOff"`      // the same with the flag off
	RowsOn     int64  `json:"rowsOn"`         // session rows with the flag on
	RowsOff    int64  `json:"rowsOff"`        // the same with the flag off
	RevokedOn  int64  `json:"revokedRowsOn"`  // rows left after revoking a part
	RevokedOff int64  `json:"revokedRowsOff"` // the same with the flag off
	BytesOn    int64  `json:"bytesOn"`        // after compaction
	BytesOff   int64  `json:"bytesOff"`       // the same with the flag off
	// Tolerance of the difference in bytes, e.g. 0.05.
	Tolerance float64 `json:"tolerance" derived:"true"`
	Outcome   Outcome `json:"outcome" derived:"true"`          // pass, fail or vacuous
	Reason    string  `json:"reason,omitempty" derived:"true"` // of a fail or vacuous
}
