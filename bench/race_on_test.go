//go:build race

package bench

// slowed is about how much dearer the race detector makes a verify, which reads and
// writes memory, than the fixed work, which does not.
const slowed = 30
