package main

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/coreproof/coreproof/internal/announce"
)

// scriptCores starts cores on one database, two whose flag is on (ON, ON2) and one
// whose flag is off (OFF), for the rest of the script: cores [DEFECT] [NAME=VALUE …].
// PIDs are in PID_ON and PID_OFF.
func scriptCores(ts *testscript.TestScript, _ bool, args []string) {
	exe, err := os.Executable()
	ts.Check(err)
	flags := []string{"core"}
	var env []string
	for _, a := range args {
		if strings.Contains(a, "=") {
			env = append(env, a)
		} else {
			flags = append(flags, "--broken", a)
		}
	}
	database := filepath.Join(ts.Getenv("WORK"), "cores.db")
	for _, c := range []struct {
		name, pid string
		flag      bool
	}{{"ON", "PID_ON", true}, {"ON2", "PID_ON2", true}, {"OFF", "PID_OFF", false}} {
		cmd := exec.Command(exe, append(flags, "--host", "127.0.0.1", "--port", "0", "--exit-with-stdin")...)
		cmd.Env = append([]string{"SQLITE_DATABASE_PATH=" + database, "LOG_LEVEL=ERROR", "ACCESS_TOKEN_BLACKLISTING=" + strconv.FormatBool(c.flag), "HOME=" + os.Getenv("HOME"), "PATH=" + os.Getenv("PATH")}, env...)
		stdin, err := cmd.StdinPipe()
		ts.Check(err)
		stdout, err := cmd.StdoutPipe()
		ts.Check(err)
		ts.Check(cmd.Start())
		ts.Defer(func() {
			_ = stdin.Close()
			_ = cmd.Wait()
		})
		ready := ""
		for lines := bufio.NewScanner(stdout); ready == "" && lines.Scan(); {
			ready, _ = strings.CutPrefix(lines.Text(), announce.CoreReady)
			if ready == lines.Text() {
				ready = ""
			}
		}
		if ready == "" {
			ts.Fatalf("the core ended before it was ready")
		}
		go func() { _, _ = io.Copy(io.Discard, stdout) }()
		ts.Setenv(c.name, ready)
		ts.Setenv(c.pid, strconv.Itoa(cmd.Process.Pid))
	}
}
