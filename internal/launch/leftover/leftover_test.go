package leftover

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// TestSweepLeavesWhoMayLive: an owner who is gone, or was before the machine began anew,
// and nobody else.
func TestSweepLeavesWhoMayLive(t *testing.T) {
	t.Parallel()
	me, err := identify(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS == "linux" && me.Ticks == 0 {
		t.Error("this process's start ticks are not read")
	}
	for name, tc := range map[string]struct {
		change func(*identity)
		swept  bool
	}{
		"this process":                         {func(*identity) {}, false},
		"this process, after a step of clocks": {func(i *identity) { i.Created += 1500 }, false},
		"after an hour's step":                 {func(i *identity) { i.Created += 3_600_000 }, me.Ticks == 0},
		"after a step, by an older version":    {func(i *identity) { i.Created, i.Ticks = i.Created+1500, 0 }, false},
		"this process, by an older version":    {func(i *identity) { i.Boot, i.Namespace, i.Ticks = "", "", 0 }, false},
		"an earlier one of the number":         {func(i *identity) { i.Created, i.Ticks = i.Created-60_000, i.Ticks/2 }, true},
		"an earlier one, by an older version":  {func(i *identity) { i.Created, i.Ticks = i.Created-60_000, 0 }, true},
		"one of another container":             {func(i *identity) { i.PID, i.Namespace = 1<<22+1, "pid:[1]" }, false},
		"one before the machine began anew":    {func(i *identity) { i.Boot = "another" }, true},
		"one of a container before that":       {func(i *identity) { i.Boot, i.Namespace = "another", "pid:[1]" }, true},
	} {
		root := t.TempDir()
		r, err := Begin(root)
		if err != nil {
			t.Fatal(err)
		}
		owner := me
		tc.change(&owner)
		if err := write(filepath.Join(r.Dir, ownerFile), owner); err != nil {
			t.Fatal(err)
		}
		said, err := Sweep(root, func(string) (int, error) { return 0, nil })
		if _, gone := os.Stat(r.Dir); err != nil || (gone != nil) != tc.swept || (len(said) > 0) != tc.swept {
			t.Errorf("%s: %q, %v", name, said, err)
		}
	}
}
