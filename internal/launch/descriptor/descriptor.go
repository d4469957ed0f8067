// Package descriptor reads how a core that nobody here wrote is brought up: a YAML
// file whose texts are Go templates. What it reads is checked as a whole before
// anything is started, and an error points at line and column and says the mend.
// docs/targets.md is the page for its writers.
package descriptor

import (
	"slices"
	"strings"
	"time"
)

// Descriptor says how one core is brought up. The tags make the published JSON
// Schema too: doc is the text, enum the words that a field takes.
type Descriptor struct {
	Name     string   `yaml:"name" doc:"what the core is called in reports" required:"true"`
	About    string   `yaml:"about,omitempty" doc:"one line about it"`
	Tried    string   `yaml:"tried,omitempty" doc:"where this descriptor was tried, or that it was not"`
	Version  string   `yaml:"version,omitempty" doc:"version of the core for reports; a template"`
	Protocol Protocol `yaml:"protocol,omitempty" doc:"how the core is spoken to; CDI when left out"`

	Command []string          `yaml:"command,omitempty" doc:"program and arguments of one instance; templates; an argument that comes out empty is left out"`
	Prepare []string          `yaml:"prepare,omitempty" doc:"program and arguments that run once on each new database before its first instance, e.g. its migrations; templates, with the environment of an instance"`
	Image   string            `yaml:"image,omitempty" doc:"container image of one instance, instead of command; a template"`
	Args    []string          `yaml:"args,omitempty" doc:"arguments for the image's entrypoint; templates"`
	Port    int               `yaml:"port,omitempty" doc:"where the image listens; commands get a free port as {{.Port}}"`
	Env     map[string]string `yaml:"env,omitempty" doc:"environment; values are templates"`
	Inherit []string          `yaml:"inherit,omitempty" doc:"variables of the caller that a command keeps, besides PATH, HOME and the like"`
	Files   map[string]string `yaml:"files,omitempty" doc:"files written for each instance before it starts: path (below its working folder, or absolute in an image) to content; both templates"`

	Flag      Flag               `yaml:"flag" doc:"what turns access token blacklisting on and off: a template in env, files or args that uses {{.Flag}}; request: each request decides; always: the core always checks" enum:"environment,file,arguments,request,always" required:"true"`
	Settings  map[string]Setting `yaml:"settings,omitempty" doc:"settings that checks may ask for, by the harness's names, in the core's; leave out what the core lacks"`
	Databases []Database         `yaml:"databases,omitempty" doc:"databases that it runs on; the first one is the default, --db chooses another; none when left out"`

	Ready     Ready  `yaml:"ready,omitempty" doc:"when an instance is ready"`
	Start     Order  `yaml:"start,omitempty" doc:"whether instances are started one after another (the default) or together" enum:"in turn,together"`
	Stop      Stop   `yaml:"stop,omitempty" doc:"how a command is stopped"`
	Warmup    Warmup `yaml:"warmup,omitempty" doc:"auto (until figures are steady), or how long each instance is called before it is measured, e.g. 30s"`
	Instances int    `yaml:"instances,omitempty" doc:"how many instances can share one database; 0 is any number"`

	APIKey  *Secret  `yaml:"apiKey,omitempty" doc:"where the API key is found; never the key itself"`
	Logs    []string `yaml:"logs,omitempty" doc:"log files below the working folder that are kept beside the proof, besides what a command prints; templates"`
	Metrics *Metrics `yaml:"metrics,omitempty" doc:"where a command tells how many statements it sent, for a database that counts none"`

	// Here is the folder of the file that it was read from; "" for a shipped one.
	Here string `yaml:"-"`
}

// Protocol of a core.
type Protocol struct {
	Name     string   `yaml:"name,omitempty" doc:"CDI, exec for an adapter, or oauth2 for an authorization server" enum:"CDI,exec,oauth2"`
	Versions []string `yaml:"versions,omitempty" doc:"versions to speak of those that the core names; all when left out"`
	Adapter  []string `yaml:"adapter,omitempty" doc:"for exec: program and arguments of the adapter; templates"`
	OAuth2   *OAuth2  `yaml:"oauth2,omitempty" doc:"for oauth2: who logs in, and where"`
}

// Flag says what turns access token blacklisting on and off.
type Flag string

// The ways of the flag.
const (
	ByEnvironment Flag = "environment"
	ByFile        Flag = "file"
	ByArguments   Flag = "arguments"
	ByRequest     Flag = "request"
	Always        Flag = "always"
)

