package sshsig

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
)

const namespace = "coreproof"

func newKey(t *testing.T) (private []byte, public string) {
	t.Helper()
	pub, priv, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(priv, "test")
	if err != nil {
		t.Fatal(err)
	}
	p, err := ssh.NewPublicKey(pub)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(block), strings.TrimSpace(string(ssh.MarshalAuthorizedKey(p)))
}

func TestSignAndVerify(t *testing.T) {
	t.Parallel()
	key, public := newKey(t)
	_, other := newKey(t)
	message := []byte("a report\n")
	sig, err := Sign(key, namespace, message)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := Verify(sig, namespace, message)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		sig     []byte
		ns      string
		message []byte
	}{
		"another message":  {sig, namespace, []byte("a report")},
		"another use":      {sig, "git", message},
		"no signature":     {[]byte("x"), namespace, message},
		"more after it":    {append(append([]byte{}, sig...), sig...), namespace, message},
		"half a signature": {sig[:len(sig)/2], namespace, message},
		"another byte":     {[]byte(strings.Replace(string(sig), "\n", "\nA", 3)), namespace, message},
	} {
		if _, err := Verify(c.sig, c.ns, c.message); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
	for name, c := range map[string]struct{ file, who string }{
		"its key":              {"# comment\n\nme@example.org " + public + "\n", "me@example.org"},
		"its key for this use": {`me namespaces="file,coreproof" ` + public, "me"},
		"for another use":      {`me namespaces="git" ` + public, ""},
		"another key":          {"me " + other, ""},
		"an option unknown":    {`me valid-before="20200101" ` + public, ""},
		"nobody":               {"", ""},
		"nonsense":             {"me", ""},
	} {
		who, err := signer.Allowed([]byte(c.file), namespace)
		if who != c.who || (err == nil) != (c.who != "") {
			t.Errorf("%s: %q, %v", name, who, err)
		}
	}
}

func TestKeys(t *testing.T) {
	t.Parallel()
	r, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(r, "")
	if err != nil {
		t.Fatal(err)
	}
	_, priv, _ := ed25519.GenerateKey(rand.Reader)
	locked, err := ssh.MarshalPrivateKeyWithPassphrase(priv, "", []byte("secret"))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		key  []byte
		want string
	}{
		"rsa":          {pem.EncodeToMemory(block), "ed25519"},
		"a passphrase": {pem.EncodeToMemory(locked), "passphrase"},
		"nonsense":     {[]byte("key"), "no private key"},
	} {
		if _, err := Sign(c.key, namespace, nil); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// TestAgainstOpenSSH: ssh-keygen takes what is signed here, and what it signs is taken.
func TestAgainstOpenSSH(t *testing.T) {
	t.Parallel()
	tool, err := exec.LookPath("ssh-keygen")
	if err != nil {
		t.Skip("there is no ssh-keygen")
	}
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	run := func(stdin string, args ...string) error {
		cmd := exec.Command(tool, args...)
		cmd.Stdin = strings.NewReader(stdin)
		out, err := cmd.CombinedOutput()
		t.Logf("ssh-keygen %s: %s", strings.Join(args, " "), out)
		return err
	}
	if err := run("", "-q", "-t", "ed25519", "-N", "", "-f", in("key")); err != nil {
		t.Fatal(err)
	}
	key, err := os.ReadFile(in("key"))
	if err != nil {
		t.Fatal(err)
	}
	public, err := os.ReadFile(in("key.pub"))
	if err != nil {
		t.Fatal(err)
	}
	signers := "me@example.org " + string(public)
	message := "a report\n"
	sig, err := Sign(key, namespace, []byte(message))
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{"signers": signers, "report.sig": string(sig), "report": message} {
		if err := os.WriteFile(in(name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	verify := []string{"-Y", "verify", "-f", in("signers"), "-I", "me@example.org", "-n", namespace, "-s", in("report.sig")}
	if err := run(message, verify...); err != nil {
		t.Errorf("ssh-keygen refuses what is signed here: %v", err)
	}
	if err := run("another report\n", verify...); err == nil {
		t.Error("ssh-keygen takes it for another file")
	}
	if err := os.Remove(in("report.sig")); err != nil {
		t.Fatal(err)
	}
	if err := run("", "-Y", "sign", "-f", in("key"), "-n", namespace, in("report")); err != nil {
		t.Fatal(err)
	}
	theirs, err := os.ReadFile(in("report.sig"))
	if err != nil {
		t.Fatal(err)
	}
	signer, err := Verify(theirs, namespace, []byte(message))
	if err != nil {
		t.Fatalf("what ssh-keygen signed is refused: %v", err)
	}
	if who, err := signer.Allowed([]byte(signers), namespace); who != "me@example.org" || err != nil {
		t.Errorf("%q, %v", who, err)
	}
}

func FuzzVerify(f *testing.F) {
	f.Add([]byte("-----BEGIN SSH SIGNATURE-----\nU1NIU0lH\n-----END SSH SIGNATURE-----\n"))
	f.Fuzz(func(t *testing.T, sig []byte) {
		if s, err := Verify(sig, namespace, []byte("never signed")); err == nil {
			_ = s.Fingerprint()
		}
	})
}
