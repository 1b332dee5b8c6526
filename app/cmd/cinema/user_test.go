package main

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestUsers: the operator's commands have their effect on the running API.
func TestUsers(t *testing.T) {
	db, _, env := startServers(t)
	env["MONGODB_URI"], env["JWT_KEY"] = db.URI(), key
	url := startServe(t, env)
	requireStatus(t, url+"/api/readyz", 200)
	ctx := context.Background()
	call := func(method, path, token, body string) (status int, answer string) {
		req, err := http.NewRequest(method, url+path, strings.NewReader(body))
		require.NoError(t, err)
		req.Header.Set("Content-Type", "application/json")
		if token != "" {
			req.Header.Set("Authorization", "Bearer "+token)
		}
		resp, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		defer resp.Body.Close()
		data, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		return resp.StatusCode, string(data)
	}
	logIn := func(password string) (status int, token string) {
		status, answer := call("POST", "/api/login", "", `{"Username":"ada","Password":"`+password+`"}`)
		var session struct{ Token string }
		require.NoError(t, json.Unmarshal([]byte(answer), &session))
		return status, session.Token
	}
	const first = "correct horse battery"
	status, answer := call("POST", "/api/users", "", `{"Username":"ada","Password":"`+first+`","Email":"ada@example.com"}`)
	require.Equal(t, 201, status, answer)
	status, token := logIn(first)
	require.Equal(t, 200, status)

	shown := cinema(ctx, env, "", "user", "show", "ada").requireOK(t)
	assert.JSONEq(t, `{"Username":"ada","Email":"ada@example.com","Birthday":"","Blocked":false,"Favorites":0,"Images":0,"ImageBytes":0}`, shown)

	r := cinema(ctx, env, "", "user", "reset-password", "ada")
	password := strings.TrimSuffix(r.requireOK(t), "\n")
	assert.Empty(t, r.errout)
	assert.NotContains(t, password, "\n", "only the password is printed")
	status, _ = call("GET", "/api/users/ada", token, "")
	assert.Equal(t, 401, status, "the session has ended")
	status, _ = logIn(first)
	assert.Equal(t, 401, status)
	status, token = logIn(password)
	require.Equal(t, 200, status)

	assert.Equal(t, "blocked Ada\n", cinema(ctx, env, "", "user", "block", "Ada").requireOK(t))
	status, _ = call("GET", "/api/users/ada", token, "")
	assert.Equal(t, 401, status, "the session has ended")
	status, _ = logIn(password)
	assert.Equal(t, 403, status)
	assert.Contains(t, cinema(ctx, env, "", "user", "show", "ada").requireOK(t), `"Blocked": true`)
	assert.Equal(t, "unblocked ada\n", cinema(ctx, env, "", "user", "unblock", "ada").requireOK(t))
	status, _ = logIn(password)
	assert.Equal(t, 200, status)

	for _, command := range []string{"show", "reset-password", "block", "unblock"} {
		r := cinema(ctx, env, "", "user", command, "eve")
		r.assertFails(t, exitFailed, `user "eve": not found`)
		assert.Empty(t, r.out, "no password is printed for an account that does not exist")
	}
}
