//go:build !race

package bench

const slowed = 1
