package deploy_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/moby/moby/api/types/container"
	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/wait"

	"github.com/coreproof/coreproof/bench/attack"
)

// shardArgs are the arguments of a shard and how many there are, as the Job has them.
func shardArgs(t *testing.T) (args []string, shards int) {
	t.Helper()
	text, err := os.ReadFile("kubernetes-load/job.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var job struct {
		Spec struct {
			Completions int `yaml:"completions"`
			Template    struct {
				Spec struct {
					Containers []struct {
						Args []string `yaml:"args"`
					} `yaml:"containers"`
				} `yaml:"spec"`
			} `yaml:"template"`
		} `yaml:"spec"`
	}
	if err := yaml.Unmarshal(text, &job); err != nil {
		t.Fatal(err)
	}
	return job.Spec.Template.Spec.Containers[0].Args, job.Spec.Completions
}

// TestShardsInContainers: the shards of the Job, each in a container of its own with the
// Job's arguments and rights, are one load of a core in another one.
func TestShardsInContainers(t *testing.T) {
	t.Parallel()
	if testing.Short() && os.Getenv("COREPROOF_REQUIRE_DOCKER") != "1" {
		t.Skip("it builds coreproof's image, and waits for the start that the shards share")
	}
	core := start(t, image(t), way{name: "core", port: "3567"})
	at, err := core.ContainerIP(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	name := imageOf(t, "coreproof", "Dockerfile.coreproof")
	args, shards := shardArgs(t)
	began := time.Now().Add(30 * time.Second).UTC().Truncate(time.Second)
	all := make([]testcontainers.Container, shards)
	var wg sync.WaitGroup
	for i := range shards {
		values := strings.NewReplacer("$(URL)", "http://"+at+":3567", "$(RPS)", "200", "$(DURATION)", "2s", "$(START_AT)", began.Format(time.RFC3339), "$(SEED)", "7", "$(SHARD)", fmt.Sprint(i), "$(RATE_CAP)", "5000")
		own := []string{"--tokens=20"}
		for _, a := range args {
			own = append(own, values.Replace(a))
		}
		own[0], own[1] = own[1], own[0] // the command comes first
		wg.Go(func() {
			var err error
			all[i], err = testcontainers.GenericContainer(t.Context(), testcontainers.GenericContainerRequest{Started: true, ContainerRequest: testcontainers.ContainerRequest{
				Image: name, Cmd: own, WaitingFor: wait.ForExit().WithExitTimeout(patience),
				HostConfigModifier: func(h *container.HostConfig) { h.ReadonlyRootfs, h.CapDrop = true, []string{"ALL"} },
			}})
			if all[i] != nil {
				t.Cleanup(func() { _ = all[i].Terminate(context.Background()) })
			}
			if err != nil {
				t.Errorf("shard %d: %v", i, err)
			}
		})
	}
	wg.Wait()
	var list []*attack.Shard
	for i, c := range all {
		if c == nil {
			continue
		}
		one, err := attack.Read(strings.NewReader(logs(c)), fmt.Sprintf("shard %d", i))
		if err != nil {
			t.Fatalf("%v: %s", err, logs(c))
		}
		list = append(list, one...)
	}
	sum, err := attack.Merge(list)
	if err != nil {
		t.Fatal(err)
	}
	// How much of it was sent in time is the machine's; that it is one load is ours.
	if _, _, known := sum.Apart(); len(sum.Missing()) > 0 || sum.Due != 400 || sum.Wrong > 0 || sum.Calls == 0 || !known || !sum.At.Equal(began) {
		t.Errorf("%d due, %d calls, %d wrong (%s), missing %v, clocks known %v", sum.Due, sum.Calls, sum.Wrong, sum.Example, sum.Missing(), known)
	}
}
