package validate_test

import (
	"slices"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
)

// TestCompose: Compose's own loader takes the file, and the core waits for a database
// that is well, is asked for its health without a shell, and gets its secrets as
// files.
func TestCompose(t *testing.T) {
	t.Parallel()
	options, err := cli.NewProjectOptions([]string{"../compose.yaml"}, cli.WithName("refcore"))
	if err != nil {
		t.Fatal(err)
	}
	project, err := options.LoadProject(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	core, err := project.GetService("core")
	if err != nil {
		t.Fatal(err)
	}
	if d, ok := core.DependsOn["postgres"]; !ok || d.Condition != types.ServiceConditionHealthy {
		t.Errorf("depends on %+v", core.DependsOn)
	}
	if got := []string(core.HealthCheck.Test); !slices.Equal(got, []string{"CMD", "/refcore", "health"}) {
		t.Errorf("health check %q", got)
	}
	for variable, secret := range map[string]string{"POSTGRESQL_PASSWORD_FILE": "database-password", "API_KEYS_FILE": "api-keys"} {
		path := core.Environment[variable]
		mounted := slices.ContainsFunc(core.Secrets, func(s types.ServiceSecretConfig) bool { return s.Source == secret })
		if path == nil || *path != "/run/secrets/"+secret || !mounted {
			t.Errorf("%s is %v, and %s among the secrets: %t", variable, path, secret, mounted)
		}
	}
	if !core.ReadOnly || !slices.Equal(core.CapDrop, []string{"ALL"}) {
		t.Errorf("read-only %t, drops %q", core.ReadOnly, core.CapDrop)
	}
	if p := core.Ports[0]; p.HostIP != "127.0.0.1" || p.Target != 3567 {
		t.Errorf("ports %+v", core.Ports)
	}
}
