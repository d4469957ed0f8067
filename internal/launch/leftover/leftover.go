// Package leftover remembers what a run has started outside of itself, so that a
// later one can find and remove what a killed one could not. Each run has a folder
// with its owner's and its processes' ids, in which its working files lie too.
package leftover

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/shirou/gopsutil/v4/process"
)

const (
	// Marker is in the environment of each process of a run, and a label of each of
	// its containers: it finds those that they started in turn.
	Marker = "COREPROOF_RUN"

	ownerFile     = "owner.json"
	processPrefix = "process-"
)

// Run is what one run keeps.
type Run struct {
	ID  string
	Dir string
}

// identity tells a process from a later one with the same number, and from one that has
// the number in another container.
type identity struct {
	PID       int    `json:"pid"`
	Created   int64  `json:"createdMs"`
	Boot      string `json:"boot,omitempty"`      // of the machine; "" where it is not told
	Namespace string `json:"namespace,omitempty"` // of process numbers; the same
	// Ticks of the machine's own clock at its start, which nobody sets; 0 where they are
	// not told.
	Ticks uint64 `json:"startTicks,omitempty"`
}

func identify(pid int) (identity, error) {
	p, err := process.NewProcess(int32(pid))
	if err != nil {
		return identity{}, err
	}
	created, err := p.CreateTime()
	boot, _ := os.ReadFile("/proc/sys/kernel/random/boot_id") // other systems have none
	namespace, _ := os.Readlink("/proc/self/ns/pid")
	return identity{pid, created, strings.TrimSpace(string(boot)), namespace, startTicks(pid)}, err
}

// startTicks is when a process began, as Linux alone tells it: field 22 of proc_pid_stat(5).
func startTicks(pid int) uint64 {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	text := string(b)
	fields := strings.Fields(text[strings.LastIndexByte(text, ')')+1:]) // from the third one on
	if len(fields) < 20 {
		return 0
	}
	n, _ := strconv.ParseUint(fields[19], 10, 64) // 0 where it is no number
	return n
}

// clockStep is how far two readings of when a process began may be apart where no ticks
// are told: they count from the start of the machine, whose time is set now and then.
const clockStep = 2 * time.Second

// lives says whether that very process is there.
func (i identity) lives() bool {
	now, err := identify(i.PID)
	apart := time.Duration(now.Created-i.Created) * time.Millisecond
	if i.Boot == "" { // written by an older version
		i.Boot, i.Namespace = now.Boot, now.Namespace
	}
	same := apart.Abs() <= clockStep
	if i.Ticks > 0 && now.Ticks > 0 {
		same = i.Ticks == now.Ticks
	}
	return err == nil && now.Boot == i.Boot && now.Namespace == i.Namespace && same
}

// hidden says whether nobody here can tell: the process may live, in a container or
// outside of this one.
func (i identity) hidden() bool {
	me, err := identify(os.Getpid())
	return err == nil && i.Boot == me.Boot && i.Namespace != me.Namespace
}

// Root is where runs keep their folders: in the user's cache, or for want of one
// among the temporary files.
func Root() string {
	if dir, err := os.UserCacheDir(); err == nil {
		if dir = filepath.Join(dir, "coreproof", "runs"); os.MkdirAll(dir, 0o700) == nil {
			return dir
		}
	}
	return filepath.Join(os.TempDir(), fmt.Sprintf("coreproof-runs-%d", os.Getuid()))
}

// Begin makes a run's folder below root.
func Begin(root string) (*Run, error) {
	if err := os.MkdirAll(root, 0o700); err != nil {
		return nil, fmt.Errorf("make a folder for this run: %w", err)
	}
	id := strings.ToLower(rand.Text()[:16])
	r := &Run{ID: id, Dir: filepath.Join(root, id)}
	// Whole at once under its name: another run must not take it for one without an
	// owner.
	draft, err := os.MkdirTemp(root, ".draft-")
	if err != nil {
		return nil, fmt.Errorf("make a folder for this run: %w", err)
	}
	me, err := identify(os.Getpid())
	if err == nil {
		err = write(filepath.Join(draft, ownerFile), me)
	}
	if err == nil {
		err = os.Rename(draft, r.Dir)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("make a folder for this run: %w", err), os.RemoveAll(draft))
	}
	return r, nil
}

func write(path string, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return os.WriteFile(path, b, 0o600)
}

func read(path string) (i identity, err error) {
	b, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(b, &i)
	}
	return i, err
}

// Note remembers a process of this run.
func (r *Run) Note(pid int) error {
	i, err := identify(pid)
	if err != nil {
		return nil // it has ended already
	}
	if err := write(filepath.Join(r.Dir, fmt.Sprint(processPrefix, pid, ".json")), i); err != nil {
		return fmt.Errorf("remember process %d: %w", pid, err)
	}
	return nil
}

// End removes the run's folder with all that is in it.
func (r *Run) End() error {
	if err := os.RemoveAll(r.Dir); err != nil {
		return fmt.Errorf("remove this run's folder: %w", err)
	}
	return nil
}

// Sweep ends and removes what runs below root have left whose owner is gone, and says
// so, one line a run. A run of another container on this machine is left to those who see
// its owner. more removes what else carries a run's mark (containers) and
// says how many that were.
func Sweep(root string, more func(id string) (int, error)) (said []string, err error) {
	entries, err := os.ReadDir(root)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("look for what former runs left: %w", err)
	}
	var errs []error
	for _, e := range entries {
		dir := filepath.Join(root, e.Name())
		owner, err := read(filepath.Join(dir, ownerFile))
		if err == nil && (owner.lives() || owner.hidden()) || strings.HasPrefix(e.Name(), ".draft-") && young(e) {
			continue
		}
		ended := killNoted(dir) + killMarked(e.Name())
		removed, err := more(e.Name())
		if err == nil {
			err = os.RemoveAll(dir)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("clean up after a run that was killed: %w", err))
			continue
		}
		said = append(said, fmt.Sprintf("cleaned up after a run that was killed (process %d): %d processes ended, %d containers and networks removed, its files removed", owner.PID, ended, removed))
	}
	return said, errors.Join(errs...)
}

// young: a folder that is being made right now.
func young(e fs.DirEntry) bool {
	i, err := e.Info()
	return err != nil || time.Since(i.ModTime()) < time.Minute
}

// killNoted ends the processes that a run has remembered.
func killNoted(dir string) (ended int) {
	files, _ := filepath.Glob(filepath.Join(dir, processPrefix+"*.json")) // the pattern is well-formed
	for _, f := range files {
		if i, err := read(f); err == nil && i.lives() && kill(int32(i.PID)) {
			ended++
		}
	}
	return ended
}

// killMarked ends the processes that carry a run's mark, where the system shows a
// process's environment.
func killMarked(id string) (ended int) {
	all, err := process.Processes()
	if err != nil {
		return 0
	}
	for _, p := range all {
		env, err := p.Environ()
		if err != nil {
			continue // somebody else's, or gone
		}
		for _, e := range env {
			if e == Marker+"="+id && kill(p.Pid) {
				ended++
			}
		}
	}
	return ended
}

// kill ends one process and waits until it is gone.
func kill(pid int32) bool {
	p, err := process.NewProcess(pid)
	if err != nil || p.Kill() != nil {
		return false
	}
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if status, err := p.Status(); err != nil || len(status) == 1 && status[0] == process.Zombie {
			break
		}
	}
	return true
}
