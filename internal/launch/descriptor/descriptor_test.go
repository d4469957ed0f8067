package descriptor_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/coreproof/coreproof/internal/launch/descriptor"
)

const ends = "endpoints: {token: t, introspect: i, revoke: r}"

// oauth is a descriptor of an authorization server.
func oauth(more string) string {
	return "name: x\nflag: always\ncommand: [a]\nprotocol:\n  {name: oauth2, oauth2: {login: client credentials, client: c, " + more + "}}\n"
}

// TestErrorsPointAndSayTheMend: file, line and column, what is wrong, what to do.
func TestErrorsPointAndSayTheMend(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ text, at, want string }{
		"no YAML":            {"name: [", "f.yaml:1:7", ""},
		"nothing":            {" \n", "f.yaml:1:1", "target show refcore"},
		"an indentation":     {"name: x\ncommand: [a]\n  flag: request\n", "f.yaml:3:3", "begin in one column"},
		"a field twice":      {"name: x\nname: y\n", "f.yaml:2:1", "take one out"},
		"a tab":              {"name: x\ncommand:\n\t- a\n", "f.yaml:3:1", "there is a tab"},
		"a list":             {"- name: x\n", "f.yaml:1:1", "want fields such as {name: value}"},
		"a lone word":        {"name: x\ncommand: a\n", "f.yaml:2:10", "want a list such as [a, b], not one text"},
		"no number":          {"name: x\ninstances: two\n", "f.yaml:2:12", `"two": want a whole number`},
		"no time":            {"name: x\nready: {within: 3 seconds}\n", "f.yaml:2:17", "a time such as 30s"},
		"no time to stop":    {"name: x\nstop: {grace: soon}\n", "f.yaml:2:15", "a time such as 30s"},
		"a field elsewhere":  {"name: x\nready: {timeout: 3s}\n", "f.yaml:2:9", "choose from path, status, text, within"},
		"a field of a list":  {"name: x\ndatabases: [{kind: sqlite, uri: x}]\n", "f.yaml:2:28", "choose from kind, env"},
		"a mistyped field":   {"name: x\nflag: request\ncomand: [a]\n", "f.yaml:3:1", "did you mean command?"},
		"another type":       {"name: x\nflag: request\ncommand: [a]\nport: many\n", "f.yaml:4:7", ""},
		"no name":            {"flag: request\ncommand: [a]\n", "f.yaml:1:1", "give the core a name"},
		"nothing to start":   {"name: x\nflag: request\n", "f.yaml:1:1", "command: [program"},
		"both":               {"name: x\nflag: request\ncommand: [a]\nimage: b\nport: 1\n", "f.yaml:4:8", "take one out"},
		"no port":            {"name: x\nflag: request\nimage: b\n", "f.yaml:1:1", "port: 3567"},
		"no flag":            {"name: x\ncommand: [a]\n", "f.yaml:1:1", "say what turns it on and off"},
		"a mistyped flag":    {"name: x\ncommand: [a]\nflag: reqest\n", "f.yaml:3:7", "did you mean request?"},
		"the flag is unused": {"name: x\ncommand: [a]\nflag: environment\n", "f.yaml:3:7", "no template in env uses {{.Flag}}"},
		"the flag is used":   {"name: x\ncommand: ['{{.Flag}}']\nflag: request\n", "f.yaml:3:7", "say arguments here"},
		"a bad template":     {"name: x\nflag: request\ncommand: [a, '{{.Prot}}']\n", "f.yaml:3:14", "there is no {{.Prot}}; did you mean {{.Port}}?"},
		"a database's part":  {"name: x\nflag: request\ncommand: [a, '{{.Database.Path}}']\n", "f.yaml:3:14", "choose from .Database.Kind .Database.URI"},
		"a half template":    {"name: x\nflag: request\ncommand: [a, '{{.Host}:{{.Port}}']\n", "f.yaml:3:14", "write {{.Name}}"},
		"an open template":   {"name: x\nflag: request\ncommand: [a]\nenv: {A: '{{'}\n", "f.yaml:4:10", "template"},
		"an unknown setting": {"name: x\nflag: request\ncommand: [a]\nsettings:\n  access_token_validty: {env: A}\n", "f.yaml:5:26", "did you mean access_token_validity?"},
		"a setting for none": {"name: x\nflag: request\ncommand: [a]\nsettings:\n  access_token_validity: {unit: seconds}\n", "f.yaml:5:27", "name one of env, file and argument"},
		"an unknown unit":    {"name: x\nflag: request\ncommand: [a]\nsettings:\n  access_token_validity: {env: A, unit: days}\n", "f.yaml:5:41", "choose from milliseconds"},
		"no such database":   {"name: x\nflag: request\ncommand: [a]\ndatabases:\n  - {kind: mysq}\n", "f.yaml:5:12", "did you mean mysql?"},
		"a file in an image": {"name: x\nflag: request\nimage: a\nport: 1\ndatabases:\n  - {kind: sqlite}\n", "f.yaml:6:12", "cannot share a file"},
		"a status":           {"name: x\nflag: request\ncommand: [a]\nready: {status: 99}\n", "f.yaml:4:17", "no HTTP status"},
		"a key in the open":  {"name: x\nflag: request\ncommand: [a]\napiKey: hunter2\n", "f.yaml:4:9", ""},
		"a key nowhere":      {"name: x\nflag: request\ncommand: [a]\napiKey: {}\n", "f.yaml:4:9", "env: VARIABLE"},
		"no adapter":         {"name: x\nflag: request\ncommand: [a]\nprotocol: {name: exec}\n", "f.yaml:4:12", "go together"},
		"an adapter's port":  {"name: x\nflag: request\ncommand: [a]\nprotocol: {name: exec, adapter: [a, '{{.Port}}']}\n", "f.yaml:4:37", "there is no {{.Port}} here, as it differs from instance to instance; choose from .APIKey .Here"},
		"an adapter's base":  {"name: x\nflag: request\ncommand: [a]\nprotocol: {name: exec, adapter: [a, '{{.Database.URI}}']}\n", "f.yaml:4:37", "there is no {{.Database}} here"},
		"a fixed setting":    {"name: x\nflag: request\ncommand: [a]\nsettings: {access_token_validity: {env: A}}\ndatabases:\n  - {kind: none, env: {B: c, A: d}}\n", "f.yaml:6:33", "take one of the two out"},
		"no endpoint":        {oauth("endpoints: {token: t, introspect: i}"), "f.yaml:5:77", "revoke is missing"},
		"another login":      {strings.Replace(oauth(ends), "client credentials", "hydr", 1), "f.yaml:5:34", "did you mean hydra?"},
		"no admin":           {strings.Replace(oauth(ends), "client credentials", "hydra", 1), "f.yaml:5:64", "authorize is missing"},
		"no password":        {strings.Replace(oauth(ends), "client credentials", "form", 1), "f.yaml:5:27", "user and password"},
		"an odd endpoint":    {oauth("endpoints: {token: t, introspect: i, revoke: r, revok: x}"), "f.yaml:5:120", "did you mean revoke?"},
		"a lone oauth2":      {strings.Replace(oauth(ends), "name: oauth2", "name: CDI", 1), "f.yaml:5:4", "go together"},
		"a bad endpoint":     {oauth("endpoints: {token: '{{.Tok}}', introspect: i, revoke: r}"), "f.yaml:5:84", "Tok"},
		"a verifier":         {oauth(ends + ", verifier: [v]"), "f.yaml:5:77", "keys is missing"},
		"a prepared image":   {"name: x\nflag: request\nimage: a\nport: 1\nprepare: [a]\n", "f.yaml:3:8", "prepare are for commands"},
		"a warm-up":          {"name: x\nflag: request\ncommand: [a]\nwarmup: long\n", "f.yaml:4:9", "30s"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := descriptor.Read("f.yaml", "", []byte(tc.text))
			if err == nil {
				t.Fatal("no error")
			}
			if !strings.HasPrefix(err.Error(), tc.at+": ") || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %q, want %s and %q", err, tc.at, tc.want)
			}
		})
	}
}

