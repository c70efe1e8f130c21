package kafka

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"omote/internal/platform/errs"
)

// Security is how the brokers are reached and how this program proves to them who
// it is. Nothing of it set means a plain connection without a sign-in.
type Security struct {
	TLS bool
	// CA is a PEM file of the authorities that the brokers' certificates are
	// checked against; empty uses those of the machine.
	CA string
	// Certificate and Key are PEM files with which this program shows itself.
	Certificate, Key string
	// Mechanism is "plain", "scram-sha-256" or "scram-sha-512"; empty signs nobody in.
	Mechanism      string
	User, Password string
}

// Options are the client's settings that follow. A file that is not there, or a
// password that would travel in the clear, is an error at the start and not a
// connection that never comes.
func (s Security) Options() ([]kgo.Opt, error) {
	var out []kgo.Opt
	if s.TLS {
		config, err := s.config()
		if err != nil {
			return nil, err
		}
		out = append(out, kgo.DialTLSConfig(config))
	} else if s.CA != "" || s.Certificate != "" || s.Key != "" {
		return nil, errs.Invalid("config.error.kafka_tls", "kafka_tls", "certificates are given for Kafka, but kafka_tls is off")
	}
	if s.Mechanism != "" {
		mechanism, err := s.mechanism()
		if err != nil {
			return nil, err
		}
		out = append(out, kgo.SASL(mechanism))
	}
	return out, nil
}

func (s Security) config() (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if s.CA != "" {
		pem, err := os.ReadFile(s.CA)
		if err != nil {
			return nil, errs.Invalid("config.error.kafka_file", "kafka_ca", "cannot read the authorities of Kafka's certificates").Because(err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, errs.Invalid("config.error.kafka_file", "kafka_ca", "%s holds no certificate in PEM form", s.CA)
		}
	}
	if s.Certificate != "" || s.Key != "" {
		pair, err := tls.LoadX509KeyPair(s.Certificate, s.Key)
		if err != nil {
			return nil, errs.Invalid("config.error.kafka_file", "kafka_cert", "cannot read this program's certificate and key for Kafka").Because(err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, nil
}

func (s Security) mechanism() (sasl.Mechanism, error) {
	switch s.Mechanism {
	case "plain":
		if !s.TLS {
			return nil, errs.Invalid("config.error.kafka_plain", "kafka_sasl", "the mechanism plain would send the password in the clear: set kafka_tls, or use scram-sha-512")
		}
		return plain.Auth{User: s.User, Pass: s.Password}.AsMechanism(), nil
	case "scram-sha-256":
		return scram.Auth{User: s.User, Pass: s.Password}.AsSha256Mechanism(), nil
	case "scram-sha-512":
		return scram.Auth{User: s.User, Pass: s.Password}.AsSha512Mechanism(), nil
	}
	return nil, errs.Invalid("config.error.kafka_sasl", "kafka_sasl", "unknown mechanism %s: use plain, scram-sha-256 or scram-sha-512", fmt.Sprintf("%q", s.Mechanism))
}
