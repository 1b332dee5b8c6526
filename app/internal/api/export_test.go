package api

import (
	"net/http"
	"net/netip"
)

// Routes returns every route as "METHOD /pattern".
func (a *API) Routes() []string {
	var all []string
	for _, rt := range a.routes() {
		all = append(all, rt.method+" "+rt.pattern)
	}
	return all
}

// ParseJSON parses a JSON body.
func ParseJSON(data []byte, v any) error { return parseJSON(data, v) }

// AccountBody is the body of POST and PUT of an account.
type AccountBody = accountBody

// CallerOf returns the address of a request's caller.
func CallerOf(r *http.Request, proxies int) (netip.Addr, bool) { return callerOf(r, proxies) }
