package cdi

import (
	"fmt"

	"github.com/coreproof/coreproof/internal/protocol"
)

// CDI is the protocol as a value.
type CDI struct{}

var _ protocol.Protocol = CDI{}

// Name is "CDI".
func (CDI) Name() string { return "CDI" }

// Versions that a Client can speak, oldest first.
func (CDI) Versions() []string { return Versions() }

// Compare orders versions numerically.
func (CDI) Compare(a, b string) int { return Compare(a, b) }

// FlagMode says who decides at a version whether verify asks the database.
func (CDI) FlagMode(version string) protocol.FlagMode { return FlagModeOf(version) }

// Generation names the rules by which sessions live at a version.
func (CDI) Generation(version string) string { return generation(version) }

// Dial makes a client; it does not connect.
func (CDI) Dial(o protocol.DialOptions) (protocol.Core, error) { return New(o) }

// Judge gives the function that judges answers to verify.
func (CDI) Judge(version string) (func(httpStatus int, body []byte) bool, error) {
	if !Known(version) {
		return nil, fmt.Errorf("CDI version %q is not one that coreproof speaks (%s to %s)", version, oldest(), newest())
	}
	return verifyOK, nil
}
