package descriptor

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"text/template"
	"time"
)

// Values are what templates may use.
type Values struct {
	Host              string // where an instance is to listen
	Port, MetricsPort int
	VerifierPort      int    // where a program beside it is to listen
	URL               string // its base URL, where it is there already
	Instance          int    // its number, from 0
	Dir               string // its working folder
	Shared            string // folder of all instances on one database
	Flag              bool
	// Build is the program or image that a gate tries; "" outside of one.
	Build string
	// Settings that were asked for, by the core's own keys.
	Settings map[string]string
	Database DatabaseValues
	APIKey   string
	Here     string // folder of the descriptor
	Self     string // this program
	// SelfVersion is this program's version.
	SelfVersion string
}

// AdapterValues are what templates of an adapter may use: one adapter speaks to all
// instances, on whatever database, and each call names the URL.
type AdapterValues struct {
	APIKey, Here, Self, SelfVersion string
}

// DatabaseValues are the database's parts.
type DatabaseValues struct {
	Kind, URI, Host      string
	Port                 int
	User, Password, Name string
	File                 string // of sqlite
}

var functions = template.FuncMap{
	// env is a variable of the caller's that must be there.
	"env": func(name string) (string, error) {
		v, ok := os.LookupEnv(name)
		if !ok {
			return "", fmt.Errorf("variable %s is not set", name)
		}
		return v, nil
	},
	// quote makes a text one JSON string, which is one in YAML too.
	"quote": func(s string) (string, error) {
		b, err := json.Marshal(s)
		return string(b), err
	},
}

func parse(text string) (*template.Template, error) {
	return template.New("").Option("missingkey=error").Funcs(functions).Parse(text)
}

// Text is one template with its values.
func Text(text string, v any) (string, error) {
	t, err := parse(text)
	if err != nil {
		return "", templateError(err)
	}
	var b strings.Builder
	if err := t.Execute(&b, v); err != nil {
		return "", templateError(err)
	}
	return b.String(), nil
}

// templateError leaves out what the library says of a template without a name.
func templateError(err error) error {
	text := err.Error()
	if i := strings.Index(text, ">: "); i >= 0 {
		text = text[i+3:]
	}
	text = strings.TrimPrefix(strings.TrimPrefix(text, "template: "), ":1: ")
	return errors.New(text)
}

// Instance is one instance as it is to be started.
type Instance struct {
	Command []string // of a command
	Image   string   // of an image
	Args    []string
	Env     map[string]string
	Files   map[string]string
	Logs    []string
	Metrics string
	Adapter []string
	Version string
	Prepare []string
	// Endpoints and Verifier of an authorization server.
	Endpoints map[string]string
	Verifier  []string
}

// Instance renders all that one instance needs. settings are by the harness's
// names; v.Settings is filled in from them.
func (d *Descriptor) Instance(b Database, v Values, settings map[string]string) (Instance, error) {
	v.Here, v.Database.Kind = d.Here, b.Kind
	out := Instance{Env: map[string]string{}, Files: map[string]string{}}
	v.Settings = map[string]string{}
	asked := map[string]string{} // variables for settings: they win over what stands there always
	var extra []string
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		s := d.Settings[name]
		value, err := s.Spell(name, settings[name])
		if err != nil {
			return out, fmt.Errorf("setting %s: %w", name, err)
		}
		switch {
		case s.Env != "":
			asked[s.Env] = value
		case s.Argument != "":
			extra = append(extra, s.Argument+"="+value)
		case s.File != "":
			v.Settings[s.File] = value
		}
	}
	var err error
	list := func(what string, texts []string) (all []string) {
		for _, t := range texts {
			s, e := Text(t, v)
			if e != nil {
				err = errors.Join(err, fmt.Errorf("%s: %w", what, e))
			}
			if s != "" {
				all = append(all, s)
			}
		}
		return all
	}
	one := func(what, text string) string { return strings.Join(list(what, []string{text}), "") }
	out.Command, out.Image, out.Args = list("command", d.Command), one("image", d.Image), list("args", d.Args)
	if first := slices.Concat(d.Command, []string{d.Image})[0]; d.UsesBuild() && v.Build == "" && first != "" && one("command", first) == "" {
		err = errors.Join(err, fmt.Errorf("%s stands for what gate tries, and here nothing is named: write e.g. {{or .Build \"./core\"}}", first))
	}
	if len(d.Command) > 0 {
		out.Command = append(out.Command, extra...)
	} else {
		out.Args = append(out.Args, extra...)
	}
	for _, env := range []map[string]string{d.Env, b.Env} {
		for name, text := range env {
			out.Env[name] = one("env."+name, text)
		}
	}
	maps.Copy(out.Env, asked)
	for path, text := range d.Files {
		to := one("files", path)
		if d.Image == "" {
			if !filepath.IsLocal(to) {
				err = errors.Join(err, fmt.Errorf("files: %s leads out of the instance's working folder", path))
			}
			to = filepath.Join(v.Dir, to)
		}
		out.Files[to] = one("files."+path, text)
	}
	for _, l := range list("logs", d.Logs) {
		out.Logs = append(out.Logs, filepath.Join(v.Dir, filepath.Base(l)))
		if filepath.IsLocal(l) {
			out.Logs[len(out.Logs)-1] = filepath.Join(v.Dir, l)
		}
	}
	if d.Metrics != nil {
		out.Metrics = one("metrics.url", d.Metrics.URL)
	}
	out.Adapter, out.Version = list("protocol.adapter", d.Protocol.Adapter), one("version", d.Version)
	out.Prepare, out.Verifier, out.Endpoints = list("prepare", d.Prepare), list("protocol.oauth2.verifier", d.verifier()), map[string]string{}
	for name, text := range d.endpoints() {
		out.Endpoints[name] = one("protocol.oauth2.endpoints."+name, text)
	}
	for _, command := range [][]string{out.Command, out.Adapter, out.Prepare, out.Verifier} {
		// Beside the descriptor: an instance's own folder is empty.
		if len(command) > 0 && strings.ContainsAny(command[0], `/\`) && !filepath.IsAbs(command[0]) {
			command[0] = filepath.Join(d.Here, command[0])
		}
	}
	return out, err
}

// Spell gives a value of the setting of a name in the core's unit.
func (s Setting) Spell(name, value string) (string, error) {
	from, to := Known[name], units[s.Unit]
	if from == 0 || to == 0 || from == to {
		return value, nil
	}
	n, err := strconv.ParseFloat(value, 64)
	if err != nil {
		return "", fmt.Errorf("%q is no number", value)
	}
	total := time.Duration(n * float64(from))
	if total%to != 0 {
		return "", fmt.Errorf("%s cannot be told in whole %s", total, s.Unit)
	}
	return strconv.FormatInt(int64(total/to), 10), nil
}

// Key reads the API key from where the descriptor says; "" when it names none.
func (d *Descriptor) Key() (string, error) {
	switch {
	case d.APIKey == nil:
		return "", nil
	case d.APIKey.Env != "":
		v := os.Getenv(d.APIKey.Env)
		if v == "" {
			return "", fmt.Errorf("target %s: apiKey: variable %s is not set: set it to the key", d.Name, d.APIKey.Env)
		}
		return v, nil
	}
	path := d.APIKey.File
	if !filepath.IsAbs(path) {
		path = filepath.Join(d.Here, path)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("target %s: apiKey: %w", d.Name, err)
	}
	key := strings.TrimSpace(string(b))
	if key == "" {
		return "", fmt.Errorf("target %s: apiKey: %s is empty: write the key into it", d.Name, path)
	}
	return key, nil
}
