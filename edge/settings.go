package edge

import "cinema-database/internal/problem"

// Mode is what users connect to.
type Mode string

// The modes.
const (
	// CloudFront: one distribution serves the client and the API over HTTPS, and the load balancer is internal.
	CloudFront Mode = "cloudfront"
	// None: the load balancer is public. The client is published in its bucket, for something else to serve.
	None Mode = "none"
)

// Firewall is what AWS WAF does with a request that one of its rules matches.
type Firewall string

// The firewall's settings.
const (
	// FirewallOff: no firewall.
	FirewallOff Firewall = "off"
	// FirewallCount: requests are counted and logged, and none is blocked.
	FirewallCount Firewall = "count"
	// FirewallBlock: requests are blocked and logged.
	FirewallBlock Firewall = "block"
)

// Settings is the part of stack config about the edge.
type Settings struct {
	Mode Mode     `json:"mode"`
	WAF  Firewall `json:"waf"`
}

// SetText accepts the mode alone: `cinema:edge: none`.
func (s *Settings) SetText(mode string) { s.Mode = Mode(mode) }

// On reports whether there is a distribution.
func (s Settings) On() bool { return s.Mode == CloudFront }

// Check adds a problem for each invalid value.
func (s Settings) Check(l *problem.List) {
	switch s.Mode {
	case CloudFront, None:
	default:
		l.Add("edge.mode", string(s.Mode), "is not a mode of the edge", "use cloudfront or none")
	}
	switch s.WAF {
	case FirewallOff:
	case FirewallCount, FirewallBlock:
		if s.Mode == None {
			l.Add("edge.waf", string(s.WAF), "has no distribution to protect", "set edge.mode to cloudfront, or remove edge.waf")
		}
	default:
		l.Add("edge.waf", string(s.WAF), "is not a setting of the firewall", "use off, count or block")
	}
}
