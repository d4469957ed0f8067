package program

import (
	"net/http/httptest"
	"syscall"
	"testing"
)

func TestListens(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(nil)
	if !listens(syscall.Getpgrp(), s.URL) {
		t.Error("this process is not seen to listen")
	}
	if listens(1<<22+1, s.URL) { // no process has so high a number
		t.Error("a group of nobody is seen to listen")
	}
	s.Close()
	if listens(syscall.Getpgrp(), s.URL) {
		t.Error("this process is seen to listen where it does not any more")
	}
}
