package dbhost

import (
	"context"
	"net/url"
	"strings"
	"time"

	"cinema-database/app/internal/credentials"
)

// uri returns the API's connection string, with all members.
func uri(hosts []string, a application) string {
	options := url.Values{
		"authSource":    {"admin"},
		"authMechanism": {"SCRAM-SHA-256"},
		"replicaSet":    {ReplicaSet},
		"tls":           {"true"},
		"retryWrites":   {"true"},
		"w":             {"majority"},
	}
	var addresses []string
	for _, host := range hosts {
		addresses = append(addresses, address(host))
	}
	u := url.URL{
		Scheme: "mongodb", User: url.UserPassword(a.User, a.Password),
		Host: strings.Join(addresses, ","), Path: "/" + Database, RawQuery: options.Encode(),
	}
	return u.String()
}

// republish is after how long the agent writes unchanged credentials again: another host may have written older ones while
// it still took itself for the primary's, or somebody may have deleted them. The host cannot read the object.
const republish = 10 * time.Minute

// publish writes the credentials object, unless this process has just written the same.
func (s *session) publish(ctx context.Context, hosts []string, a application) error {
	c := credentials.Credentials{MongoDBURI: uri(hosts, a), CACertificate: s.state.CA.Certificate, JWTKey: a.JWTKey}
	if c == s.published && s.Now().Before(s.publishedAt.Add(republish)) {
		return nil
	}
	if _, err := s.put(ctx, s.Key, c, true); err != nil {
		return err
	}
	s.published, s.publishedAt = c, s.Now()
	s.Log.InfoContext(ctx, "published the credentials", "bucket", s.Bucket, "key", s.Key, "user", a.User, "members", hosts)
	return nil
}
