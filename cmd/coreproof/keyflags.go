package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
)

// keyFlags say with which API key cores are called.
type keyFlags struct {
	key, file string
}

// add puts them into a group.
func (k *keyFlags) add(g group) {
	g.StringVar(&k.key, "api-key", "", "API key of the cores; other users of this machine can see it: better --api-key-file or COREPROOF_API_KEY")
	g.StringVar(&k.file, "api-key-file", "", "file that holds the API key")
}

// read gives the key, "" for none.
func (k *keyFlags) read() (string, error) {
	if k.file == "" {
		return k.key, nil
	}
	if k.key != "" {
		return "", errors.New("--api-key and --api-key-file exclude each other")
	}
	b, err := os.ReadFile(k.file)
	if err != nil {
		return "", fmt.Errorf("--api-key-file %w", err)
	}
	key := strings.TrimSpace(string(b))
	if key == "" {
		return "", fmt.Errorf("--api-key-file %s: it is empty; write the key into it", k.file)
	}
	return key, nil
}
