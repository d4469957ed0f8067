package docker

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/testcontainers/testcontainers-go"
)

// TestGroupOf reads the books of both versions of control groups, and none that are of
// another container, or of another machine.
func TestGroupOf(t *testing.T) {
	t.Parallel()
	const id = "0123456789abcdef"
	for name, tc := range map[string]struct {
		lines  string
		files  map[string]string
		ok     bool
		used   time.Duration
		memory int64
	}{
		"version 1": {
			"9:name=systemd:/docker/" + id + "\n4:memory:/docker/" + id + "\n3:cpuacct:/docker/" + id + "\n0::/docker/" + id + "\n",
			map[string]string{"cpuacct/docker/" + id + "/cpuacct.usage": "1234567\n", "memory/docker/" + id + "/memory.stat": "cache 9\nrss 1\ntotal_rss 4000\ntotal_shmem 96\n", "docker/" + id + "/cpu.stat": "usage_usec 9\n"},
			true, 1234567 * time.Nanosecond, 4096,
		},
		"version 1, joined": {
			"4:memory:/d/" + id + "\n3:cpu,cpuacct:/d/" + id + "\n",
			map[string]string{"cpu,cpuacct/d/" + id + "/cpuacct.usage": "5\n", "memory/d/" + id + "/memory.stat": "total_cache 9\ntotal_rss 6\ntotal_shmem 0\n"},
			true, 5 * time.Nanosecond, 6,
		},
		"version 2": {
			"0::/system.slice/docker-" + id + ".scope\n",
			map[string]string{"system.slice/docker-" + id + ".scope/cpu.stat": "usage_usec 77\nuser_usec 70\n", "system.slice/docker-" + id + ".scope/memory.stat": "anon 7\nfile 9\nshmem 1\n"},
			true, 77 * time.Microsecond, 8,
		},
		"another process of that number": {"0::/user.slice\n", map[string]string{"user.slice/cpu.stat": "usage_usec 77\n", "user.slice/memory.stat": "anon 7\nfile 9\nshmem 1\n"}, false, 0, 0},
		"no books":                       {"0::/docker/" + id + "\n", nil, false, 0, 0},
		"half of the books":              {"0::/docker/" + id + "\n", map[string]string{"docker/" + id + "/cpu.stat": "usage_usec 77\n"}, false, 0, 0},
		"no process":                     {"", nil, false, 0, 0},
	} {
		proc, root := t.TempDir(), t.TempDir()
		write := func(path, text string) {
			t.Helper()
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if tc.lines != "" {
			write(filepath.Join(proc, "42", "cgroup"), tc.lines)
		}
		for path, text := range tc.files {
			write(filepath.Join(root, path), text)
		}
		g, ok := groupOf(proc, root, 42, id)
		if ok != tc.ok {
			t.Errorf("%s: found %v: %+v", name, ok, g)
		}
		if !ok {
			continue
		}
		used, err := g.used()
		memory, err2 := g.held()
		if err != nil || err2 != nil || used != tc.used || memory != tc.memory {
			t.Errorf("%s: %s and %d bytes, errors %v %v", name, used, memory, err, err2)
		}
	}
	empty := filepath.Join(t.TempDir(), "cpu.stat")
	if err := os.WriteFile(empty, []byte("nr_periods 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := number(empty, "usage_usec"); err == nil || !strings.Contains(err.Error(), "usage_usec") {
		t.Errorf("books without the number: %v", err)
	}
}

// TestMeterSaysWhatDockerSays: both read the same books.
func TestMeterSaysWhatDockerSays(t *testing.T) {
	t.Parallel()
	if err := Answers(t.Context()); err != nil {
		if os.Getenv("COREPROOF_REQUIRE_DOCKER") == "1" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	image := os.Getenv("COREPROOF_POSTGRES_IMAGE")
	if image == "" {
		image = "postgres:17"
	}
	if err := Image(t.Context(), image, "COREPROOF_POSTGRES_IMAGE"); err != nil {
		if os.Getenv("COREPROOF_REQUIRE_DOCKER") == "1" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	c, err := testcontainers.Run(t.Context(), image, testcontainers.WithEntrypoint("sh", "-c", "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done; sleep 60"))
	testcontainers.CleanupContainer(t, c)
	if err != nil {
		t.Fatal(err)
	}
	m := &containerMeter{name: "database", id: c.GetContainerID()}
	if m.group() == nil {
		t.Skip("the kernel's books of this container are not to be seen from here")
	}
	said := func() time.Duration {
		t.Helper()
		s, err := m.stats()
		if err != nil {
			t.Fatal(err)
		}
		return time.Duration(s.CPUStats.CPUUsage.TotalUsage)
	}
	before := said()
	read, err := m.CPU()
	if after := said(); err != nil || read < before || read > after || after == 0 {
		t.Errorf("read %s, error %v, between %s and %s of Docker's", read, err, before, after)
	}
	if n, err := m.RSS(); err != nil || n <= 0 {
		t.Errorf("%d bytes, error %v", n, err)
	}
}
