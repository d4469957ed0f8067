package descriptor

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"github.com/coreproof/coreproof/internal/spelling"
)

// File reads a descriptor from a file.
func File(path string) (*Descriptor, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	here, err := filepath.Abs(filepath.Dir(path))
	if err != nil {
		return nil, fmt.Errorf("find the folder of %s: %w", path, err)
	}
	return Read(path, here, b)
}

// Read reads a descriptor; file names it in errors, here is its folder.
func Read(file, here string, b []byte) (*Descriptor, error) {
	d := &Descriptor{}
	if len(bytes.TrimSpace(b)) == 0 {
		return nil, Mistakes{file + ":1:1: there is nothing in it; begin with one that is there: coreproof target show refcore"}
	}
	if err := yaml.UnmarshalWithOptions(b, d, yaml.Strict()); err != nil {
		return nil, mend(file, b, err)
	}
	d.Here = here
	d.fill()
	tree, err := parser.ParseBytes(b, 0)
	if err != nil {
		return nil, mend(file, b, err)
	}
	r := &reader{file: file, tree: tree}
	if r.check(d); len(r.errs) > 0 {
		return d, r.errs
	}
	return d, nil
}

type reader struct {
	file string
	tree *ast.File
	errs Mistakes
}

// bad adds an error that points at a path of the document, or at the nearest part
// of it that is there.
func (r *reader) bad(path, format string, args ...any) {
	line, column := 1, 1
	for p := path; p != ""; {
		if at, err := yaml.PathString("$." + p); err == nil {
			if n, err := at.FilterFile(r.tree); err == nil && n != nil && n.GetToken() != nil {
				line, column = place(n)
				break
			}
		}
		i := strings.LastIndexAny(p, ".[")
		p = p[:max(i, 0)]
	}
	r.errs = append(r.errs, fmt.Sprintf("%s:%d:%d: %s: %s", r.file, line, column, path, fmt.Sprintf(format, args...)))
}

// place is where a node begins; the token of a map is its first colon.
func place(n ast.Node) (line, column int) {
	if m, ok := n.(*ast.MappingNode); ok && len(m.Values) > 0 {
		n = m.Values[0]
	}
	if v, ok := n.(*ast.MappingValueNode); ok {
		n = v.Key
	}
	at := n.GetToken().Position
	return at.Line, at.Column
}

func (r *reader) oneOf(path, value string, words ...string) {
	if value == "" || slices.Contains(words, value) {
		return
	}
	text := "choose from " + strings.Join(words, ", ")
	if near := spelling.Nearest(value, words); near != "" {
		text = "did you mean " + near + "?"
	}
	r.bad(path, "there is no %q; %s", value, text)
}

var plainName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)

func (r *reader) check(d *Descriptor) {
	if !plainName.MatchString(d.Name) {
		r.bad("name", "%q: give the core a name of letters, digits, dots and dashes", d.Name)
	}
	r.words(d)
	r.how(d)
	r.settings(d)
	seen := map[string]bool{}
	for i, b := range d.Databases {
		at := fmt.Sprintf("databases[%d].kind", i)
		switch {
		case b.Kind == "":
			r.bad(at, "say which: %s", strings.Join(enum("Kind", reflect.TypeFor[Database]()), ", "))
		case seen[b.Kind]:
			r.bad(at, "%s is there twice: take one out", b.Kind)
		case b.Kind == "sqlite" && d.Image != "":
			r.bad(at, "instances in containers cannot share a file: use none with instances: 1, or a server")
		}
		seen[b.Kind] = true
		for _, name := range slices.Sorted(maps.Keys(d.Settings)) {
			if v := d.Settings[name].Env; v != "" && hasKey(b.Env, v) {
				r.bad(fmt.Sprintf("databases[%d].env.%s", i, quotePath(v)), "this variable is the setting %s, which a check may ask for: take one of the two out", name)
			}
		}
	}
	if d.Instances < 0 {
		r.bad("instances", "%d: give the most that can share a database, or leave it out", d.Instances)
	}
	if w := d.Warmup; w != "" && w != "auto" {
		if t, err := time.ParseDuration(string(w)); err != nil || t < 0 {
			r.bad("warmup", "%q: say auto, or a time such as 30s", w)
		}
	}
	if !strings.HasPrefix(d.Ready.Path, "/") {
		r.bad("ready.path", "%q: want a path such as /hello", d.Ready.Path)
	}
	if http.StatusText(d.Ready.Status) == "" {
		r.bad("ready.status", "%d is no HTTP status: say 200, or what the core answers when it is ready", d.Ready.Status)
	}
	if d.Ready.Within < 0 || d.Stop.Grace < 0 {
		r.bad("ready.within", "times must be positive")
	}
	if k := d.APIKey; k != nil && (k.Env == "") == (k.File == "") {
		r.bad("apiKey", "name either env: VARIABLE or file: PATH that holds the key")
	}
	if len(r.errs) == 0 {
		r.templates(d)
	}
}

