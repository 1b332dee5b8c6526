package api

import (
	"net/http"
	"net/netip"
	"strings"
)

const forwardedFor = "X-Forwarded-For"

// clientAddress returns the address for rate limits and the log. For IPv6 it is the /64 prefix, which belongs to one
// household or machine.
func (a *API) clientAddress(r *http.Request) string {
	ip, ok := callerOf(r, a.proxies)
	if !ok {
		return "unknown"
	}
	if ip.Is6() {
		if prefix, err := ip.Prefix(64); err == nil {
			return prefix.String()
		}
	}
	return ip.String()
}

// callerOf returns the address that called the outermost of the proxies. Each proxy appends the address of its caller to
// X-Forwarded-For, so the n-th entry from the end is the n-th proxy's, and a client can forge only the entries before it.
//
// The entries are read from the end, from proxy to proxy. If one is missing or is not an address, its proxy did not
// append, and the entries before it may be forged: the caller is then the last address that was read. This is an address
// of the proxies themselves, which all such requests share.
func callerOf(r *http.Request, proxies int) (caller netip.Addr, ok bool) {
	caller, ok = parseAddress(r.RemoteAddr)
	if proxies == 0 {
		return caller, ok
	}
	// Several lines are one list, in their order. Empty elements do not count (RFC 9110, section 5.6.1.2).
	entries := strings.Split(strings.Join(r.Header.Values(forwardedFor), ","), ",")
	for i := len(entries) - 1; i >= 0 && proxies > 0; i-- {
		entry := strings.Trim(entries[i], " \t")
		if entry == "" {
			continue
		}
		ip, isAddress := parseAddress(entry)
		if !isAddress {
			break
		}
		caller, ok = ip, true
		proxies--
	}
	return caller, ok
}

// parseAddress parses an address, with or without a port, brackets and a zone. It returns the address alone.
func parseAddress(text string) (netip.Addr, bool) {
	ip, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(text, "["), "]"))
	if err != nil {
		withPort, err := netip.ParseAddrPort(text)
		if err != nil {
			return netip.Addr{}, false
		}
		ip = withPort.Addr()
	}
	return ip.Unmap().WithZone(""), true
}
