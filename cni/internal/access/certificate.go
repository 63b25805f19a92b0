package access

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"path/filepath"
	"time"
)

const validity = 10 * 365 * 24 * time.Hour

// Certificates gives the server's certificate at each handshake.
type Certificates func(*tls.ClientHelloInfo) (*tls.Certificate, error)

// SelfSigned makes a certificate that only this process has.
func SelfSigned(name string) (Certificates, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(validity),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
	}
	signed, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, err
	}
	made := &tls.Certificate{Certificate: [][]byte{signed}, PrivateKey: key}
	return func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return made, nil }, nil
}

// FromDir reads tls.crt and tls.key of a folder at each handshake, so that a certificate that was renewed is served.
//
// It fails at once when there are none.
func FromDir(dir string) (Certificates, error) {
	load := func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
		pair, err := tls.LoadX509KeyPair(filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key"))
		if err != nil {
			return nil, fmt.Errorf("the certificate in %s: %w", dir, err)
		}
		return &pair, nil
	}
	_, err := load(nil)
	return load, err
}
