package several

import (
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Log is the part of a trend that fits into one table without gaps: one target at one
// version on one machine. Apache Otava reads such tables, and takes no gap for a number.
type Log struct {
	Name    string // e.g. "postgres-cdi-5.4"
	columns []*Series
	runs    []Run
	// LeftOut are figures that some of its runs lack.
	LeftOut []string
}

// Logs of a trend, one a target, version and machine. Counts, which depend on no machine,
// are in each of them: those of its version, and those of its target.
func (t *Trend) Logs() []Log {
	type id struct{ place, machine string }
	var order []id
	by := map[id][]*Series{}
	for i := range t.Series {
		s := &t.Series[i]
		if s.Protocol == "" || s.Machine == "" {
			continue
		}
		k := id{s.Place(), s.Machine}
		if by[k] == nil {
			order = append(order, k)
		}
		by[k] = append(by[k], s)
	}
	names := map[string]int{}
	var out []Log
	for _, k := range order {
		most := by[k][0]
		for _, s := range by[k] {
			if len(s.Points) > len(most.Points) {
				most = s
			}
		}
		l := Log{Name: fileName(k.place)}
		if names[l.Name]++; names[l.Name] > 1 {
			l.Name += "-machine-" + strconv.Itoa(names[l.Name])
		}
		for _, p := range most.Points {
			l.runs = append(l.runs, t.Runs[p.Run])
		}
		for _, s := range append(by[k], t.counts(most)...) {
			if slices.EqualFunc(s.Points, most.Points, func(a, b Point) bool { return a.Run == b.Run }) {
				l.columns = append(l.columns, s)
			} else {
				l.LeftOut = append(l.LeftOut, s.Key)
			}
		}
		out = append(out, l)
	}
	return out
}

// counts of the target and version of a measured series, in its runs alone.
func (t *Trend) counts(of *Series) (out []*Series) {
	for _, s := range t.Series {
		if s.Machine != "" || s.Target != of.Target || s.Protocol != "" && s.Protocol != of.Protocol {
			continue
		}
		all := s.Points
		s.Points = nil
		for _, p := range all {
			if slices.ContainsFunc(of.Points, func(q Point) bool { return q.Run == p.Run }) {
				s.Points = append(s.Points, p)
			}
		}
		if len(s.Points) > 0 {
			out = append(out, &s)
		}
	}
	return out
}

// fileName keeps letters, digits, dots and dashes.
func fileName(s string) string {
	f := func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '.':
			return r
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		}
		return '-'
	}
	name := strings.Trim(strings.Map(f, s), "-.")
	for strings.Contains(name, "--") {
		name = strings.ReplaceAll(name, "--", "-")
	}
	if name == "" {
		return "runs"
	}
	return name
}

// column names a figure as YAML and a command line take it.
func column(s *Series) string { return strings.ReplaceAll(s.Key, "-", "_") }

// CSV writes the log: time, proof, version, and a column a figure.
func (l *Log) CSV(w io.Writer) error {
	out := csv.NewWriter(w)
	head := []string{"time", "proof", "version"}
	for _, s := range l.columns {
		head = append(head, column(s))
	}
	rows := [][]string{head}
	for i, r := range l.runs {
		row := []string{r.Started.UTC().Format(time.RFC3339), r.Name, r.Tool}
		for _, s := range l.columns {
			row = append(row, strconv.FormatFloat(s.Points[i].Value, 'g', -1, 64))
		}
		rows = append(rows, row)
	}
	if err := out.WriteAll(rows); err != nil {
		return fmt.Errorf("write %s as CSV: %w", l.Name, err)
	}
	return nil
}

// Config is Otava's description of the log in file: what a test's YAML needs.
func (l *Log) Config(file string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "  %s:\n    type: csv\n    file: %s\n    time_column: time\n    attributes: [proof, version]\n    metrics:\n", l.Name, strconv.Quote(file))
	for _, s := range l.columns {
		direction := 1
		if s.Less {
			direction = -1
		}
		fmt.Fprintf(&b, "      %s:\n        scale: 1.0\n        direction: %d\n", column(s), direction)
	}
	return b.String()
}
