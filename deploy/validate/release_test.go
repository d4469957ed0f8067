package validate_test

import (
	"testing"

	"github.com/goreleaser/goreleaser/v2/pkg/config"
)

// TestRelease: GoReleaser's own loader, which knows each field, takes the file.
func TestRelease(t *testing.T) {
	t.Parallel()
	p, err := config.Load("../../.goreleaser.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if p.Version != 2 || len(p.Builds) != 2 || len(p.SBOMs) != 1 || p.Checksum.NameTemplate == "" {
		t.Errorf("%d, builds %+v, SBOMs %+v", p.Version, p.Builds, p.SBOMs)
	}
}
