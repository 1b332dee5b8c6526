package api

import (
	"net/http"
	"time"

	"cinema-database/app/contract"
	"cinema-database/app/internal/credentialwatch"
	"cinema-database/app/internal/tokens"
)

// call is one request with its credentials, session and client address.
type call struct {
	*http.Request
	state *credentialwatch.State
	// session is the token's; zero for routes that need no token.
	session tokens.Session
	// client is the request's source address.
	client string
}

type handler func(w http.ResponseWriter, c *call) error

// access is what a route requires from its caller.
type access int

const (
	// always requires nothing, not even that the API has credentials.
	always access = iota
	// open requires no token.
	open
	// member requires a valid token of an account that exists, or existed until accountLifetime ago.
	member
	// self requires a valid token of the account in the path's {username}. The query itself checks that it exists.
	self
)

type route struct {
	method, pattern string
	access          access
	// limit is the handler's time limit.
	limit  time.Duration
	handle handler
}

const (
	// quick is the time limit for requests without an image.
	quick = 15 * time.Second
	// transfer is the time limit for requests with an image, on a slow connection.
	transfer = 60 * time.Second
)

func (a *API) routes() []route {
	return []route{
		{"GET", contract.HealthPath, always, quick, a.healthz},
		{"GET", contract.ReadyPath, open, quick, a.readyz},
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
