// Package browser tests the project's pages in a real browser. It is a module of its
// own, so that nobody who uses coreproof needs a browser's driver.
package browser
