package dbhost

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"slices"
	"time"
)

const (
	// caLife is how long the CA is valid. It signs one server's certificates and lives as long as the database.
	caLife = 20 * 365 * 24 * time.Hour
	// serverLife is how long a server certificate is valid: 397 days was the CA/Browser Forum's limit for public ones.
	serverLife = 397 * 24 * time.Hour
	// renewBefore is how long before its expiry a server certificate is renewed.
	renewBefore = serverLife / 3
	// backdate allows for clients whose clocks are slow.
	backdate = time.Hour
)

// keyPair is a certificate and its private key, both PEM.
type keyPair struct {
	Certificate string `json:"certificate"`
	Key         string `json:"key"`
}

// parse decodes both and checks that they match.
func (p keyPair) parse() (*x509.Certificate, *ecdsa.PrivateKey, error) {
	pair, err := tls.X509KeyPair([]byte(p.Certificate), []byte(p.Key))
	if err != nil {
		return nil, nil, err
	}
	key, ok := pair.PrivateKey.(*ecdsa.PrivateKey)
	if !ok {
		return nil, nil, fmt.Errorf("a key of type %T", pair.PrivateKey)
	}
	return pair.Leaf, key, nil
}

func newCA(now time.Time) (keyPair, error) {
	return sign(&x509.Certificate{
		Subject:               pkix.Name{CommonName: "cinema database CA"},
		NotBefore:             now.Add(-backdate),
		NotAfter:              now.Add(caLife),
		IsCA:                  true,
		BasicConstraintsValid: true,
		MaxPathLenZero:        true,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}, nil)
}

// newServerCertificate issues mongod's certificate. mongod also uses it to connect to itself, so it has both usages.
func newServerCertificate(ca keyPair, name string, now time.Time) (keyPair, error) {
	return sign(&x509.Certificate{
		Subject:               pkix.Name{CommonName: name},
		DNSNames:              serverNames(name),
		IPAddresses:           []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
		NotBefore:             now.Add(-backdate),
		NotAfter:              now.Add(serverLife),
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}, &ca)
}

func serverNames(name string) []string { return []string{name, "localhost"} }

// sign generates a key and issues a certificate for it from the template; self-signed if parent is nil.
func sign(template *x509.Certificate, parent *keyPair) (keyPair, error) {
	fail := func(err error) (keyPair, error) {
		return keyPair{}, fmt.Errorf("dbhost: issue certificate for %q: %w", template.Subject.CommonName, err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fail(err)
	}
	// RFC 5280, 4.1.2.2: positive and at most 20 octets.
	if template.SerialNumber, err = rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 158)); err != nil {
		return fail(err)
	}
	issuer, issuerKey := template, key
	if parent != nil {
		if issuer, issuerKey, err = parent.parse(); err != nil {
			return fail(err)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, issuer, &key.PublicKey, issuerKey)
	if err != nil {
		return fail(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return fail(err)
	}
	return keyPair{
		Certificate: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
		Key:         string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})),
	}, nil
}

// renew replaces a server certificate that expires soon or has another name, and saves the state. The CA stays the same,
// so clients trust the new certificate.
func (h *Host) renew(s *state) error {
	certificate, _, err := s.Server.parse()
	if err != nil {
		return fmt.Errorf("dbhost: server certificate: %w", err)
	}
	now := h.Now()
	if now.Add(renewBefore).Before(certificate.NotAfter) && slices.Equal(certificate.DNSNames, serverNames(h.Name)) {
		return nil
	}
	if s.Server, err = newServerCertificate(s.CA, h.Name, now); err != nil {
		return err
	}
	h.Log.Info("renewed the server certificate", "name", h.Name, "validTo", now.Add(serverLife))
	return h.save(s)
}
