// Package look is how the project's pages look: one style sheet for all of them, and
// pictures that take their colours from it.
package look

import _ "embed"

// CSS is the style sheet, light, dark and for print. It fetches nothing.
//
//go:embed page.css
var CSS string
