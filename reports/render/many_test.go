package render_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/render/many"
	"github.com/coreproof/coreproof/reports/render/sheet"
	"github.com/coreproof/coreproof/reports/verdict/several"
)

// sheets of several proofs, each text of which may be hostile.
func sheets(t *testing.T, evil string) map[string]*sheet.Sheet {
	t.Helper()
	var list []several.Named
	for i := range 20 {
		p := example(t, "swept")
		p.Started = p.Started.AddDate(0, 0, i)
		p.Targets[0].Name += evil
		p.Targets[0].Bench[0].Protocol += evil
		p.Machine.CPU += evil
		p.Digest = fmt.Sprint(i)
		if i > 11 {
			p.Targets[0].Core.Version = evil + "2"
			for k := range p.Targets[0].Bench[0].Rounds {
				for w := range p.Targets[0].Bench[0].Rounds[k].Windows {
					if x := &p.Targets[0].Bench[0].Rounds[k].Windows[w]; x.Variant == "on" {
						x.CPU *= 1.3
					}
				}
			}
		}
		list = append(list, several.Named{Name: fmt.Sprintf("run-%02d%s", i, evil), Proof: p})
	}
	return map[string]*sheet.Sheet{
		"comparison": many.Comparison(several.Compare([]several.Named{list[0], list[19], {Name: evil, Proof: example(t, "failing")}})),
		"trend":      many.Trend(several.Follow(list), "runs"+evil),
	}
}

func shown(t *testing.T, s *sheet.Sheet, format string) string {
	t.Helper()
	f, ok := sheet.Find(format)
	if !ok {
		t.Fatalf("there is no format %s", format)
	}
	var buf bytes.Buffer
	if err := f.Render(&buf, s); err != nil {
		t.Fatal(err)
	}
	return buf.String()
}

func TestSheets(t *testing.T) {
	t.Parallel()
	for name, s := range sheets(t, "") {
		for _, f := range sheet.Formats {
			text := shown(t, s, f.Name)
			want := map[string]string{"comparison": "WORSE", "trend": "GOT WORSE"}[name]
			for _, part := range []string{want, "core CPU a call, flag on", "run-12"} {
				if part == "run-12" && name != "trend" {
					continue
				}
				if !strings.Contains(text, part) {
					t.Errorf("%s as %s lacks %q", name, f.Name, part)
				}
			}
			if again := shown(t, s, f.Name); again != text {
				t.Errorf("%s as %s: two renderings differ", name, f.Name)
			}
			harmless(t, f.Name, text)
		}
		inspect(t, shown(t, s, "html"))
	}
}

// TestTablesSayWhatTheyAreOf: two versions of one target are told apart in every format, and
// each table follows its own name.
func TestTablesSayWhatTheyAreOf(t *testing.T) {
	t.Parallel()
	s := many.Comparison(several.Compare([]several.Named{{Name: "before", Proof: example(t, "good")}, {Name: "after", Proof: example(t, "good")}}))
	if n := len(s.Sections[0].Tables); n != 3 {
		t.Fatalf("%d tables, want one of the target and one a version", n)
	}
	for _, f := range sheet.Formats {
		text := shown(t, s, f.Name)
		for _, table := range s.Sections[0].Tables {
			_, after, ok := strings.Cut(text, table.Caption+"\n")
			if f.Name == "html" {
				_, after, ok = strings.Cut(text, "<caption>"+table.Caption+"</caption>")
			}
			if head := strings.Index(after, "Figure"); !ok || head < 0 || head > 60 {
				t.Errorf("%s as %s is not above its table:\n%s", table.Caption, f.Name, text)
			}
		}
	}
}

// TestSheetsEscapeEverything that proofs and paths hold.
func TestSheetsEscapeEverything(t *testing.T) {
	t.Parallel()
	const evil = `</style></svg></title>"'><script>alert(1)</script>|*_@x` + "\x1b[2J\u202e\n\n# x"
	for name, s := range sheets(t, evil) {
		page := shown(t, s, "html")
		inspect(t, page)
		if !strings.Contains(page, "&lt;script&gt;alert(1)&lt;/script&gt;") {
			t.Errorf("%s: the text is not shown either", name)
		}
		if m := shown(t, s, "markdown"); strings.Contains(m, "<script") || strings.Contains(m, "\n# x") || strings.Contains(m, "@x") {
			t.Errorf("%s: markdown takes foreign text for markup", name)
		}
		for _, f := range sheet.Formats {
			if text := shown(t, s, f.Name); strings.ContainsAny(text, "\x1b\u202e") {
				t.Errorf("%s as %s lets control characters through", name, f.Name)
			}
		}
	}
}

// TestHeadings: a good word stands on top only where nothing below it says otherwise.
func TestHeadings(t *testing.T) {
	t.Parallel()
	a := func(answers ...several.Answer) *several.Comparison {
		c := &several.Comparison{Base: several.Named{Name: "base", Proof: example(t, "good")}}
		for i, x := range answers {
			c.Others = append(c.Others, several.Against{Named: several.Named{Name: fmt.Sprint(i), Proof: example(t, "good")}, Answer: x})
		}
		return c
	}
	for _, tc := range []struct {
		answers []several.Answer
		want    string
	}{
		{[]several.Answer{several.Better}, "BETTER"},
		{[]several.Answer{several.Better, several.Better}, "BETTER"},
		{[]several.Answer{several.Noise, several.Better}, "MIXED"},
		{[]several.Answer{several.Better, several.Untold}, "CANNOT BE TOLD"},
		{[]several.Answer{several.Better, several.Worse}, "WORSE"},
		{[]several.Answer{several.Noise, several.Noise}, "NO DIFFERENCE SHOWN"},
	} {
		if got := many.Comparison(a(tc.answers...)).Word; got != tc.want {
			t.Errorf("%v: %s, want %s", tc.answers, got, tc.want)
		}
	}

	run := several.Run{Name: "night-1", Outcome: proof.Fail}
	mended := several.Series{Key: "logouts-broken", Name: "logouts", Exact: true, Points: make([]several.Point, 2), Changes: []several.ChangePoint{{Point: 1, Before: 3, Answer: several.Better}}}
	otherwise := several.Series{Key: "core-cpu-on", Name: "cpu", Points: make([]several.Point, 2), Changes: []several.ChangePoint{{Point: 1, Before: 1, After: 2, Answer: several.Untold, Why: "another rate"}}}
	for _, tc := range []struct {
		trend several.Trend
		want  string
		text  string
	}{
		{several.Trend{Series: []several.Series{mended}, Broken: []several.Broken{{Target: "mysql", Text: "3 of 500"}}}, "LET CALLS IN", "3 of 500 of mysql at night-1"},
		{several.Trend{Series: []several.Series{mended}, Broken: []several.Broken{{Target: "mysql", Text: "3 of 500", Mended: true}}}, "CHANGED", "3 of 500 of mysql at night-1"},
		{several.Trend{Series: []several.Series{otherwise}}, "CHANGED", "cannot be told"},
	} {
		tc.trend.Runs = []several.Run{run, run}
		s := many.Trend(&tc.trend, "x")
		if text := shown(t, s, "terminal"); s.Word != tc.want || !strings.Contains(strings.Join(strings.Fields(text), " "), tc.text) {
			t.Errorf("%s, want %s with %q:\n%s", s.Word, tc.want, tc.text, text)
		}
		if text := strings.Join(s.Notes, "\n"); !strings.Contains(text, "2 runs did not pass: night-1 (fail)") {
			t.Errorf("runs that failed are not named:\n%s", text)
		}
	}
}
