package validate_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"sigs.k8s.io/yaml"
)

const kubernetes = "../kubernetes"

// manifest decodes a file into its type; what the type does not have is an error.
func manifest[T any](t *testing.T, name string) T {
	t.Helper()
	return decoded[T](t, filepath.Join(kubernetes, name))
}

func decoded[T any](t *testing.T, path string) T {
	t.Helper()
	var v T
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.UnmarshalStrict(text, &v); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return v
}

// TestKustomization: the base names every manifest that is there, and no other.
func TestKustomization(t *testing.T) {
	t.Parallel()
	k := manifest[struct {
		APIVersion string              `json:"apiVersion"`
		Kind       string              `json:"kind"`
		Resources  []string            `json:"resources"`
		Labels     []map[string]any    `json:"labels"`
		Images     []map[string]string `json:"images"`
	}](t, "kustomization.yaml")
	files, err := filepath.Glob(filepath.Join(kubernetes, "*.yaml"))
	if err != nil || k.Kind != "Kustomization" || k.APIVersion != "kustomize.config.k8s.io/v1beta1" {
		t.Fatalf("%+v, %v", k, err)
	}
	var want []string
	for _, f := range files {
		if name := filepath.Base(f); name != "kustomization.yaml" {
			want = append(want, name)
		}
	}
	slices.Sort(k.Resources)
	if !slices.Equal(k.Resources, want) {
		t.Errorf("resources %q, want %q", k.Resources, want)
	}
	if len(k.Images) != 1 || k.Images[0]["name"] != core(t).Image {
		t.Errorf("images %v are not the Deployment's %s", k.Images, core(t).Image)
	}
}

func core(t *testing.T) corev1.Container {
	t.Helper()
	d := manifest[appsv1.Deployment](t, "deployment.yaml")
	if d.Kind != "Deployment" || d.APIVersion != "apps/v1" || len(d.Spec.Template.Spec.Containers) != 1 {
		t.Fatalf("%+v", d.TypeMeta)
	}
	return d.Spec.Template.Spec.Containers[0]
}

// TestDeployment: what the page promises of it.
func TestDeployment(t *testing.T) {
	t.Parallel()
	pod := manifest[appsv1.Deployment](t, "deployment.yaml").Spec.Template.Spec
	c := core(t)
	if pod.EnableServiceLinks == nil || *pod.EnableServiceLinks {
		t.Error("service links are on")
	}
	if s := pod.SecurityContext; s == nil || s.RunAsNonRoot == nil || !*s.RunAsNonRoot || s.RunAsUser == nil || *s.RunAsUser != 65532 {
		t.Errorf("pod's security context %+v", s)
	}
	if s := c.SecurityContext; s == nil || s.ReadOnlyRootFilesystem == nil || !*s.ReadOnlyRootFilesystem || *s.AllowPrivilegeEscalation || len(s.Capabilities.Drop) != 1 {
		t.Errorf("container's security context %+v", s)
	}
	for name, p := range map[string]*corev1.Probe{"startup": c.StartupProbe, "readiness": c.ReadinessProbe} {
		if p == nil || p.HTTPGet == nil || p.HTTPGet.Path != "/hello" || p.HTTPGet.Port.StrVal != c.Ports[0].Name {
			t.Errorf("%s probe %+v", name, p)
		}
	}
	if c.LivenessProbe == nil || c.LivenessProbe.TCPSocket == nil {
		t.Error("liveness depends on the database")
	}
	requests, limits := c.Resources.Requests, c.Resources.Limits
	if requests.Cpu().IsZero() || requests.Memory().IsZero() || limits.Memory().IsZero() || limits.Memory().Cmp(*requests.Memory()) < 0 {
		t.Errorf("requests %v, limits %v", requests, limits)
	}
	if end := pod.TerminationGracePeriodSeconds; end == nil || *end < c.Lifecycle.PreStop.Sleep.Seconds+20 {
		t.Error("calls in flight have no 20 s to finish")
	}
}

// TestOthers: the Service finds the port, the Secret is the one that the Deployment
// reads and does not work as it stands.
func TestOthers(t *testing.T) {
	t.Parallel()
	service, secret, c := manifest[corev1.Service](t, "service.yaml"), manifest[corev1.Secret](t, "secret.yaml"), core(t)
	if service.Name == "supertokens" || service.Spec.Ports[0].TargetPort.StrVal != c.Ports[0].Name {
		t.Errorf("%+v", service.Spec)
	}
	if c.EnvFrom[0].SecretRef.Name != secret.Name {
		t.Errorf("the Deployment reads %s, there is %s", c.EnvFrom[0].SecretRef.Name, secret.Name)
	}
	if key := secret.StringData["API_KEYS"]; key == "" || len(key) >= 20 {
		t.Errorf("a core would start with the key %q", key)
	}
	if b := manifest[policyv1.PodDisruptionBudget](t, "poddisruptionbudget.yaml"); b.Spec.MaxUnavailable.IntVal != 1 {
		t.Errorf("%+v", b.Spec)
	}
}
