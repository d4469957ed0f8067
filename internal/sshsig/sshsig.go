// Package sshsig signs files and checks signatures in the format of OpenSSH
// (PROTOCOL.sshsig), so that ssh-keygen -Y verify checks them too. Only ed25519 keys.
package sshsig

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha512"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/ssh"
)

const (
	magic     = "SSHSIG"
	hash      = "sha512"
	blockType = "SSH SIGNATURE"
)

// signature is what the armour holds after the magic.
type signature struct {
	Version                   uint32
	PublicKey                 []byte
	Namespace, Reserved, Hash string
	Signature                 []byte
}

// signed is what the key signs, after the magic.
func signed(namespace string, message []byte) []byte {
	sum := sha512.Sum512(message)
	return append([]byte(magic), ssh.Marshal(struct {
		Namespace, Reserved, Hash string
		Sum                       []byte
	}{namespace, "", hash, sum[:]})...)
}

// Sign signs a message with a private key as ssh-keygen writes it (no passphrase). The
// namespace says what the signature is for.
func Sign(key []byte, namespace string, message []byte) ([]byte, error) {
	s, err := ssh.ParsePrivateKey(key)
	var missing *ssh.PassphraseMissingError
	switch {
	case errors.As(err, &missing):
		return nil, errors.New("the key has a passphrase: sign with ssh-keygen -Y sign, or give a key without one")
	case err != nil:
		return nil, fmt.Errorf("it is no private key of OpenSSH: %w", err)
	case s.PublicKey().Type() != ssh.KeyAlgoED25519:
		return nil, fmt.Errorf("it is a key of type %s; want %s: ssh-keygen -t ed25519", s.PublicKey().Type(), ssh.KeyAlgoED25519)
	}
	made, err := s.Sign(rand.Reader, signed(namespace, message))
	if err != nil {
		return nil, fmt.Errorf("sign: %w", err)
	}
	blob := append([]byte(magic), ssh.Marshal(signature{1, s.PublicKey().Marshal(), namespace, "", hash, ssh.Marshal(made)})...)
	// OpenSSH breaks lines at 70, PEM at 64; each reads the other's.
	return pem.EncodeToMemory(&pem.Block{Type: blockType, Bytes: blob}), nil
}

// Signer is whose signature it is.
type Signer struct {
	key ssh.PublicKey
}

// Fingerprint as ssh-keygen -l shows it, e.g. "SHA256:…".
func (s Signer) Fingerprint() string { return ssh.FingerprintSHA256(s.key) }

// Verify checks that armour is a signature of message for the namespace, and gives the
// signer. Who that is, is another question: see Allowed.
func Verify(armour []byte, namespace string, message []byte) (Signer, error) {
	block, rest := pem.Decode(armour)
	if block == nil || block.Type != blockType || len(bytes.TrimSpace(rest)) > 0 {
		return Signer{}, errors.New("it is no SSH signature")
	}
	body, ok := bytes.CutPrefix(block.Bytes, []byte(magic))
	if !ok {
		return Signer{}, errors.New("it is no SSH signature")
	}
	var s signature
	if err := ssh.Unmarshal(body, &s); err != nil {
		return Signer{}, fmt.Errorf("the signature cannot be read: %w", err)
	}
	switch {
	case s.Version != 1:
		return Signer{}, fmt.Errorf("the signature is of version %d, want 1", s.Version)
	case s.Namespace != namespace:
		return Signer{}, fmt.Errorf("the signature is for %q, want %q", s.Namespace, namespace)
	}
	key, err := ssh.ParsePublicKey(s.PublicKey)
	if err != nil {
		return Signer{}, fmt.Errorf("the signature's key cannot be read: %w", err)
	}
	crypto, ok := key.(ssh.CryptoPublicKey)
	if !ok {
		return Signer{}, fmt.Errorf("the signature's key is of type %s, want %s", key.Type(), ssh.KeyAlgoED25519)
	}
	if _, ok := crypto.CryptoPublicKey().(ed25519.PublicKey); !ok {
		return Signer{}, fmt.Errorf("the signature's key is of type %s, want %s", key.Type(), ssh.KeyAlgoED25519)
	}
	if s.Hash != hash {
		return Signer{}, fmt.Errorf("the signature rests on %s; sign with -O hashalg=%s", s.Hash, hash)
	}
	var inner ssh.Signature
	if err := ssh.Unmarshal(s.Signature, &inner); err != nil {
		return Signer{}, fmt.Errorf("the signature cannot be read: %w", err)
	}
	if err := key.Verify(signed(namespace, message), &inner); err != nil {
		return Signer{}, errors.New("the signature is not one of this file")
	}
	return Signer{key}, nil
}

// Allowed gives the principals to whom an allowed_signers file (see ssh-keygen) gives the
// signer's key for the namespace; an error when to none. Lines with a span of validity are
// refused rather than misread.
func (s Signer) Allowed(file []byte, namespace string) (principals string, err error) {
	for n, line := range strings.Split(string(file), "\n") {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		who, rest, ok := strings.Cut(line, " ")
		if !ok {
			return "", fmt.Errorf("line %d: want principals and a key", n+1)
		}
		key, _, options, _, err := ssh.ParseAuthorizedKey([]byte(rest))
		if err != nil {
			return "", fmt.Errorf("line %d: %w", n+1, err)
		}
		for _, o := range options {
			name, value, _ := strings.Cut(o, "=")
			switch strings.ToLower(name) {
			case "namespaces":
				if !strings.Contains(","+strings.Trim(value, `"`)+",", ","+namespace+",") {
					key = nil
				}
			default:
				return "", fmt.Errorf("line %d: the option %s is not understood here: verify with ssh-keygen -Y verify", n+1, name)
			}
		}
		if key != nil && bytes.Equal(key.Marshal(), s.key.Marshal()) {
			return who, nil
		}
	}
	return "", fmt.Errorf("the key %s is not among the signers", s.Fingerprint())
}
