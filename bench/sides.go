package bench

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/coreproof/coreproof/bench/generator"
	"github.com/coreproof/coreproof/internal/launch"
	"github.com/coreproof/coreproof/internal/meter"
	"github.com/coreproof/coreproof/internal/protocol"
)

// ErrNoLoad says that a verify of a variant is no request.
var ErrNoLoad = errors.New("whoever verifies asks no core, so there is no load to measure: name a verifier that stands for an API (protocol.oauth2, docs/oauth2.md)")

// sides are the deployments of a round, all up at once.
type sides struct {
	list []side
	// shared: they outlive the round and are stopped by whoever keeps them.
	shared bool
}

// side is one of them.
type side struct {
	variant    int
	deployment launch.Deployment
	instances  []launch.Instance
	from       int // index of the first of them in the deployment
	load       generator.Side
}

// start brings the sides up as fresh processes, in random order; where cores are
// kept, these are taken.
func (m *measurement) start(ctx context.Context, step Step) (*sides, error) {
	if m.kept != nil {
		return m.kept.choose(step), nil
	}
	s := &sides{list: make([]side, len(step.Sides))}
	for _, i := range m.rnd.Perm(len(step.Sides)) {
		v := step.Sides[i]
		set := m.Variants[v].Settings
		if m.can.Settings {
			set.CPUs = m.serverCPUs
			if len(m.serverCPUs) > 0 {
				set.GOMAXPROCS = 1
			}
		}
		d, err := m.target(m.Variants[v]).Start(ctx, m.Instances, set)
		if err != nil {
			return nil, errors.Join(err, s.stop(ctx))
		}
		s.list[i] = side{variant: v, deployment: d, instances: d.Instances()}
		if s.list[i].load, err = m.load(fmt.Sprintf("side %d (%s)", i, m.Variants[v].Name), d, v); err != nil {
			return nil, errors.Join(err, s.stop(ctx))
		}
	}
	return s, nil
}

// load describes a deployment to the generator.
func (m *measurement) load(name string, d launch.Deployment, variant int) (generator.Side, error) {
	s := generator.Side{Name: name, Set: m.Variants[variant].Name}
	cores, err := d.Cores(m.version)
	if err != nil {
		return s, err
	}
	for i, instance := range d.Instances() {
		method, url, header, _ := cores[i].VerifyHTTP(protocol.VerifyRequest{CheckDatabase: m.Variants[variant].CheckDatabase})
		if method == "" {
			return s, fmt.Errorf("%s: %w", name, ErrNoLoad)
		}
		if path, below := strings.CutPrefix(url, cores[i].URL()); below && instance.Inner != "" {
			url = instance.Inner + path
		}
		s.Method, s.Header = method, header
		s.URLs = append(s.URLs, url)
	}
	return s, nil
}

// choose gives the sides of a step from kept cores: one a variant, or for two sides
// alike, half of a variant's instances each.
func (s *sides) choose(step Step) *sides {
	out := &sides{shared: true}
	for i, v := range step.Sides {
		x := s.list[v]
		if len(step.Sides) == 2 && step.Sides[0] == step.Sides[1] {
			half := (len(x.instances) + 1) / 2
			from, to := 0, half
			if i == 1 {
				from, to = half, len(x.instances)
			}
			x.instances, x.from = x.instances[from:to], from
			x.load.URLs = x.load.URLs[from:to]
		}
		out.list = append(out.list, x)
	}
	return out
}

// loads are the sides as the generator needs them.
func (s *sides) loads() []generator.Side {
	out := make([]generator.Side, len(s.list))
	for i := range s.list {
		out[i] = s.list[i].load
	}
	return out
}

func (s *sides) stop(ctx context.Context) error {
	if s.shared {
		return nil
	}
	var errs []error
	for _, x := range s.list {
		if x.deployment != nil {
			errs = append(errs, x.deployment.Stop(context.WithoutCancel(ctx)))
		}
	}
	return errors.Join(errs...)
}

// cpu adds up the CPU time of a side's cores; negative when it cannot be read.
func (s *side) cpu() time.Duration {
	var sum time.Duration
	for _, i := range s.instances {
		if i.Process == nil {
			return -1
		}
		t, err := i.Process.CPU()
		if err != nil {
			return -1
		}
		sum += t
	}
	if len(s.instances) == 0 {
		return -1
	}
	return sum
}

// spent is the CPU time between two readings in µs; negative when there is none.
func spent(before, after time.Duration) float64 {
	if before < 0 || after < 0 {
		return -1
	}
	return float64((after - before).Nanoseconds()) / 1e3
}

// memory is the resident memory of a side's cores in bytes; 0 when it cannot be read,
// or where the cores outlive the round, so that it says nothing about the round.
func (m *measurement) memory(s *side) (sum int64) {
	if m.kept != nil {
		return 0
	}
	for _, i := range s.instances {
		if i.Process == nil {
			return 0
		}
		if p, ok := i.Process.(meter.Starter); ok {
			if _, err := p.Started(); err != nil {
				return 0 // theirs would not be in it
			}
		}
		n, err := i.Process.RSS()
		if err != nil {
			return 0
		}
		sum += n
	}
	return sum
}

// databaseProcess is the database's CPU clock; nil when there is none to see, or
// where each target has its own.
func (m *measurement) databaseProcess(ctx context.Context) meter.Process {
	if len(m.targets()) > 1 {
		return nil
	}
	db, err := m.Target.Database(ctx)
	if err != nil {
		return nil
	}
	return db.Process()
}
