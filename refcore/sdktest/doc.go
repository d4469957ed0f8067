// Package sdktest drives the reference core with the official SuperTokens SDK
// for Go, as an application does. It holds nothing but tests, in a module of its
// own, so that the SDK's dependencies stay out of coreproof's.
//
// The SDK (0.25.2, the last one) speaks CDI 3.1 and no other version: what the
// core does in 2.7 to 2.20 and in 4.0 to 5.6 is not tried here.
package sdktest
