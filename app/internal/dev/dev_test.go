package dev_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"image"
	"image/png"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"golang.org/x/crypto/bcrypt"

	"cinema-database/app/internal/dev"
	"cinema-database/internal/testutil/must"
)

func start(t *testing.T, dir string) *dev.Server {
	t.Helper()
	s := must.OK(dev.Start(context.Background(), dev.Options{Addr: "127.0.0.1:0", DataDir: dir, PasswordCost: bcrypt.MinCost}))(t)
	t.Cleanup(func() { assert.NoError(t, s.Close()) })
	return s
}

func send(t *testing.T, method, url, token, contentType string, body io.Reader, out any) int {
	t.Helper()
	req := must.OK(http.NewRequest(method, url, body))(t)
	req.Header.Set("Content-Type", contentType)
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp := must.OK(http.DefaultClient.Do(req))(t)
	defer resp.Body.Close()
	if out != nil {
		require.NoError(t, json.NewDecoder(resp.Body).Decode(out))
	}
	return resp.StatusCode
}

const ada = `{"Username":"ada","Password":"correct horse","Email":"ada@example.com"}`

// TestEverything signs up, uploads an image, reads its thumbnail, and reads everything again after a restart.
func TestEverything(t *testing.T) {
	dir := t.TempDir()
	s := start(t, dir)
	require.Equal(t, 201, send(t, "POST", s.URL+"/api/users", "", "application/json", strings.NewReader(ada), nil))
	var session struct{ Token string }
	login := `{"Username":"ada","Password":"correct horse"}`
	require.Equal(t, 200, send(t, "POST", s.URL+"/api/login", "", "application/json", strings.NewReader(login), &session))
	var movies []struct{ Title string }
	require.Equal(t, 200, send(t, "GET", s.URL+"/api/movies", session.Token, "", nil, &movies))
	assert.GreaterOrEqual(t, len(movies), 40)

	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part := must.OK(form.CreateFormFile("image", "x.png"))(t)
	require.NoError(t, png.Encode(part, image.NewGray(image.Rect(0, 0, 900, 600))))
	require.NoError(t, form.Close())
	var i struct{ URL, ThumbnailURL string }
	require.Equal(t, 201, send(t, "POST", s.URL+"/api/images", session.Token, form.FormDataContentType(), &body, &i))
	require.Eventually(t, func() bool { return send(t, "GET", s.URL+i.ThumbnailURL, session.Token, "", nil, nil) == 200 },
		time.Minute, 10*time.Millisecond)

	require.NoError(t, s.Close())
	s = start(t, dir)
	assert.Equal(t, 200, send(t, "GET", s.URL+"/api/users/ada", session.Token, "", nil, nil), "the session stays valid")
	assert.Equal(t, 200, send(t, "GET", s.URL+i.URL, session.Token, "", nil, nil))
	assert.Equal(t, 200, send(t, "GET", s.URL+i.ThumbnailURL, session.Token, "", nil, nil))
}

func TestStartReportsFailure(t *testing.T) {
	s := start(t, "")
	_, err := dev.Start(context.Background(), dev.Options{Addr: strings.TrimPrefix(s.URL, "http://"), PasswordCost: bcrypt.MinCost})
	assert.ErrorContains(t, err, "another program uses it")
}

// TestStartRefusesAUsedFolder: two servers on the same files would lose updates.
func TestStartRefusesAUsedFolder(t *testing.T) {
	dir := t.TempDir()
	s := start(t, dir)
	_, err := dev.Start(context.Background(), dev.Options{Addr: "127.0.0.1:0", DataDir: dir, PasswordCost: bcrypt.MinCost})
	assert.ErrorContains(t, err, "another server uses it")
	assert.Equal(t, 200, send(t, "GET", s.URL+"/", "", "", nil, nil), "the first server continues")
	require.NoError(t, s.Close())
	start(t, dir)
}

// TestStartRefusesSwappedOptions: a folder named like an address would be created in the source tree.
func TestStartRefusesSwappedOptions(t *testing.T) {
	for _, o := range []dev.S3Options{{Dir: "127.0.0.1:0"}, {Dir: ":0"}, {Addr: "localhost"}, {Addr: t.TempDir()}, {Addr: "127.0.0.1:x"}} {
		_, err := dev.StartS3(o)
		assert.ErrorContains(t, err, "dev: S3: ", "%+v", o)
		if o.Dir == "" {
			o.Dir = t.TempDir()
		}
		_, err = dev.StartDatabase(dev.DatabaseOptions(o))
		assert.ErrorContains(t, err, "dev: database: ", "%+v", o)
	}
}

// TestKilledClientsDoNotStopWrites: a client that goes away after its write was sent does not keep the others out.
func TestKilledClientsDoNotStopWrites(t *testing.T) {
	db := must.OK(dev.StartDatabase(dev.DatabaseOptions{Dir: t.TempDir()}))(t)
	t.Cleanup(db.Stop)
	command := must.OK(bson.Marshal(bson.D{{Key: "insert", Value: "things"}, {Key: "documents", Value: bson.A{bson.D{{Key: "x", Value: 1}}}}, {Key: "$db", Value: "cinema"}}))(t)
	request := binary.LittleEndian.AppendUint32(nil, uint32(16+5+len(command)))
	for _, n := range []uint32{1, 0, 2013, 0} { // id, request, OP_MSG, flags
		request = binary.LittleEndian.AppendUint32(request, n)
	}
	request = append(append(request, 0), command...)
	const clients = 20
	for range clients {
		c := must.OK(net.Dial("tcp", db.Addr))(t)
		must.OK(c.Write(request))(t)
		require.NoError(t, c.Close())
	}
	client := must.OK(mongo.Connect(options.Client().ApplyURI(db.URI())))(t)
	t.Cleanup(func() { assert.NoError(t, client.Disconnect(context.Background())) })
	things := client.Database("cinema").Collection("things")
	must.OK(things.InsertOne(t.Context(), bson.D{{Key: "x", Value: 2}}))(t)
	require.Eventually(t, func() bool {
		n, err := things.CountDocuments(t.Context(), bson.D{})
		return err == nil && n == clients+1
	}, time.Minute, time.Millisecond)
}
