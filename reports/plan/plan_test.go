package plan_test

import (
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coreproof/coreproof/reports/examples"
	"github.com/coreproof/coreproof/reports/plan"
	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/verdict"
)

// swept is an example whose load curves have no noise: flag off the knee is 5,400/s,
// CPU per call 150 + 12,000/λ; flag on 3,960/s, 205 + 15,000/λ and 40 + 22,000/λ of the
// database.
func swept(t *testing.T, edits ...func(*proof.Proof)) *proof.Proof {
	t.Helper()
	e, ok := examples.Named("swept")
	if !ok {
		t.Fatal("there is no example swept")
	}
	e.Proof.Targets[0].Bench[0].Sweep = examples.Sweep(4, 0,
		examples.Curve{Variant: "off", Limit: 6000, Delay: 0.12, CPU: 150, PerSecond: 12000},
		examples.Curve{Variant: "on", Limit: 4400, Delay: 0.2, CPU: 205, PerSecond: 15000, DB: 40, DBPerSecond: 22000, Idle: *e.Proof.Targets[0].Bench[0].IdleDatabaseCPU})
	for _, edit := range edits {
		edit(e.Proof)
	}
	verdict.Derive(e.Proof)
	return e.Proof
}

func ask(edits ...func(*plan.Ask)) plan.Ask {
	a := plan.Ask{RPS: 3500, VerifyShare: 1, Headroom: 0.4, Flags: []string{plan.Off, plan.On}, InstancesFail: 1}
	for _, edit := range edits {
		edit(&a)
	}
	return a
}

func value(t *testing.T, s *plan.Side, key string) float64 {
	t.Helper()
	f := s.Figure(key)
	if f == nil || f.Value == nil {
		t.Fatalf("flag %s: no %s: %+v", s.Flag, key, f)
	}
	return *f.Value
}

// TestMake against figures worked out by hand.
func TestMake(t *testing.T) {
	t.Parallel()
	p := swept(t)
	cost := p.Targets[0].Bench[0].Cost.CostPerCall.Value
	got, err := plan.Make(p, ask(func(a *plan.Ask) { a.VCPUPrice, a.Sessions = 0.04, 5000 }))
	if err != nil {
		t.Fatal(err)
	}
	// 60 % of 5,400 is 3,240 and of 3,960 2,376: two instances each carry 3,500, one more
	// may fail. Each carries 1,750 then.
	coreOn, db := 205+15000./1750, 40+22000./3500
	vcpuDB := 3500 * db / 1e6 / 0.6
	for flag, want := range map[int]map[string]float64{
		0: {"instances": 3, "instance-rate": 1750, "core-cpu": 150 + 12000./1750, "core-vcpu-busy": 3500 * (150 + 12000./1750) / 1e6, "core-vcpu": 3,
			"statements": 0, "database-cpu": 0, "database-vcpu": 0, "connections": 0, "total-vcpu": 3, "price": 3 * 0.04 * 730, "disk": 2_990_080,
			"p99": 4.2 * (0.12 + 1000*(1./4800+(550./600)*(1./4200-1./4800)))},
		1: {"instances": 3, "core-cpu": coreOn, "core-vcpu-busy": 3500 * coreOn / 1e6, "core-vcpu": 3, "statements": 3500, "database-cpu": db, "database-vcpu": vcpuDB,
			"connections": math.Max(3, math.Ceil(3500*cost/1000/0.6)), "total-vcpu": 3 + vcpuDB, "price": (3 + vcpuDB) * 0.04 * 730, "disk": 2_998_272},
	} {
		side := &got.Cases[0].Sides[flag]
		for key, x := range want {
			if v := value(t, side, key); !(math.Abs(v-x) <= 1e-3*math.Abs(x)) {
				t.Errorf("flag %s: %s = %g, want %g", side.Flag, key, v, x)
			}
		}
		for _, f := range side.Figures {
			if f.Extrapolated || f.Value != nil && f.Formula == "" || f.Value == nil && f.Missing == "" {
				t.Errorf("flag %s: %+v", side.Flag, f)
			}
		}
	}
	added := plan.Side{Figures: got.Cases[0].Flag}
	if v := value(t, &added, "total-vcpu"); math.Abs(v-vcpuDB) > 1e-3 {
		t.Errorf("the flag adds %g vCPU, want %g", v, vcpuDB)
	}
	again, err := plan.Make(p, got.Ask)
	if err != nil || !reflect.DeepEqual(got, again) {
		t.Errorf("the same proof gave another plan (%v)", err)
	}
}