// all descriptors of this repository.
func all(t *testing.T) map[string][]byte {
	t.Helper()
	list := map[string][]byte{}
	for _, name := range descriptor.Shipped() {
		b, err := descriptor.Source(name)
		if err != nil {
			t.Fatal(err)
		}
		list[name] = b
	}
	files, err := filepath.Glob("../../../testdata/*/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if list[f], err = os.ReadFile(f); err != nil {
			t.Fatal(err)
		}
	}
	if len(list) < 7 {
		t.Fatalf("only %d descriptors", len(list))
	}
	return list
}

func TestAllAreReadAndFitTheSchema(t *testing.T) {
	t.Parallel()
	text, err := descriptor.Schema()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("descriptor.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("descriptor.json")
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range all(t) {
		if _, err := descriptor.Read(name, "", b); err != nil {
			t.Error(err)
		}
		j, err := yaml.YAMLToJSON(b)
		if err != nil {
			t.Fatal(err)
		}
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(j))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(v); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := schema.Validate(map[string]any{"name": "x", "flag": "sometimes"}); err == nil {
		t.Error("the schema takes anything")
	}
}

func TestThePublishedSchemaIsThatOfTheCode(t *testing.T) {
	t.Parallel()
	want, err := descriptor.Schema()
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../../../docs/descriptor.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) || !json.Valid(got) {
		t.Error("docs/descriptor.schema.json is not what the types say: go run ./cmd/coreproof target schema > docs/descriptor.schema.json")
	}
}

