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
	// control sets the connection's deadlines. bodyTime is how long a JSON body may take.
	control  *http.ResponseController
	bodyTime time.Duration
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
	// transfer is the time limit for answers with an image, on a slow connection, and for the work after an upload.
	transfer = 60 * time.Second
)

// base is short for the path that all routes but one are below.
const base = contract.BasePath

func (a *API) routes() []route {
	return []route{
		{"GET", contract.HealthPath, always, quick, a.healthz},
		{"GET", contract.ReadyPath, open, quick, a.readyz},
		{"GET", base + "/metrics", open, quick, a.serveMetrics},
		{"GET", base + "/openapi.json", open, quick, a.openAPI},

		{"POST", base + "/users", open, quick, a.register},
		{"POST", base + "/login", open, quick, a.login},
		{"POST", base + "/logout", member, quick, a.logout},
		{"GET", base + "/users/{username}", self, quick, a.getUser},
		{"PUT", base + "/users/{username}", self, quick, a.putUser},
		{"DELETE", base + "/users/{username}", self, transfer, a.deleteUser},
		{"GET", base + "/users/{username}/movies", self, quick, a.listFavorites},
		{"POST", base + "/users/{username}/movies/{id}", self, quick, a.addFavorite},
		{"DELETE", base + "/users/{username}/movies/{id}", self, quick, a.removeFavorite},

		{"GET", base + "/movies", member, quick, a.listMovies},
		{"GET", base + "/movies/{title}", member, quick, a.getMovie},
		{"GET", base + "/genres", member, quick, a.listGenres},
		{"GET", base + "/genres/{name}", member, quick, a.getGenre},
		{"GET", base + "/directors", member, quick, a.listDirectors},
		{"GET", base + "/directors/{name}", member, quick, a.getDirector},

		{"POST", base + "/images", member, a.uploads.pace.longest(), a.postImage},
		{"GET", base + "/images", member, quick, a.listImages},
		{"GET", base + "/images/{id}", member, transfer, a.getImage},
		{"PUT", base + "/images/{id}", member, quick, a.putImage},
		{"GET", base + "/images/{id}/view", member, transfer, a.getView},
		{"GET", base + "/images/{id}/thumbnail", member, transfer, a.getThumbnail},
		{"DELETE", base + "/images/{id}", member, quick, a.deleteImage},
	}
}