// TestP99Binds: a p99 that holds up to fewer calls than the headroom leaves needs more
// instances.
func TestP99Binds(t *testing.T) {
	t.Parallel()
	// Flag off, 2,400/s: 4.2 · (0.12 + 1/3.6) = 1.6707 ms.
	got, err := plan.Make(swept(t), ask(func(a *plan.Ask) {
		a.RPS, a.InstancesFail, a.P99, a.Flags = 12000, 0, 1671*time.Microsecond, []string{plan.Off}
	}))
	if err != nil {
		t.Fatal(err)
	}
	side := &got.Cases[0].Sides[0]
	if n, p99 := value(t, side, "instances"), value(t, side, "p99"); n != 6 && n != 5 || p99 > 1.672 {
		t.Errorf("%g instances with a p99 of %g ms, want 5 or 6 with at most 1.671", n, p99)
	}
	if _, err := plan.Make(swept(t), ask(func(a *plan.Ask) { a.P99 = 100 * time.Microsecond })); err == nil {
		t.Error("a p99 below all that was measured was planned for")
	}
}

func TestBeyondWhatWasMeasured(t *testing.T) {
	t.Parallel()
	for name, edit := range map[string]func(*plan.Ask){
		"the database saw fewer statements": func(a *plan.Ask) { a.RPS = 20000 },
		"an instance saw more":              func(a *plan.Ask) { a.RPS, a.InstancesFail = 10, 0 },
		"flag off at fewer calls alone":     func(a *plan.Ask) { a.RPS, a.InstancesFail, a.Flags = 20, 0, []string{plan.Off} },
	} {
		a := ask(edit)
		if _, err := plan.Make(swept(t), a); err == nil || !strings.Contains(err.Error(), "--extrapolate") {
			t.Errorf("%s: %v", name, err)
		}
		a.Extrapolate = true
		got, err := plan.Make(swept(t), a)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		marked := 0
		for _, s := range got.Cases[0].Sides {
			for _, f := range s.Figures {
				if f.Extrapolated {
					marked++
				}
			}
		}
		if marked == 0 {
			t.Errorf("%s: nothing is marked", name)
		}
	}
}

// TestSessionsTakeTheirSpace: many more than were measured are marked, not refused.
func TestSessionsTakeTheirSpace(t *testing.T) {
	t.Parallel()
	got, err := plan.Make(swept(t), ask(func(a *plan.Ask) { a.Sessions = 1e6 }))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range got.Cases[0].Sides {
		for _, f := range s.Figures {
			if f.Extrapolated != (f.Key == "disk") {
				t.Errorf("flag %s: %s: extrapolated = %v", s.Flag, f.Key, f.Extrapolated)
			}
		}
	}
	if notes := strings.Join(got.Cases[0].Notes, "\n"); !strings.Contains(notes, "bench --rows") {
		t.Errorf("nothing says that lookups among so many were not measured:\n%s", notes)
	}
}

// TestP99IntervalBinds: the bound of the number of instances is that at which the whole
// interval of p99 is within the limit.
func TestP99IntervalBinds(t *testing.T) {
	t.Parallel()
	noisy := func(p *proof.Proof) {
		s := p.Targets[0].Bench[0].Sweep
		for i := range s.Points {
			s.Points[i].P99 *= 1 + 0.1*float64(s.Points[i].Block-1)
		}
	}
	binding := ask(func(a *plan.Ask) {
		a.RPS, a.InstancesFail, a.P99, a.Flags = 12000, 0, 1900*time.Microsecond, []string{plan.Off}
	})
	got, err := plan.Make(swept(t, noisy), binding)
	if err != nil {
		t.Fatal(err)
	}
	side := &got.Cases[0].Sides[0]
	if f := side.Figure("instances"); f.High == nil || *f.High <= *f.Value {
		t.Errorf("instances = %+v, though p99 = %+v", f, side.Figure("p99"))
	}
	binding.P99 = 1400 * time.Microsecond // within reach of the mean alone
	if got, err = plan.Make(swept(t, noisy), binding); err == nil {
		f := got.Cases[0].Sides[0].Figure("instances")
		if f.High != nil || !strings.Contains(strings.Join(got.Cases[0].Notes, "\n"), "whole interval of p99") {
			t.Errorf("instances = %+v with notes %q", f, got.Cases[0].Notes)
		}
	} else {
		t.Error(err)
	}
}