// TestAJVMWithAFile: what the real core needs comes out.
func TestAJVMWithAFile(t *testing.T) {
	t.Setenv("SUPERTOKENS_HOME", "/opt/st")
	d, err := descriptor.Find("supertokens-jvm")
	if err != nil {
		t.Fatal(err)
	}
	if d.Start != descriptor.InTurn || d.Warmup.For().Seconds() != 30 || d.Ready.Status != 200 || d.Stop.Grace.Seconds() != 20 {
		t.Errorf("%+v", d)
	}
	i, err := d.Instance(d.Databases[0], descriptor.Values{Host: "127.0.0.1", Port: 3567, Dir: "/run/core-1", Flag: true,
		Database: descriptor.DatabaseValues{URI: "postgresql://u:p@h:5432/d"}}, map[string]string{"access_token_validity": "1"})
	if err != nil {
		t.Fatal(err)
	}
	var config map[string]any
	if err := yaml.Unmarshal([]byte(i.Files["/run/core-1/config.yaml"]), &config); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]any{"access_token_blacklisting": true, "postgresql_connection_uri": "postgresql://u:p@h:5432/d", "access_token_validity": uint64(1), "info_log_path": "/run/core-1/info.log"} {
		if config[name] != want {
			t.Errorf("%s is %v, want %v in\n%s", name, config[name], want, i.Files["/run/core-1/config.yaml"])
		}
	}
	if line := strings.Join(i.Command, " "); !strings.Contains(line, "/opt/st/core/*:/opt/st/plugin-interface/*") || !strings.Contains(line, "port=3567") {
		t.Error(line)
	}
}

func TestSettingsInTheCoresUnit(t *testing.T) {
	t.Parallel()
	d, err := descriptor.Read("f", "", []byte(`
name: x
command: [a]
flag: request
settings:
  access_token_validity: {argument: --life, unit: milliseconds}
  refresh_token_validity: {env: HOURS, unit: hours}
`))
	if err != nil {
		t.Fatal(err)
	}
	i, err := d.Instance(d.Databases[0], descriptor.Values{}, map[string]string{"access_token_validity": "2", "refresh_token_validity": "180"})
	if err != nil || i.Env["HOURS"] != "3" || i.Command[1] != "--life=2000" {
		t.Errorf("%+v, %v", i, err)
	}
	if _, err := d.Instance(d.Databases[0], descriptor.Values{}, map[string]string{"refresh_token_validity": "90"}); err == nil {
		t.Error("90 minutes are no whole hours")
	}
}

// TestASettingWinsOverWhatIsFixed: a check that asks for one gets it.
func TestASettingWinsOverWhatIsFixed(t *testing.T) {
	t.Parallel()
	d, err := descriptor.Read("f", "", []byte("name: x\ncommand: [a]\nflag: request\nenv: {LIFE: '3600'}\nsettings: {access_token_validity: {env: LIFE}}\n"))
	if err != nil {
		t.Fatal(err)
	}
	for want, settings := range map[string]map[string]string{"3600": nil, "2": {"access_token_validity": "2"}} {
		if i, err := d.Instance(d.Databases[0], descriptor.Values{}, settings); err != nil || i.Env["LIFE"] != want {
			t.Errorf("%v, %v, want %s", i.Env, err, want)
		}
	}
}

func TestSecretsByReference(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	d, err := descriptor.Read("f", dir, []byte("name: x\ncommand: [a]\nflag: request\napiKey: {file: key.txt}\n"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Key(); err == nil {
		t.Error("no error for want of the file")
	}
	if err := os.WriteFile(filepath.Join(dir, "key.txt"), []byte("k\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if k, err := d.Key(); err != nil || k != "k" {
		t.Errorf("%q, %v", k, err)
	}
}

func TestAProgramBesideTheDescriptor(t *testing.T) {
	t.Parallel()
	here := t.TempDir()
	d, err := descriptor.Read("f", here, []byte("name: x\ncommand: [./core]\nflag: request\n"))
	if err != nil {
		t.Fatal(err)
	}
	if i, err := d.Instance(d.Databases[0], descriptor.Values{Dir: "/run/core-1"}, nil); err != nil || i.Command[0] != filepath.Join(here, "core") {
		t.Errorf("%q, %v", i.Command, err)
	}
}

func TestFilesStayInTheWorkingFolder(t *testing.T) {
	t.Parallel()
	d, err := descriptor.Read("f", "", []byte("name: x\ncommand: [a]\nflag: request\nfiles: {../../x: y}\n"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Instance(d.Databases[0], descriptor.Values{Dir: "/run/core-1"}, nil); err == nil || !strings.Contains(err.Error(), "leads out of") {
		t.Errorf("%v", err)
	}
}
