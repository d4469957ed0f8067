// Package docker says whether containers can be started here, and with which
// images: before a library tries for minutes what cannot be.
package docker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"
)

var (
	// ErrUnavailable: no daemon answers.
	ErrUnavailable = errors.New("Docker does not answer")
	// ErrNoImage: a daemon answers, but an image is neither there nor to be had.
	ErrNoImage = errors.New("the image cannot be had")
)

// answerWithin bounds asking the daemon.
const answerWithin = 10 * time.Second

// Answers asks the daemon that the caller named, or the one that the library finds.
// The library passes over a DOCKER_HOST that does not answer and takes a local
// daemon: containers would then run where nobody looks for them.
func Answers(ctx context.Context) (err error) {
	defer func() {
		if r := recover(); r != nil { // so the library tells that there is none
			err = fmt.Errorf("%v", r)
		}
		if err != nil {
			err = fmt.Errorf("%w: %s", ErrUnavailable, strings.Join(strings.Fields(err.Error()), " "))
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	if host := os.Getenv("DOCKER_HOST"); host != "" {
		named, err := client.New(client.FromEnv)
		if err != nil {
			return fmt.Errorf("DOCKER_HOST=%s: %w", host, err)
		}
		_, err = named.Ping(ctx, client.PingOptions{})
		if err = errors.Join(err, named.Close()); err != nil {
			return fmt.Errorf("DOCKER_HOST=%s: %w", host, err)
		}
	}
	provider, err := testcontainers.ProviderDefault.GetProvider()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, provider.Close()) }()
	return provider.Health(ctx)
}

// Image makes sure that an image is there; what is not is pulled, once. variable is
// what names another image, for the error; "" for none. The library's reaper, which
// removes containers that a killed run leaves, needs an image too, unless it is off.
func Image(ctx context.Context, image, variable string) error {
	docker, err := testcontainers.NewDockerClientWithOpts(ctx)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	defer func() { _ = docker.Close() }()
	if !testcontainers.ReadConfig().RyukDisabled {
		//lint:ignore SA1019 the library tells the name of this image nowhere else
		reaper := testcontainers.ReaperDefaultImage
		if err := have(ctx, docker, reaper); err != nil {
			return fmt.Errorf("%w: %s, which removes what a killed run leaves (TESTCONTAINERS_RYUK_DISABLED=true does without): %w", ErrNoImage, reaper, err)
		}
	}
	if err := have(ctx, docker, image); err != nil {
		mend := ""
		if variable != "" {
			mend = fmt.Sprintf(" (%s names another one)", variable)
		}
		return fmt.Errorf("%w: %s%s: %w", ErrNoImage, image, mend, err)
	}
	return nil
}

// have finds an image or pulls it. A registry that cannot be reached is told at
// once; a pull itself may take as long as ctx allows.
func have(ctx context.Context, docker *testcontainers.DockerClient, image string) error {
	if _, err := docker.ImageInspect(ctx, image); err == nil {
		return nil
	}
	r, err := docker.ImagePull(ctx, image, client.ImagePullOptions{})
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, r)
	if err = errors.Join(err, r.Close()); err != nil {
		return err
	}
	_, err = docker.ImageInspect(ctx, image) // the stream of a pull tells its failure in its text alone
	return err
}