// TestPlanSaysWhatWasMeasured: another table, a longer way and what was found of the bench
// are beside the figures.
func TestPlanSaysWhatWasMeasured(t *testing.T) {
	t.Parallel()
	got, err := plan.Make(swept(t, func(p *proof.Proof) {
		n := int64(10_000_000)
		x := &p.Targets[0]
		x.Database.TLS = "yes"
		d := &x.Bench[0].Design
		d.Rows, d.DatabaseAt = &n, "this machine, 20ms away"
		x.Bench[0].Steady = []proof.Steady{{Variant: "off", Unit: "µs", Took: time.Minute}}
	}), ask())
	if err != nil {
		t.Fatal(err)
	}
	notes := strings.Join(got.Cases[0].Notes, "\n")
	for _, want := range []string{"10,000,000 session rows", "20ms away", "TLS", "no steady state"} {
		if !strings.Contains(notes, want) {
			t.Errorf("%q is missing in:\n%s", want, notes)
		}
	}
}

// TestShareOfVerifies: figures of a mixed load hold for its share, with the database's CPU
// of the other calls.
func TestShareOfVerifies(t *testing.T) {
	t.Parallel()
	mixed := func(p *proof.Proof) {
		b := &p.Targets[0].Bench[0]
		b.Design.VerifyShare = 0.8
		for i := range b.Sweep.Points {
			b.Sweep.Points[i].DBCPU = 60 * float64(b.Sweep.Points[i].Calls)
		}
		b.IdleDatabaseCPU = nil
	}
	got, err := plan.Make(swept(t, mixed), ask(func(a *plan.Ask) { a.VerifyShare = 0 }))
	if err != nil {
		t.Fatal(err)
	}
	if got.Ask.VerifyShare != 0.8 {
		t.Errorf("planned with a share of %g, want the measured 0.8", got.Ask.VerifyShare)
	}
	off := &got.Cases[0].Sides[0]
	// 2,800 verifies a second, 60 µs of the database with each, 40 % of it free.
	if v := value(t, off, "database-vcpu"); math.Abs(v-2800*60/1e6/0.6) > 1e-3 {
		t.Errorf("database vCPU, flag off = %g", v)
	}
	if f := off.Figure("connections"); f.Value != nil || !strings.Contains(f.Missing, "besides verify") {
		t.Errorf("connections = %+v", f)
	}
	other := ask(func(a *plan.Ask) { a.VerifyShare = 0.9 })
	if _, err := plan.Make(swept(t, mixed), other); err == nil || !strings.Contains(err.Error(), "--verify-share 0.9") {
		t.Errorf("another share than was measured: %v", err)
	}
	other.Extrapolate = true
	if got, err = plan.Make(swept(t, mixed), other); err != nil || !strings.Contains(strings.Join(got.Cases[0].Notes, "\n"), "extrapolated") {
		t.Errorf("another share, extrapolated: %v, notes %q", err, got.Cases[0].Notes)
	}
	if got, err = plan.Make(swept(t), other); err != nil || !strings.Contains(strings.Join(got.Cases[0].Notes, "\n"), "in no figure") {
		t.Errorf("others that were not measured: %v", err)
	}
}

// TestSaturatedFromTheStart: a core that was saturated at the lowest rate has no limit.
func TestSaturatedFromTheStart(t *testing.T) {
	t.Parallel()
	_, err := plan.Make(swept(t, func(p *proof.Proof) {
		s := p.Targets[0].Bench[0].Sweep
		for i := range s.Points {
			s.Points[i].Achieved = 0.5
		}
	}), ask(func(a *plan.Ask) { a.Extrapolate = true }))
	if err == nil || !strings.Contains(err.Error(), "saturated at the lowest rate") {
		t.Errorf("error = %v", err)
	}
}

