package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"cinema-database/app/internal/credentialwatch"
	"cinema-database/app/internal/images"
	"cinema-database/app/internal/passwords"
)

// Options is what the API is made of.
type Options struct {
	// Source gives the database and the signing key; while it has none, every answer but /healthz's is 503.
	Source *credentialwatch.Source
	// Bucket keeps the images.
	Bucket *images.Bucket
	Log    *slog.Logger
	// AllowedOrigin is the one origin that browsers may call from; empty allows none.
	AllowedOrigin string
	// BehindProxy says that requests come through a load balancer that appends to X-Forwarded-For.
	BehindProxy bool
	// PasswordCost is bcrypt's work factor; zero for passwords.DefaultCost.
	PasswordCost int
	// UserAttempts and AddressAttempts bound log-ins; the zero Rate for the defaults.
	UserAttempts, AddressAttempts Rate
	// Uploaded is called, when it is not nil, after an original is stored: what S3's events are on AWS.
	Uploaded func(ctx context.Context, id string, original []byte)
	// Now is the clock; nil for time.Now.
	Now func() time.Time
}

// API answers the requests.
type API struct {
	source        *credentialwatch.Source
	bucket        *images.Bucket
	log           *slog.Logger
	allowedOrigin string
	behindProxy   bool
	hasher        *passwords.Hasher
	byUser        *limiter
	byAddress     *limiter
	uploads       chan struct{}
	uploading     counter
	accounts      *accountCache
	metrics       *metrics
	ready         readiness
	uploaded      func(ctx context.Context, id string, original []byte)
	now           func() time.Time
	handler       http.Handler
}

// New makes the API. Errors name every option that is wrong.
func New(o Options) (*API, error) {
	var problems []error
	if o.Source == nil {
		problems = append(problems, errors.New("api: Source: nil; give a credentialwatch.Source"))
	}
	if o.Bucket == nil {
		problems = append(problems, errors.New("api: Bucket: nil; give the images bucket"))
	}
	if o.Log == nil {
		problems = append(problems, errors.New("api: Log: nil; give a logger"))
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
	a := &API{
		source:        o.Source,
		bucket:        o.Bucket,
		log:           o.Log,
		allowedOrigin: o.AllowedOrigin,
		behindProxy:   o.BehindProxy,
		hasher:        hasher,
		byUser:        newLimiter(o.UserAttempts.or(userAttempts), o.Now),
		byAddress:     newLimiter(o.AddressAttempts.or(addressAttempts), o.Now),
		uploads:       make(chan struct{}, maxUploads),
		uploading:     counter{count: map[bson.ObjectID]int{}},
		accounts:      newAccountCache(),
		metrics:       newMetrics(),
		uploaded:      o.Uploaded,
		now:           o.Now,
	}
	a.handler = a.build()
	return a, nil
}

// ServeHTTP answers one request.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.handler.ServeHTTP(w, r) }