// Setting is a setting in the core's words. One of Env, File and Argument is given.
type Setting struct {
	Env      string `yaml:"env,omitempty" doc:"environment variable that takes it"`
	File     string `yaml:"file,omitempty" doc:"its key in {{.Settings}}, which a template in files ranges over"`
	Argument string `yaml:"argument,omitempty" doc:"argument that takes it, as NAME=VALUE"`
	Unit     string `yaml:"unit,omitempty" doc:"the core's unit of a time; the harness's own when left out" enum:"milliseconds,seconds,minutes,hours"`
}

// Database is one that the core runs on.
type Database struct {
	Kind string            `yaml:"kind" doc:"product" enum:"none,sqlite,postgres,mysql,mariadb,mongo" required:"true"`
	Env  map[string]string `yaml:"env,omitempty" doc:"environment on this database, e.g. its URI; templates"`
}

// Ready says when an instance is ready.
type Ready struct {
	Path   string        `yaml:"path,omitempty" doc:"path that is asked; /hello when left out"`
	Status int           `yaml:"status,omitempty" doc:"HTTP status of the answer; 200 when left out"`
	Text   string        `yaml:"text,omitempty" doc:"what the answer must hold too"`
	Within time.Duration `yaml:"within,omitempty" doc:"how long it may take; 60s when left out"`
}

// Order in which instances are started.
type Order string

// The orders.
const (
	InTurn   Order = "in turn"
	Together Order = "together"
)

// Stop says how a command is stopped.
type Stop struct {
	Signal string        `yaml:"signal,omitempty" doc:"what it is sent; TERM when left out" enum:"TERM,INT,QUIT,HUP,KILL"`
	Grace  time.Duration `yaml:"grace,omitempty" doc:"how long it may take before it is killed; 10s when left out"`
}

// Warmup is "", "auto" or a time.
type Warmup string

// For is how long cores are called before they are measured; 0 for auto.
func (w Warmup) For() time.Duration {
	d, _ := time.ParseDuration(string(w)) // checked when it was read
	return d
}

// Secret says where a secret is found.
type Secret struct {
	Env  string `yaml:"env,omitempty" doc:"environment variable that holds it"`
	File string `yaml:"file,omitempty" doc:"file that holds it"`
}

// Metrics is a counter in the Prometheus text format.
type Metrics struct {
	URL        string `yaml:"url" doc:"where it is read; a template; {{.MetricsPort}} is a free port" required:"true"`
	Statements string `yaml:"statements" doc:"name of the counter of statements" required:"true"`
}

// Known are the settings that checks may ask for, each with the harness's unit
// (0 for what is no time).
var Known = map[string]time.Duration{
	"access_token_validity":                            time.Second,
	"access_token_validity_jitter":                     0,
	"refresh_token_validity":                           time.Minute,
	"refresh_token_rotation_grace_period":              time.Second,
	"access_token_dynamic_signing_key_update_interval": time.Hour,
	"connection_pool_size":                             0,
}

var units = map[string]time.Duration{"milliseconds": time.Millisecond, "seconds": time.Second, "minutes": time.Minute, "hours": time.Hour}

// databases of a descriptor that names none.
var noDatabase = []Database{{Kind: "none"}}

func (d *Descriptor) fill() {
	if d.Protocol.Name == "" {
		d.Protocol.Name = "CDI"
	}
	if len(d.Databases) == 0 {
		d.Databases = noDatabase
	}
	if d.Ready.Path == "" {
		d.Ready.Path = "/hello"
	}
	if d.Ready.Status == 0 {
		d.Ready.Status = 200
	}
	if d.Ready.Within == 0 {
		d.Ready.Within = time.Minute
	}
	if d.Start == "" {
		d.Start = InTurn
	}
	if d.Stop.Signal == "" {
		d.Stop.Signal = "TERM"
	}
	if d.Stop.Grace == 0 {
		d.Stop.Grace = 10 * time.Second
	}
}

// Kinds are the databases that it runs on.
func (d *Descriptor) Kinds() []string {
	var kinds []string
	for _, b := range d.Databases {
		kinds = append(kinds, b.Kind)
	}
	return kinds
}

// UsesBuild says whether what is started is what a caller names: with {{.Build}} in its
// command or image.
func (d *Descriptor) UsesBuild() bool {
	return slices.ContainsFunc(append(slices.Clone(d.Command), d.Image), func(s string) bool { return strings.Contains(s, ".Build") })
}