// TestWhatIsMissingIsSaid: cores by URL, whose database nobody sees.
func TestWhatIsMissingIsSaid(t *testing.T) {
	t.Parallel()
	got, err := plan.Make(swept(t, func(p *proof.Proof) {
		x := &p.Targets[0]
		x.Kind, x.Footprint, x.Database = "url", nil, nil
		for i := range x.Bench[0].Sweep.Points {
			x.Bench[0].Sweep.Points[i].DBCPU = -1
		}
		for i := range x.Bench[0].Rounds {
			x.Bench[0].Rounds[i].DatabaseCPU = -1
		}
	}), ask(func(a *plan.Ask) { a.VCPUPrice = 1 }))
	if err != nil {
		t.Fatal(err)
	}
	on := &got.Cases[0].Sides[1]
	for _, key := range []string{"statements", "database-vcpu", "total-vcpu", "price"} {
		if f := on.Figure(key); f == nil || f.Value != nil || f.Missing == "" {
			t.Errorf("%s = %+v, want it to be missing, with a reason", key, f)
		}
	}
	if f := on.Figure("total-vcpu"); f != nil && !strings.Contains(f.Missing, "more than the 3") {
		t.Errorf("the total says %q", f.Missing)
	}
	value(t, on, "core-vcpu")
	if len(got.Cases[0].Notes) == 0 {
		t.Error("no note says what is missing")
	}
}

// TestTheDatabaseIsEmbedded: by the kind of the target, or of a core that a descriptor starts
// by the database itself; it has no CPU and no connections of its own then.
func TestTheDatabaseIsEmbedded(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		edit func(*proof.Target, *proof.Bench)
		want bool
	}{
		"a server":                            {func(*proof.Target, *proof.Bench) {}, false},
		"the harness's own core":              {func(x *proof.Target, _ *proof.Bench) { x.Kind = "embedded" }, true},
		"a process with a database in it":     {func(x *proof.Target, _ *proof.Bench) { x.Kind, x.Database.TLS = "process", "none" }, true},
		"a container with one that is unread": {func(x *proof.Target, b *proof.Bench) { x.Database, b.Design.DatabaseAt = nil, proof.DatabaseInside }, true},
		"a server that is unread":             {func(x *proof.Target, _ *proof.Bench) { x.Database = nil }, false},
	} {
		p := swept(t, func(p *proof.Proof) {
			b := &p.Targets[0].Bench[0]
			for i := range b.Sweep.Points {
				b.Sweep.Points[i].DBCPU = -1
			}
			for i := range b.Rounds {
				b.Rounds[i].DatabaseCPU = -1
			}
			tc.edit(&p.Targets[0], b)
		})
		got, err := plan.Make(p, ask())
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		models, err := plan.Models(p, "", "")
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		on, notes := &got.Cases[0].Sides[1], strings.Join(got.Cases[0].Notes, "\n")
		for what, is := range map[string]bool{
			"no CPU of its own":        on.Figure("database-vcpu").Value != nil && *on.Figure("database-vcpu").Value == 0,
			"no connections":           strings.Contains(on.Figure("connections").Missing, "inside the core's process"),
			"a note that says so":      strings.Contains(notes, "its CPU is in the core's") && !strings.Contains(notes, "the database ran: "),
			"no note on pools":         !strings.Contains(notes, "instances · pool"),
			"the same in page's model": models[0].Sides[1].Embedded,
		} {
			if is != tc.want {
				t.Errorf("%s: %s: %v, want %v; notes:\n%s", name, what, is, tc.want, notes)
			}
		}
	}
}

