package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"cinema-database/app/contract"
	"cinema-database/app/internal/api"
	"cinema-database/app/internal/dev"
)

// rounds is how often the kinds of requests alternate, so that other load on the machine affects all kinds alike.
const rounds = 3

const (
	name     = "bench"
	password = "measured twice"
)

// measureAPI runs the application in this process and sends requests to it over loopback.
func measureAPI(ctx context.Context, o options) (_ []figure, err error) {
	s, err := dev.Start(ctx, dev.Options{Addr: "127.0.0.1:0", Limits: api.Unlimited()})
	if err != nil {
		return nil, err
	}
	defer s.Close()
	c := &client{url: s.URL + contract.BasePath, http: &http.Client{
		Timeout: 30 * time.Second,
		// Answers stay compressed, so that the figures are the server's, not this client's.
		Transport: &http.Transport{MaxConnsPerHost: connections, MaxIdleConnsPerHost: connections, DisableCompression: true},
	}}
	if err := c.signUp(ctx); err != nil {
		return nil, err
	}
	tag, err := c.movies(ctx, "", http.StatusOK)
	if err != nil {
		return nil, err
	}
	if tag == "" {
		return nil, fmt.Errorf("GET /movies: no ETag in the answer")
	}
	c.tag = tag

	kinds := []struct {
		call  func(context.Context) error
		total load
	}{
		{call: func(ctx context.Context) error { _, err := c.movies(ctx, "", http.StatusOK); return err }},
		{call: c.confirm},
		{call: c.logIn},
	}
	for i := range kinds {
		if _, err := drive(ctx, o.round/4, kinds[i].call); err != nil { // opens the connections
			return nil, err
		}
	}
	c.refused.Store(0)
	for range rounds {
		for i := range kinds {
			one, err := drive(ctx, o.round, kinds[i].call)
			if err != nil {
				return nil, err
			}
			kinds[i].total = kinds[i].total.plus(one)
		}
	}
	movies, conditional, login := kinds[0].total, kinds[1].total, kinds[2].total
	refused := float64(c.refused.Load()) / login.elapsed.Seconds()
	return []figure{
		{name: "GET /movies, 64 connections", value: movies.perSecond(), unit: "requests/s", atLeast: least(3000)},
		{name: "GET /movies, p99", value: movies.p99(), unit: "ms", atMost: most(50)},
		{name: "GET /movies, of the rate of 304", value: 100 * movies.perSecond() / conditional.perSecond(), unit: "%", atLeast: least(60)},
		{name: "GET /movies with ETag (304), 64 connections", value: conditional.perSecond(), unit: "requests/s"},
		{name: "GET /movies with ETag (304), p99", value: conditional.p99(), unit: "ms"},
		{name: "POST /login, 64 connections", value: login.perSecond() - refused, unit: "log-ins/s"},
		{name: "POST /login, refused", value: refused, unit: "answers/s"},
		{name: "POST /login, p99 of log-ins and refusals", value: login.p99(), unit: "ms", atMost: most(2000)},
	}, nil
}

type client struct {
	url, token string
	http       *http.Client
	// tag is the ETag of GET /movies.
	tag string
	// refused is the number of log-ins that were answered with Retry-After.
	refused atomic.Int64
}

func (c *client) do(ctx context.Context, method, path string, body any, header http.Header, want int) ([]byte, http.Header, error) {
	var r io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return nil, nil, err
		}
		r = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.url+path, r)
	if err != nil {
		return nil, nil, err
	}
	if header != nil {
		req.Header = header
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, nil, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != want {
		err = &statusError{resp.StatusCode, fmt.Sprintf("%s %s: status %d, not %d: %.200s", method, path, resp.StatusCode, want, b)}
	}
	return b, resp.Header, err
}

func (c *client) signUp(ctx context.Context) error {
	account := map[string]string{"Username": name, "Password": password, "Email": name + "@example.com"}
	if _, _, err := c.do(ctx, http.MethodPost, "/users", account, nil, http.StatusCreated); err != nil {
		return err
	}
	b, _, err := c.do(ctx, http.MethodPost, "/login", map[string]string{"Username": name, "Password": password}, nil, http.StatusOK)
	if err != nil {
		return err
	}
	var session struct{ Token string }
	if err := json.Unmarshal(b, &session); err != nil {
		return err
	}
	c.token = session.Token
	return nil
}

// logIn counts an answer that the queue of log-ins is full like any other.
func (c *client) logIn(ctx context.Context) error {
	_, answer, err := c.do(ctx, http.MethodPost, "/login", map[string]string{"Username": name, "Password": password}, nil, http.StatusOK)
	if err != nil && answer.Get("Retry-After") != "" {
		c.refused.Add(1)
		return nil
	}
	return err
}

// confirm requests the movies with their tag.
func (c *client) confirm(ctx context.Context) error {
	_, err := c.movies(ctx, c.tag, http.StatusNotModified)
	return err
}

// statusError is an answer with an unexpected status.
type statusError struct {
	status int
	text   string
}

func (e *statusError) Error() string { return e.text }

func (c *client) movies(ctx context.Context, tag string, want int) (string, error) {
	h := http.Header{"Authorization": {"Bearer " + c.token}, "Accept-Encoding": {"gzip"}}
	if tag != "" {
		h.Set("If-None-Match", tag)
	}
	_, answer, err := c.do(ctx, http.MethodGet, "/movies", nil, h, want)
	return answer.Get("ETag"), err
}
