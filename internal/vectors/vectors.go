// Package vectors plays exchanges that were recorded from a real core against
// another one and says where the two differ. The rules by which two answers
// agree are in mask.go.
package vectors

import (
	"archive/tar"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// Scenario is a recorded sequence of exchanges at one CDI version under one
// configuration.
type Scenario struct {
	Name   string            `json:"scenario"`
	CDI    string            `json:"cdi"`
	Config string            `json:"config"`
	Needs  map[string]any    `json:"needs"`
	Env    map[string]string `json:"env"` // values saved while recording
	Steps  []Step            `json:"steps"`
	File   string            `json:"-"`
}

// Flag says whether the scenario was recorded with access token blacklisting on.
func (s *Scenario) Flag() bool { return strings.Contains(s.Config, "flag=on") }

// Step is one recorded exchange.
type Step struct {
	ID       string            `json:"id"`
	Method   string            `json:"method"`
	Path     string            `json:"path"`
	Headers  map[string]string `json:"headers"`
	Body     json.RawMessage   `json:"body"`
	Raw      *string           `json:"raw"`
	SleepMS  int               `json:"sleep_ms"`
	Save     map[string]string `json:"save"`
	Response *Answer           `json:"response"` // as it came
	Means    *Answer           `json:"means"`    // masked already
}

// Answer is a response.
type Answer struct {
	Status      int               `json:"status"`
	ContentType string            `json:"content_type"`
	Headers     map[string]string `json:"headers"`
	Body        json.RawMessage   `json:"body"`
	Text        string            `json:"text"`
}

// Load reads all scenarios from a .tar.gz archive.
func Load(path string) ([]Scenario, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("load vectors: %w", err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, fmt.Errorf("load vectors from %s: %w", path, err)
	}
	var all []Scenario
	for archive := tar.NewReader(z); ; {
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, fmt.Errorf("load vectors from %s: %w", path, err)
		}
		var s Scenario
		if err := json.NewDecoder(archive).Decode(&s); err != nil {
			return nil, fmt.Errorf("load vectors from %s: %s: %w", path, h.Name, err)
		}
		s.File = h.Name
		all = append(all, s)
	}
}
