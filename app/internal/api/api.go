package api

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"cinema-database/app/contract"
	"cinema-database/app/internal/credentialwatch"
	"cinema-database/app/internal/images"
	"cinema-database/app/internal/passwords"
)

// Options are the options of New. Source, Bucket and Log are required.
type Options struct {
	// Source provides the database and the signing key. Until it does, every answer except contract.HealthPath's is 503.
	Source *credentialwatch.Source
	// Bucket stores the images.
	Bucket *images.Bucket
	Log    *slog.Logger
	// AllowedOrigins are the other origins that browsers may call the API from (contract.IsOrigin).
	AllowedOrigins []string
	// Proxies is how many proxies every request comes through, from 0 to contract.MaxProxies. Each appends the address that
	// it was called from to X-Forwarded-For.
	Proxies int
	// PasswordCost is bcrypt's work factor; zero for passwords.DefaultCost.
	PasswordCost int
	// Limits limit log-ins and changes of accounts.
	Limits Limits
	// UploadPace is the minimum rate of uploads; the zero value for the default.
	UploadPace UploadPace
	// Uploaded, if not nil, is called after an original is stored. On AWS, S3 sends an event instead.
	Uploaded func(id, key string)
	// Now is the clock; nil for time.Now.
	Now func() time.Time
}

// API is the API's HTTP handler.
type API struct {
	source         *credentialwatch.Source
	bucket         *images.Bucket
	log            *slog.Logger
	allowedOrigins []string
	proxies        int
	hasher         *passwords.Hasher
	limits         Limits
	guard          *guard
	uploads        *uploads
	maxImageBytes  int64
	bodyTime       time.Duration
	accounts       *accountCache
	lists          *lru.Cache[cachedList, *rendered]
	metrics        *metrics
	ready          readiness
	uploaded       func(id, key string)
	now            func() time.Time
	handler        http.Handler
}

// New returns the API. The error reports all invalid options.
func New(o Options) (*API, error) {
	var problems []error
	if o.Source == nil {
		problems = append(problems, errors.New("api: Source: nil; set a credentialwatch.Source"))
	}
	if o.Bucket == nil {
		problems = append(problems, errors.New("api: Bucket: nil; set the images bucket"))
	}
	if o.Log == nil {
		problems = append(problems, errors.New("api: Log: nil; set a logger"))
	}
	for _, origin := range o.AllowedOrigins {
		if !contract.IsOrigin(origin) {
			problems = append(problems, fmt.Errorf("api: AllowedOrigins: %q: not an origin; use one such as https://cinema.example", origin))
		}
	}
	if o.Proxies < 0 || o.Proxies > contract.MaxProxies {
		problems = append(problems, fmt.Errorf("api: Proxies: %d: not a number of proxies; use 0 to %d", o.Proxies, contract.MaxProxies))
	}
	if o.PasswordCost == 0 {
		o.PasswordCost = passwords.DefaultCost
	}
	hasher, err := passwords.New(o.PasswordCost)
	if err != nil {
		problems = append(problems, fmt.Errorf("api: PasswordCost: %w", err))
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	o.Limits = o.Limits.orDefaults()
	a := &API{
		source:         o.Source,
		bucket:         o.Bucket,
		log:            o.Log,
		allowedOrigins: slices.Clone(o.AllowedOrigins),
		proxies:        o.Proxies,
		hasher:         hasher,
		limits:         o.Limits,
		guard:          newGuard(o.Limits.Address),
		uploads:        newUploads(o.UploadPace),
		maxImageBytes:  maxImageBytes,
		bodyTime:       quick,
		accounts:       newAccountCache(),
		lists:          newLists(),
		metrics:        newMetrics(),
		uploaded:       o.Uploaded,
		now:            o.Now,
	}
	a.handler = a.build()
	return a, nil
}

// ServeHTTP implements http.Handler.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.handler.ServeHTTP(w, r) }
