package docker_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/coreproof/coreproof/internal/docker"
)

// TestMain turns the reaper off before the library reads its settings, once: its
// image is none of what is tested here.
func TestMain(m *testing.M) {
	if err := os.Setenv("TESTCONTAINERS_RYUK_DISABLED", "true"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// TestF9DeadDockerHost: a daemon that the caller named and that does not answer is
// an error that names it, although a local one would answer.
func TestF9DeadDockerHost(t *testing.T) {
	t.Setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
	err := docker.Answers(t.Context())
	if !errors.Is(err, docker.ErrUnavailable) || !strings.Contains(err.Error(), "127.0.0.1:1") || strings.Contains(err.Error(), "\n") {
		t.Errorf("got %v, want one line that names the host", err)
	}
}

// TestF9NoSuchImage: an image that cannot be had is told in seconds, with the
// variable that names another one.
func TestF9NoSuchImage(t *testing.T) {
	if err := docker.Answers(t.Context()); err != nil {
		if os.Getenv("COREPROOF_REQUIRE_DOCKER") == "1" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	err := docker.Image(ctx, "127.0.0.1:1/coreproof/none:1", "COREPROOF_POSTGRES_IMAGE")
	if !errors.Is(err, docker.ErrNoImage) || !strings.Contains(err.Error(), "COREPROOF_POSTGRES_IMAGE") || ctx.Err() != nil {
		t.Errorf("got %v, want an error that names the variable", err)
	}
}
