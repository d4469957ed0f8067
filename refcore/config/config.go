// Package config reads the core's settings from config.yaml and the
// environment, under the real core's names and with its limits. It knows no
// store: each brings the rows of its own.
package config

import (
	"fmt"
	"log/slog"
	"os"
	"regexp"
	"time"

	"github.com/coreproof/coreproof/refcore"
	"github.com/coreproof/coreproof/refcore/setting"
	"github.com/coreproof/coreproof/refcore/store"
)

// Config is everything that a core is started with.
type Config struct {
	Port     int
	Host     string
	BasePath string
	APIKeys  []string
	MaxCDI   string
	MinCDI   string
	IPAllow  *regexp.Regexp
	IPDeny   *regexp.Regexp
	// LogLevel below which nothing is logged; Quiet logs nothing at all.
	LogLevel slog.Level
	Quiet    bool
	// InfoLogPath and ErrorLogPath are files; "" is standard error.
	InfoLogPath, ErrorLogPath string
	JSONLogs                  bool
	Engine                    refcore.Settings
	// DatabaseWait is how long to wait for a database that cannot be reached yet.
	DatabaseWait time.Duration
	// File that was read; "" for none.
	File string
	// Kind of store, and how to open it.
	Kind  store.Kind
	Store store.Config
	// Warnings are for the log: unknown keys, settings without effect.
	Warnings []string
}

// Error is a setting that cannot be used; its text is one line that names it.
type Error = setting.Error

// Source is where settings come from.
type Source struct {
	// File is the path of config.yaml; "" reads none.
	File string
	// Environ is "NAME=value" as os.Environ gives it.
	Environ []string
	// Kinds of store that can be chosen; the first is used when no connection is set.
	Kinds []store.Kind
	// Versions of the protocol that can be named, oldest first.
	Versions []string
}

// build is a Config in the making.
type build struct {
	Config
	src Source
	v   *setting.Values
	// names are what each setting that was given was found under last: a key of the
	// file in quotes, or a variable.
	names map[string]string
	// without are names of settings without effect here.
	without []string
	// links are variables that Kubernetes set for a service, by the setting's key:
	// errors only for a setting that counts.
	links map[string]error
}

// Load reads and validates all settings: defaults, then the file, then the
// environment. The error is an Error when a setting cannot be used.
func Load(src Source) (*Config, error) {
	all := Settings(src.Kinds)
	b := &build{
		src: src, v: setting.NewValues(all), Config: Config{File: src.File, Engine: refcore.DefaultSettings()},
		names: map[string]string{}, links: map[string]error{},
	}
	if src.File != "" {
		text, err := os.ReadFile(src.File)
		if err != nil {
			return nil, Error(fmt.Sprintf("config file %s: %v", src.File, unwrapPath(err)))
		}
		if err := b.readFile(all, text); err != nil {
			return nil, err
		}
	}
	if err := b.readEnviron(all); err != nil {
		return nil, err
	}
	b.warnWithout()
	for _, r := range table {
		if err := b.links[r.Key]; err != nil {
			return nil, err
		}
		if r.into == nil {
			continue
		}
		if err := r.into(b, r.Key); err != nil {
			return nil, err
		}
	}
	if err := b.pickStore(); err != nil {
		return nil, err
	}
	return &b.Config, nil
}

// unwrapPath drops the path that the message names already.
func unwrapPath(err error) error {
	if pe, ok := err.(*os.PathError); ok {
		return pe.Err
	}
	return err
}

// inFile is what the real core adds to errors of the base config.
func (b *build) inFile(text string) error {
	if b.src.File != "" {
		text += " The config file can be found here: " + b.src.File
	}
	return Error(text)
}
