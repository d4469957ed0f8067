package config

import (
	"slices"

	"github.com/coreproof/coreproof/refcore/httpapi"
)

func (v *values) versions(c *Config, _ string) error {
	c.MaxCDI, c.MinCDI = v.text("supertokens_max_cdi_version"), v.text("supertokens_min_cdi_version")
	for _, p := range []struct{ key, value string }{
		{"supertokens_max_cdi_version", c.MaxCDI}, {"supertokens_min_cdi_version", c.MinCDI},
	} {
		if p.value == "" {
			continue
		}
		if !httpapi.ValidVersion(p.value) {
			return Error(p.key + " is not a valid semantic version")
		}
		if !slices.Contains(httpapi.Versions(), p.value) {
			return Error(p.key + " is not a supported version")
		}
	}
	if c.MaxCDI != "" && c.MinCDI != "" && httpapi.CompareVersions(c.MinCDI, c.MaxCDI) > 0 {
		return Error("supertokens_min_cdi_version cannot be greater than supertokens_max_cdi_version")
	}
	return nil
}
