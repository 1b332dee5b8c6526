package dbhost

import (
	"fmt"

	"cinema-database/app/contract"
)

// Config returns mongod.conf: TLS required, authorization enabled, a replica set, and listening only on loopback and the
// private name. The cache has mongod's default size, half of (RAM - 1 GB).
//
// systemd configures the process itself: user, limits, and logging from standard output to the journal.
func (h *Host) Config() string {
	// For plain ASCII paths, Go's quoting is valid YAML.
	return fmt.Sprintf(`storage:
  dbPath: %q
net:
  port: %d
  bindIp: %q
  tls:
    mode: requireTLS
    certificateKeyFile: %q
    CAFile: %q
    # Clients authenticate by password.
    allowConnectionsWithoutCertificates: true
    disabledProtocols: TLS1_0,TLS1_1
security:
  authorization: enabled
  keyFile: %q
  # No query of the application runs JavaScript in the server.
  javascriptEnabled: false
replication:
  replSetName: %s
`, h.dbPath(), contract.MongoDBPort, "localhost,"+h.Name, h.serverFile(), h.caFile(), h.keyFile(), ReplicaSet)
}
