// Package validate holds tests of deploy's manifests against the types of those
// who read them: Kubernetes and Compose. It is a module of its own, so that the
// project does not depend on theirs.
package validate
