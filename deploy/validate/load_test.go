package validate_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
)

const load = "../kubernetes-load/"

// TestLoadJob: as many shards as the argument says, each knows which it is, all begin
// together, none is tried again, and every variable of the arguments is there.
func TestLoadJob(t *testing.T) {
	t.Parallel()
	j := decoded[batchv1.Job](t, load+"job.yaml")
	k := decoded[struct {
		APIVersion         string              `json:"apiVersion"`
		Kind               string              `json:"kind"`
		Resources          []string            `json:"resources"`
		ConfigMapGenerator []map[string]any    `json:"configMapGenerator"`
		Images             []map[string]string `json:"images"`
	}](t, load+"kustomization.yaml")
	if j.APIVersion != "batch/v1" || j.Kind != "Job" || k.Kind != "Kustomization" || !slices.Equal(k.Resources, []string{"job.yaml"}) {
		t.Fatalf("%+v, %+v", j.TypeMeta, k)
	}
	s := j.Spec
	if s.CompletionMode == nil || *s.CompletionMode != batchv1.IndexedCompletion || s.BackoffLimit == nil || *s.BackoffLimit != 0 || s.ActiveDeadlineSeconds == nil {
		t.Errorf("completion mode %v, backoff %v, deadline %v", s.CompletionMode, s.BackoffLimit, s.ActiveDeadlineSeconds)
	}
	if s.Completions == nil || s.Parallelism == nil || *s.Completions != *s.Parallelism {
		t.Fatalf("%v shards, %v at once", s.Completions, s.Parallelism)
	}
	pod := s.Template.Spec
	if len(pod.Containers) != 1 || len(pod.Containers[0].Ports) > 0 || pod.RestartPolicy != "Never" {
		t.Fatalf("%d containers, restarted %s", len(pod.Containers), pod.RestartPolicy)
	}
	c := pod.Containers[0]
	if want := fmt.Sprintf("--shard=$(SHARD)/%d", *s.Completions); !slices.Contains(c.Args, want) || c.Args[0] != "attack" {
		t.Errorf("arguments %q, want %s", c.Args, want)
	}
	known := map[string]bool{}
	for _, e := range c.Env {
		known[e.Name] = true
		if e.Name == "SHARD" && (e.ValueFrom == nil || e.ValueFrom.FieldRef == nil || e.ValueFrom.FieldRef.FieldPath != "metadata.annotations['batch.kubernetes.io/job-completion-index']") {
			t.Errorf("SHARD is %+v", e.ValueFrom)
		}
	}
	for _, l := range k.ConfigMapGenerator[0]["literals"].([]any) {
		name, _, _ := strings.Cut(l.(string), "=")
		known[name] = true
	}
	if name := c.EnvFrom[0].ConfigMapRef.Name; k.ConfigMapGenerator[0]["name"] != name {
		t.Errorf("variables come from %s, which is not made", name)
	}
	for _, a := range c.Args {
		for rest := a; strings.Contains(rest, "$("); {
			_, rest, _ = strings.Cut(rest, "$(")
			name, after, _ := strings.Cut(rest, ")")
			if rest = after; !known[name] {
				t.Errorf("%s: nobody sets %s", a, name)
			}
		}
	}
	if len(k.Images) != 1 || k.Images[0]["name"] != c.Image {
		t.Errorf("images %v are not the Job's %s", k.Images, c.Image)
	}
	if x := c.SecurityContext; x == nil || !*x.ReadOnlyRootFilesystem || *x.AllowPrivilegeEscalation || pod.SecurityContext == nil || !*pod.SecurityContext.RunAsNonRoot {
		t.Errorf("security contexts %+v, %+v", x, pod.SecurityContext)
	}
}