// TestBehindACap: a curve that ends before saturation is planned with up to its end.
func TestBehindACap(t *testing.T) {
	t.Parallel()
	got, err := plan.Make(swept(t, func(p *proof.Proof) {
		s := p.Targets[0].Bench[0].Sweep
		s.Points = slices.DeleteFunc(s.Points, func(x proof.SweepPoint) bool { return x.Share > 0.5 })
	}), ask(func(a *plan.Ask) { a.Flags = []string{plan.Off} }))
	if err != nil {
		t.Fatal(err)
	}
	// 60 % of 3,000: two carry 3,500, one more may fail.
	if n := value(t, &got.Cases[0].Sides[0], "instances"); n != 3 || !strings.Contains(strings.Join(got.Cases[0].Notes, " "), "may serve more than the 3,000") {
		t.Errorf("%g instances, notes %q", n, got.Cases[0].Notes)
	}
}

// TestWithoutAKneeIsExtrapolated: what a closed loop served stands for a knee that one
// disturbed window took away, and says so.
func TestWithoutAKneeIsExtrapolated(t *testing.T) {
	t.Parallel()
	p := swept(t, func(p *proof.Proof) {
		s := p.Targets[0].Bench[0].Sweep
		s.Points = slices.DeleteFunc(s.Points, func(x proof.SweepPoint) bool { return x.Share >= 1 })
		for i := range s.Points {
			if x := &s.Points[i]; x.Block == 1 && x.Share == 0.5 {
				x.Achieved = 0.5
			}
		}
	})
	a := ask(func(a *plan.Ask) { a.Flags = []string{plan.Off} })
	if _, err := plan.Make(p, a); err == nil || !strings.Contains(err.Error(), "no knee") || !strings.Contains(err.Error(), "--extrapolate") {
		t.Errorf("error = %v", err)
	}
	a.Extrapolate = true
	got, err := plan.Make(p, a)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"instances", "core-vcpu", "total-vcpu"} {
		if f := got.Cases[0].Sides[0].Figure(key); !f.Extrapolated {
			t.Errorf("%s is not marked: %+v", key, f)
		}
	}
	models, err := plan.Models(p, "", "")
	if err != nil || !models[0].Sides[0].LimitExtrapolated {
		t.Errorf("the page's model is not marked: %+v, %v", models, err)
	}
}

// TestWhatHasNoInterval: memory is the most that was seen; and connections are those that are
// busy, which the row and a note say.
func TestWhatHasNoInterval(t *testing.T) {
	t.Parallel()
	got, err := plan.Make(swept(t, func(p *proof.Proof) {
		for _, r := range p.Targets[0].Bench[0].Rounds {
			for i := range r.Windows {
				r.Windows[i].Memory = 20 << 20
			}
		}
	}), ask())
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range append(got.Cases[0].Sides, plan.Side{Figures: got.Cases[0].Flag}) {
		if f := s.Figure("core-memory"); f == nil || f.Value == nil || f.Low != nil || f.High != nil {
			t.Errorf("memory %+v", f)
		}
		if f := s.Figure("connections"); f == nil || f.Name != "database connections busy, on average" {
			t.Errorf("connections %+v", f)
		}
	}
	if notes := strings.Join(got.Cases[0].Notes, "\n"); !strings.Contains(notes, "instances · pool") {
		t.Errorf("no note says that a core holds its pool:\n%s", notes)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	for want, tc := range map[string]struct {
		edit func(*proof.Proof)
		ask  func(*plan.Ask)
	}{
		"interrupted":            {edit: func(p *proof.Proof) { p.Interrupted = "SIGINT" }},
		"decided nothing":        {edit: func(p *proof.Proof) { p.Targets[0].Error = "no answer" }},
		"no bench":               {edit: func(p *proof.Proof) { e, _ := examples.Named("incomplete"); *p = *e.Proof }},
		"gate's":                 {edit: func(p *proof.Proof) { e, _ := examples.Named("gate"); *p = *e.Proof }},
		"answered wrongly":       {edit: func(p *proof.Proof) { p.Targets[0].Bench[0].Sweep.Points[0].Errors = 1 }},
		"no load curve":          {edit: func(p *proof.Proof) { p.Targets[0].Bench[0].Sweep = nil }},
		"--p99 needs":            {edit: func(p *proof.Proof) { p.Targets[0].Bench[0].Sweep = nil }, ask: func(a *plan.Ask) { a.P99, a.Extrapolate = time.Millisecond, true }},
		"quieter machine":        {edit: disturb},
		"--rps 0":                {ask: func(a *plan.Ask) { a.RPS = 0 }},
		"--headroom 100%":        {ask: func(a *plan.Ask) { a.Headroom = 1 }},
		"--verify-share 2":       {ask: func(a *plan.Ask) { a.VerifyShare = 2 }},
		"--instances-fail -1":    {ask: func(a *plan.Ask) { a.InstancesFail = -1 }},
		"postgres at CDI 5.4":    {ask: func(a *plan.Ask) { a.TargetName = "mysql" }},
		"it was not measured":    {ask: func(a *plan.Ask) { a.Flags = []string{"half"} }},
		"what a core can serve":  {edit: func(p *proof.Proof) { b := &p.Targets[0].Bench[0]; b.Sweep = nil; b.Design.RateCapHz = 100 }, ask: func(a *plan.Ask) { a.Extrapolate = true }},
		"--vcpu-price -1":        {ask: func(a *plan.Ask) { a.VCPUPrice = -1 }},
		"--sessions -1":          {ask: func(a *plan.Ask) { a.Sessions = -1 }},
		"has no cost of the fla": {edit: func(p *proof.Proof) { p.Targets[0].Bench[0].Variants = nil }},
	} {
		var edits []func(*proof.Proof)
		if tc.edit != nil {
			edits = append(edits, tc.edit)
		}
		a := ask()
		if tc.ask != nil {
			tc.ask(&a)
		}
		_, err := plan.Make(swept(t, edits...), a)
		if err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: got %v", want, err)
			continue
		}
		if want == "has no cost of the fla" { // such a proof decides nothing before
			continue
		}
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v", want, err)
		}
	}
}

