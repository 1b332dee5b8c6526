package dbhost

import "fmt"

// Config gives mongod.conf: TLS required of everyone, authorization on, a replica set, and nothing on any address
// but loopback and the private name. The cache is left to mongod, which takes half of the memory less 1 GB.
//
// The process itself (user, limits, logging to the journal from standard output) is systemd's.
func (h *Host) Config() string {
	// Quoted as Go does, plain ASCII paths are YAML too.
	return fmt.Sprintf(`storage:
  dbPath: %q
net:
  port: %d
  bindIp: %q
  tls:
    mode: requireTLS
    certificateKeyFile: %q
    CAFile: %q
    # Clients prove who they are by password.
    allowConnectionsWithoutCertificates: true
    disabledProtocols: TLS1_0,TLS1_1
security:
  authorization: enabled
  keyFile: %q
  # No query of the application runs code in the server.
  javascriptEnabled: false
replication:
  replSetName: %s
`, h.dbPath(), Port, "localhost,"+h.Name, h.serverFile(), h.caFile(), h.keyFile(), ReplicaSet)
}
