package kafka

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
)

// TestSecuredBrokers reads through TLS with a private authority and a SCRAM
// sign-in; a wrong password and an unknown authority read nothing.
func TestSecuredBrokers(t *testing.T) {
	t.Parallel()
	ca, pair := authority(t)
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "events"), kfake.EnableSASL(),
		kfake.Superuser("SCRAM-SHA-512", "omote", "right"), kfake.TLS(&tls.Config{Certificates: []tls.Certificate{pair}}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	good := Security{TLS: true, CA: ca, Mechanism: "scram-sha-512", User: "omote", Password: "right"}
	options, err := good.Options()
	if err != nil {
		t.Fatal(err)
	}
	client, err := kgo.NewClient(append(options, kgo.SeedBrokers(c.ListenAddrs()...), kgo.DefaultProduceTopic("events"))...)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if err := client.ProduceSync(t.Context(), &kgo.Record{Value: []byte(`{"type":"track","event":"e","userId":"c"}`)}).FirstErr(); err != nil {
		t.Fatal(err)
	}
	wrongPassword, noAuthority := good, good
	wrongPassword.Password = "wrong"
	noAuthority.CA = ""
	for name, bad := range map[string]Security{"password": wrongPassword, "authority": noAuthority} {
		d := newDoor()
		stop := start(t, c.ListenAddrs(), bad, d)
		time.Sleep(500 * time.Millisecond)
		stop()
		if len(d.times) != 0 {
			t.Errorf("wrong %s: %d records were read", name, len(d.times))
		}
	}
	d := newDoor()
	stop := start(t, c.ListenAddrs(), good, d)
	d.wait(t, 1)
	stop()
}

// TestSecurityIsChecked refuses what could not work, or would not be safe, before
// anything is sent.
func TestSecurityIsChecked(t *testing.T) {
	t.Parallel()
	junk := filepath.Join(t.TempDir(), "junk.pem")
	if err := os.WriteFile(junk, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, s := range map[string]Security{
		"a password in the clear":  {Mechanism: "plain", User: "u", Password: "p"},
		"an unknown mechanism":     {TLS: true, Mechanism: "kerberos"},
		"a missing authority":      {TLS: true, CA: junk + ".not"},
		"no certificate in it":     {TLS: true, CA: junk},
		"half a pair":              {TLS: true, Certificate: junk},
		"certificates, but no TLS": {CA: junk},
	} {
		if _, err := s.Options(); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
	if o, err := (Security{}).Options(); err != nil || len(o) != 0 {
		t.Errorf("plain: %d options, %v", len(o), err)
	}
}

// authority makes a certificate for this machine that vouches for itself.
func authority(t *testing.T) (path string, pair tls.Certificate) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "broker"}, NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}, DNSNames: []string{"localhost"}, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return path, tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}
