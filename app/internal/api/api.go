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

// Options are the options of New. Source, Bucket and Log are required.
type Options struct {
	// Source provides the database and the signing key. Until it does, every answer except contract.HealthPath's is 503.
	Source *credentialwatch.Source
	// Bucket stores the images.
	Bucket *images.Bucket
	Log    *slog.Logger
	// AllowedOrigin is the only other origin that browsers may call the API from; empty allows none.
	AllowedOrigin string
	// BehindProxy means that requests come through a load balancer that appends to X-Forwarded-For.
	BehindProxy bool
	// PasswordCost is bcrypt's work factor; zero for passwords.DefaultCost.
	PasswordCost int
	// UserAttempts and AddressAttempts limit log-ins; the zero Rate for the defaults.
	UserAttempts, AddressAttempts Rate
	// Uploaded, if not nil, is called after an original is stored. On AWS, S3 sends an event instead.
	Uploaded func(ctx context.Context, id string, original []byte)
	// Now is the clock; nil for time.Now.
	Now func() time.Time
}

// API is the API's HTTP handler.
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

// ServeHTTP implements http.Handler.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.handler.ServeHTTP(w, r) }
