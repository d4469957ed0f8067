// Package conformance runs checks on cores and writes down what was seen. It
// knows no check: those stand in conformance/checks, and each is data with one
// function. It decides no outcome: package verdict derives them from the evidence
// that this package stores.
package conformance