// words holds fields with an enum tag to it.
func (r *reader) words(d *Descriptor) {
	r.oneOf("flag", string(d.Flag), enum("Flag", reflect.TypeFor[Descriptor]())...)
	r.oneOf("start", string(d.Start), enum("Start", reflect.TypeFor[Descriptor]())...)
	r.oneOf("protocol.name", d.Protocol.Name, enum("Name", reflect.TypeFor[Protocol]())...)
	if o := d.Protocol.OAuth2; o != nil {
		r.oneOf("protocol.oauth2.login", o.Login, enum("Login", reflect.TypeFor[OAuth2]())...)
	}
	r.oneOf("stop.signal", d.Stop.Signal, enum("Signal", reflect.TypeFor[Stop]())...)
	for i, b := range d.Databases {
		r.oneOf(fmt.Sprintf("databases[%d].kind", i), b.Kind, enum("Kind", reflect.TypeFor[Database]())...)
	}
	for _, name := range slices.Sorted(maps.Keys(d.Settings)) {
		r.oneOf("settings."+name+".unit", d.Settings[name].Unit, enum("Unit", reflect.TypeFor[Setting]())...)
	}
}

// how checks what is started, and that something in it follows the flag.
func (r *reader) how(d *Descriptor) {
	switch {
	case len(d.Command) == 0 && d.Image == "" && d.Protocol.Name == OAuth2Name: // it is there already
	case len(d.Command) == 0 && d.Image == "":
		r.bad("command", "say how an instance is started: command: [program, argument, …], or image: NAME")
	case len(d.Command) > 0 && d.Image != "":
		r.bad("image", "command and image exclude each other: take one out")
	case d.Image != "" && (d.Port < 1 || d.Port > 65535):
		r.bad("port", "%d: say where the image listens, e.g. port: 3567", d.Port)
	case d.Image == "" && d.Port != 0:
		r.bad("port", "a command gets a free port: use {{.Port}} in it and take this out")
	case d.Image == "" && len(d.Args) > 0:
		r.bad("args", "these are for an image: write them into command")
	case d.Image != "" && (d.Metrics != nil || len(d.Inherit)+len(d.Logs)+len(d.Prepare) > 0):
		r.bad("image", "metrics, inherit, logs and prepare are for commands: take them out")
	}
	if exec := d.Protocol.Name == "exec"; exec != (len(d.Protocol.Adapter) > 0) {
		r.bad("protocol", "name: exec and adapter: [program, …] go together")
	}
	r.oauth2(d)
	texts := map[Flag][]string{ByArguments: slices.Concat(d.Command, d.Args), ByEnvironment: slices.Collect(maps.Values(d.Env)), ByFile: slices.Collect(maps.Values(d.Files))}
	if d.Flag == "" {
		r.bad("flag", "say what turns it on and off: %s", strings.Join(enum("Flag", reflect.TypeFor[Descriptor]()), ", "))
	}
	for way, where := range map[Flag]string{ByArguments: "command", ByEnvironment: "env", ByFile: "files"} {
		uses := slices.ContainsFunc(texts[way], func(s string) bool { return strings.Contains(s, ".Flag") })
		if d.Flag == way && !uses {
			r.bad("flag", "%s, but no template in %s uses {{.Flag}}: both sides would be the same core; add it, e.g. %q", way, where, "{{.Flag}}")
		}
		if (d.Flag == ByRequest || d.Flag == Always) && uses {
			r.bad("flag", "%s, but %s uses {{.Flag}}: say %s here", d.Flag, where, way)
		}
	}
}

