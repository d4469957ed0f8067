package program

import (
	"io"
	"os"
	"strings"
	"sync"
)

const (
	tailSize = 4 << 10
	saidSize = 400
)

// Tail keeps the end of what a program says.
type Tail struct {
	mu  sync.Mutex
	buf []byte
}

func (t *Tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf = append(t.buf, b...)
	if len(t.buf) > tailSize {
		t.buf = append(t.buf[:0], t.buf[len(t.buf)-tailSize:]...)
	}
	return len(b), nil
}

// Said gives the last lines for an error message, on one line.
func (t *Tail) Said() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	text := strings.Join(strings.Fields(string(t.buf)), " ")
	if text == "" {
		return ""
	}
	if len(text) > saidSize {
		text = "…" + strings.ToValidUTF8(text[len(text)-saidSize:], "")
	}
	return "; it said: " + text
}

// endOf is Said of a log file.
func endOf(path string) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer func() { _ = f.Close() }()
	if i, err := f.Stat(); err == nil && i.Size() > tailSize {
		_, _ = f.Seek(-tailSize, io.SeekEnd) // else from the beginning
	}
	t := &Tail{}
	_, _ = io.Copy(t, io.LimitReader(f, tailSize)) // what could be read
	return t.Said()
}
