package proof

import _ "embed"

// SchemaID is the $id of the JSON schema that proofs of SchemaVersion follow.
const SchemaID = "https://coreproof.dev/schema/proof-2.json"

//go:embed schema.json
var schema string

// Schema is the JSON schema (draft 2020-12) that proofs of SchemaVersion follow.
func Schema() string { return schema }
