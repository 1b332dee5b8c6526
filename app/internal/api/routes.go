package api

import (
	"net/http"
	"time"

	"cinema-database/app/internal/credentialwatch"
	"cinema-database/app/internal/tokens"
)

// call is one request with what the API found out about it.
type call struct {
	*http.Request
	state *credentialwatch.State
	// session is the token's; zero on routes that need none.
	session tokens.Session
	// client is the address that the request comes from.
	client string
}

type handler func(w http.ResponseWriter, c *call) error

// access says who may call a route.
type access int

const (
	// anyone, even while there are no credentials.
	always access = iota
	// anyone.
	open
	// whoever has a token that is signed and not expired, of an account that is there or was until accountLifetime ago.
	member
	// the account that the path's {username} names, checked by the query itself.
	self
)

type route struct {
	method, pattern string
	access          access
	// limit bounds the handler's time.
	limit  time.Duration
	handle handler
}

const (
	// quick bounds a request that carries no image.
	quick = 15 * time.Second
	// transfer bounds one that does, on a slow line.
	transfer = 60 * time.Second
)

func (a *API) routes() []route {
	return []route{
		{"GET", "/healthz", always, quick, a.healthz},
		{"GET", "/readyz", open, quick, a.readyz},
		{"GET", "/metrics", open, quick, a.serveMetrics},
		{"GET", "/openapi.json", open, quick, a.openAPI},

		{"POST", "/users", open, quick, a.register},
		{"POST", "/login", open, quick, a.login},
		{"GET", "/users/{username}", self, quick, a.getUser},
		{"PUT", "/users/{username}", self, quick, a.putUser},
		{"DELETE", "/users/{username}", self, transfer, a.deleteUser},
		{"POST", "/users/{username}/movies/{id}", self, quick, a.addFavorite},
		{"DELETE", "/users/{username}/movies/{id}", self, quick, a.removeFavorite},

		{"GET", "/movies", member, quick, a.listMovies},
		{"GET", "/movies/{title}", member, quick, a.getMovie},
		{"GET", "/genres/{name}", member, quick, a.getGenre},
		{"GET", "/directors/{name}", member, quick, a.getDirector},

		{"POST", "/images", member, transfer, a.postImage},
		{"GET", "/images", member, quick, a.listImages},
		{"GET", "/images/{id}", member, transfer, a.getImage},
		{"GET", "/images/{id}/thumbnail", member, transfer, a.getThumbnail},
		{"DELETE", "/images/{id}", member, quick, a.deleteImage},
	}
}
