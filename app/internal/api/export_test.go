package api

import (
	"net/http"
	"net/netip"
	"time"
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

// Bodies returns a new value for each JSON body, by its schema in openapi.json.
func Bodies() map[string]any {
	return map[string]any{
		"NewAccount": &accountBody{}, "ChangedAccount": &changedBody{}, "Deletion": &deletionBody{}, "Login": &loginBody{}, "Caption": &captionBody{},
	}
}

// LimitBodyTime sets how long a JSON body may take.
func (a *API) LimitBodyTime(d time.Duration) { a.bodyTime = d }

// CallerOf returns the address of a request's caller.
func CallerOf(r *http.Request, proxies int) (netip.Addr, bool) { return callerOf(r, proxies) }

// LimitImages sets the number of bytes that an account's images may have.
func (a *API) LimitImages(bytes int64) { a.maxImageBytes = bytes }

// FreeUploadMemory reports whether no upload holds memory.
func (a *API) FreeUploadMemory() bool {
	free := a.uploads.memory.TryAcquire(uploadMemory)
	if free {
		a.uploads.memory.Release(uploadMemory)
	}
	return free
}

// Document returns openapi.json.
func Document() []byte { return openAPIDocument }