// disturb makes windows at middle rates look saturated.
func disturb(p *proof.Proof) {
	s := p.Targets[0].Bench[0].Sweep
	for i := range s.Points {
		if x := &s.Points[i]; x.Share >= 0.2 && x.Share < 0.5 {
			x.Achieved = 0.5
		}
	}
}

func TestValidate(t *testing.T) {
	t.Parallel()
	v, err := plan.Validate(swept(t), ask())
	if err != nil || !v.Held {
		t.Fatalf("%+v, %v", v, err)
	}
	figures := map[string]int{}
	for _, x := range v.Trials {
		figures[x.Flag+" "+x.Figure]++
		if x.Figure != "knee" && x.Error > 1e-3 {
			t.Errorf("without noise %+v", x)
		}
	}
	if want := map[string]int{"off core CPU": 8, "on core CPU": 8, "on database CPU": 8, "off knee": 4, "on knee": 4}; !reflect.DeepEqual(figures, want) {
		t.Errorf("%v, want %v", figures, want)
	}
	// A rate that costs half as much again as its neighbours is predicted by none.
	v, err = plan.Validate(swept(t, func(p *proof.Proof) {
		s := p.Targets[0].Bench[0].Sweep
		for i := range s.Points {
			if x := &s.Points[i]; x.Share == 0.5 {
				x.CPU *= 1.5
			}
		}
	}), ask())
	if err != nil || v.Held {
		t.Errorf("a curve that no law predicts held: %+v, %v", v, err)
	}
	// Nor is the knee of a block that queued from half of saturation on by the other blocks.
	v, err = plan.Validate(swept(t, func(p *proof.Proof) {
		s := p.Targets[0].Bench[0].Sweep
		for i := range s.Points {
			if x := &s.Points[i]; x.Block == 2 && x.Share > 0.5 {
				x.Achieved = 0.5
			}
		}
	}), ask())
	if err != nil || v.Held {
		t.Errorf("a knee that other blocks do not have held: %+v, %v", v, err)
	}
	for _, x := range v.Trials {
		if x.Figure == "knee" && x.HeldOut == 3000 && (x.Predicted != 5400 || x.Held) {
			t.Errorf("%+v, want 5,400 of the other blocks", x)
		}
	}
	if _, err := plan.Validate(swept(t, func(p *proof.Proof) { p.Targets[0].Bench[0].Sweep = nil }), ask()); err == nil {
		t.Error("without a load curve there is nothing to validate")
	}
}