func (r *reader) settings(d *Descriptor) {
	known := slices.Sorted(maps.Keys(Known))
	for _, name := range slices.Sorted(maps.Keys(d.Settings)) {
		s := d.Settings[name]
		at := "settings." + name
		if _, ok := Known[name]; !ok {
			r.oneOf(at, name, known...)
			continue
		}
		given := 0
		for _, x := range []string{s.Env, s.File, s.Argument} {
			if x != "" {
				given++
			}
		}
		switch {
		case given != 1:
			r.bad(at, "name one of env, file and argument in the core's words")
		case s.Unit != "" && Known[name] == 0:
			r.bad(at+".unit", "this setting is no time: take the unit out")
		case s.File != "" && !slices.ContainsFunc(slices.Collect(maps.Values(d.Files)), func(t string) bool { return strings.Contains(t, ".Settings") }):
			r.bad(at+".file", "no template in files uses {{.Settings}}: add {{range $k, $v := .Settings}}{{$k}}: {{$v}}{{\"\\n\"}}{{end}}")
		}
	}
}

// templates tries each with values that stand for any.
func (r *reader) templates(d *Descriptor) {
	v := Values{Host: "127.0.0.1", Port: 1, MetricsPort: 2, VerifierPort: 4, Dir: "dir", Shared: "shared", Here: d.Here, Self: "coreproof", Settings: map[string]string{},
		Database: DatabaseValues{URI: "uri", Host: "host", Port: 3, User: "user", Password: "password", Name: "name", File: "file"}, APIKey: "key"}
	try := func(path, text string, v any) {
		// Variables of the caller's are asked for when the core is started.
		if _, err := Text(text, v); err != nil && !strings.Contains(err.Error(), "error calling env") {
			r.bad(path, "template: %s", templateMend(err))
		}
	}
	for _, l := range []struct {
		at   string
		list []string
	}{{"command", d.Command}, {"args", d.Args}, {"logs", d.Logs}, {"prepare", d.Prepare}, {"protocol.oauth2.verifier", d.verifier()}} {
		for i, t := range l.list {
			try(fmt.Sprintf("%s[%d]", l.at, i), t, v)
		}
	}
	for i, t := range d.Protocol.Adapter {
		try(fmt.Sprintf("protocol.adapter[%d]", i), t, AdapterValues{Here: d.Here, Self: v.Self, APIKey: v.APIKey})
	}
	for k, t := range d.endpoints() {
		try("protocol.oauth2.endpoints."+quotePath(k), t, v)
	}
	for k, t := range d.Env {
		try("env."+quotePath(k), t, v)
	}
	for k, t := range d.Files {
		try("files."+quotePath(k), k, v)
		try("files."+quotePath(k), t, v)
	}
	for i, b := range d.Databases {
		for k, t := range b.Env {
			try(fmt.Sprintf("databases[%d].env.%s", i, quotePath(k)), t, v)
		}
	}
	try("image", d.Image, v)
	try("version", d.Version, v)
	if d.Metrics != nil {
		try("metrics.url", d.Metrics.URL, v)
	}
}

func hasKey(m map[string]string, k string) bool { _, ok := m[k]; return ok }

// quotePath makes a key one step of a path of the YAML library.
func quotePath(k string) string {
	if plainName.MatchString(k) && !strings.Contains(k, ".") {
		return k
	}
	return "'" + k + "'"
}
