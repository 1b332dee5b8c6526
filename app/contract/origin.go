package contract

import (
	"regexp"
	"strconv"
)

var origin = regexp.MustCompile(`^(https?)://(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::([1-9][0-9]*))?$`)

// IsOrigin reports whether value is an origin as browsers send it (RFC 6454, section 6.2): http or https, a host in
// lower-case ASCII, and a port unless it is the scheme's default. An origin in another form would match no request.
func IsOrigin(value string) bool {
	parts := origin.FindStringSubmatch(value)
	if parts == nil {
		return false
	}
	scheme, port := parts[1], parts[2]
	if port == "" {
		return true
	}
	n, err := strconv.Atoi(port)
	return err == nil && n <= 65535 && !(scheme == "http" && n == 80) && !(scheme == "https" && n == 443)
}
