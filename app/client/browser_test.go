package client_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/bcrypt"

	"cinema-database/app/client"
	"cinema-database/app/internal/dev"
	"cinema-database/internal/testutil/chromium"
)

// patience is how long the page may take for one step on a busy machine.
const patience = time.Minute

var shared struct {
	sync.Mutex
	ctx    context.Context
	cancel func()
}

// browser is one Chromium for all tests; each page is a context of its own in it, with its own storage.
func browser(t *testing.T) context.Context {
	t.Helper()
	shared.Lock()
	defer shared.Unlock()
	if shared.ctx == nil {
		shared.ctx, shared.cancel = chromium.Start(t)
	}
	return shared.ctx
}

func TestMain(m *testing.M) {
	code := m.Run()
	if shared.cancel != nil {
		shared.cancel()
	}
	os.Exit(code)
}

// site is the page and a real API behind a gate that the test can close.
type site struct {
	t *testing.T
	// URL is the page's address.
	URL string
	// api is the API's own address, around the gate.
	api  string
	gate atomic.Pointer[http.HandlerFunc]
	// proxy leads to the API past the gate.
	proxy http.Handler
}

func start(t *testing.T) *site {
	t.Helper()
	chromium.Find(t)
	// The cheapest hash that bcrypt has: these tests are about the page.
	server, err := dev.Start(t.Context(), dev.Options{Addr: "127.0.0.1:0", PasswordCost: bcrypt.MinCost})
	require.NoError(t, err)
	t.Cleanup(func() { server.Close() })
	target, err := url.Parse(server.URL)
	require.NoError(t, err)
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	s := &site{t: t, api: server.URL, proxy: proxy}
	static := map[string]bool{"/": true}
	for _, f := range client.Pages() {
		static["/"+f.Path] = true
	}
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// The page itself comes from a static site, which stays up.
		if closed := s.gate.Load(); closed != nil && !static[r.URL.Path] {
			(*closed)(w, r)
			return
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(front.Close)
	s.URL = front.URL
	return s
}

// away closes the gate: the handler answers in the API's place.
func (s *site) away(answer http.HandlerFunc) { s.gate.Store(&answer) }

// back opens it.
func (s *site) back() { s.gate.Store(nil) }

// unavailable answers as the API does while its database is away.
func unavailable(retryAfter int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/problem+json")
		w.Header().Set("Retry-After", strconv.Itoa(retryAfter))
		w.WriteHeader(http.StatusServiceUnavailable)
		io.WriteString(w, `{"type":"about:blank","title":"Service Unavailable","status":503,"detail":"The database is away; try again shortly."}`)
	}
}

// cut answers nothing at all.
func cut(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

// call uses the API without the page.
func (s *site) call(method, path, token string, body any) (answer map[string]any) {
	s.t.Helper()
	data, err := json.Marshal(body)
	require.NoError(s.t, err)
	request, err := http.NewRequestWithContext(s.t.Context(), method, s.api+path, strings.NewReader(string(data)))
	require.NoError(s.t, err)
	request.Header.Set("Content-Type", "application/json")
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := http.DefaultClient.Do(request)
	require.NoError(s.t, err)
	defer response.Body.Close()
	require.Less(s.t, response.StatusCode, 300, "%s %s", method, path)
	require.NoError(s.t, json.NewDecoder(response.Body).Decode(&answer))
	return answer
}

// account is someone to be in the tests.
type account struct{ Username, Email, Password string }

func (s *site) register(name string) account {
	a := account{name, name + "@example.com", "a long enough secret"}
	s.call("POST", "/users", "", a)
	return a
}

// page is one tab.
type page struct {
	t    *testing.T
	ctx  context.Context
	site *site
	mu   sync.Mutex
	// said is what the browser's console shows, but for failed requests, which some tests mean to have.
	said []string
	// expect is part of a message that the test means to have there.
	expect string
}

// page is a tab with a storage of its own.
func (s *site) page() *page {
	s.t.Helper()
	return s.tab(chromedp.WithNewBrowserContext())
}

// beside is another tab with the storage of p.
func (s *site) beside(p *page) *page {
	s.t.Helper()
	return s.tab(chromedp.WithExistingBrowserContext(chromedp.FromContext(p.ctx).BrowserContextID))
}

func (s *site) tab(storage chromedp.ContextOption) *page {
	s.t.Helper()
	ctx, cancel := chromedp.NewContext(browser(s.t), storage)
	_, err := chromedp.Run(ctx, chromedp.Title())
	require.NoError(s.t, err)
	p := &page{t: s.t, ctx: ctx, site: s}
	messages := chromedp.Console(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for m, err := range messages {
			if err != nil {
				return
			}
			if m.Source == "network" || strings.HasPrefix(m.Text, "Failed to load resource") {
				continue
			}
			p.mu.Lock()
			if p.expect != "" && strings.Contains(m.Text, p.expect) {
				p.mu.Unlock()
				continue
			}
			p.said = append(p.said, fmt.Sprintf("%s: %s %s", m.Type, m.Text, m.URL))
			p.mu.Unlock()
		}
	}()
	// Policy violations, exceptions and warnings all come to the console: a page that works has an empty one.
	s.t.Cleanup(func() {
		if s.t.Failed() {
			p.shot("failed-" + strings.ReplaceAll(s.t.Name(), "/", "-"))
		}
		cancel()
		<-done
		if len(p.said) > 0 {
			s.t.Errorf("console: %s", strings.Join(p.said, "\n"))
		}
	})
	p.window(1280, 860)
	return p
}

// mean says that messages with that text are part of the test.
func (p *page) mean(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.expect = text
}

// in makes a subtest the one that fails; what it returns puts that back.
func (p *page) in(t *testing.T) (back func()) {
	before := p.t
	p.t = t
	return func() { p.t = before }
}

func (p *page) do(steps ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	require.NoError(p.t, chromedp.Do(ctx, steps...))
}

func run[T any](p *page, action chromedp.Action[T]) T {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	value, err := chromedp.Run(ctx, action)
	require.NoError(p.t, err)
	return value
}

// eval gives the value of an expression, or of the promise that it is.
func eval[T any](p *page, expression string) T {
	p.t.Helper()
	return run(p, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
}

// until waits for an expression to be true. It polls from outside the page's own policy, which bars eval.
func (p *page) until(expression string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	_, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`new Promise((done) => {
		const look = () => { let is = false; try { is = Boolean(`+expression+`); } catch {} is ? done(true) : setTimeout(look, 15); };
		look();
	})`, chromedp.EvalAwaitPromise))
	if err != nil {
		p.t.Fatalf("never true: %s: %v\nat %s: %s", expression, err,
			run(p, chromedp.Location()), eval[string](p, "document.body.innerText.slice(0, 800)"))
	}
}

// quote makes a JavaScript string.
func quote(text string) string {
	data, _ := json.Marshal(text)
	return string(data)
}

// says waits until the element shows the text.
func (p *page) says(selector, text string) {
	p.t.Helper()
	p.until(fmt.Sprintf("document.querySelector(%s).textContent.includes(%s)", quote(selector), quote(text)))
}

// open goes to an address of the page, afresh.
func (p *page) open(hash string) {
	p.t.Helper()
	p.do(chromedp.Navigate("about:blank"), chromedp.Navigate(p.site.URL+"/"+hash))
}

// at waits until the page is at an address and shows a heading.
func (p *page) at(hash, heading string) {
	p.t.Helper()
	p.until(fmt.Sprintf("location.hash.startsWith(%s) && document.querySelector('h1')?.textContent === %s && document.querySelector('main:not([aria-busy])')",
		quote(hash), quote(heading)))
}

// press clicks with the mouse on the element that an expression finds, where it stands. A view that draws itself anew, or moves,
// may take it from under the mouse: where the element has seen no click, it is looked for again.
func (p *page) press(find string) {
	p.t.Helper()
	for deadline := time.Now().Add(patience); ; {
		p.until(find)
		at := eval[[]float64](p, `(() => {
			const e = `+find+`;
			if (!e) return [];
			window.pressed = false;
			e.addEventListener("click", () => { window.pressed = true; }, { capture: true, once: true });
			e.scrollIntoView({ block: "nearest", behavior: "instant" });
			const [r] = e.getClientRects();
			return r ? [r.x + r.width / 2, r.y + r.height / 2] : [];
		})()`)
		if len(at) == 2 {
			p.do(chromedp.MouseClickXY(at[0], at[1]))
			if eval[bool](p, "window.pressed") {
				return
			}
		}
		require.True(p.t, time.Now().Before(deadline), "%s cannot be pressed", find)
	}
}

// click presses the first element that the selector finds.
func (p *page) click(selector string) {
	p.t.Helper()
	p.press(fmt.Sprintf("document.querySelector(%s)", quote(selector)))
}

// follow presses the link or button that has the text.
func (p *page) follow(text string) {
	p.t.Helper()
	p.press(fmt.Sprintf(`[...document.querySelectorAll("a, button")].find((e) => e.textContent.trim() === %s && e.checkVisibility())`, quote(text)))
}

// fill types into the fields of those names, over what they hold.
func (p *page) fill(values ...string) {
	p.t.Helper()
	for i := 0; i < len(values); i += 2 {
		selector := chromedp.CSS(fmt.Sprintf("input[name=%q]", values[i]))
		p.until(fmt.Sprintf("document.querySelector(%s)", quote(string(selector))))
		p.do(chromedp.Evaluate[chromedp.Void](fmt.Sprintf("document.querySelector(%s).select()", quote(string(selector)))))
		p.do(chromedp.SendKeys(selector, values[i+1]))
	}
}

// logIn is someone's way in.
func (p *page) logIn(a account) {
	p.t.Helper()
	p.open("")
	p.at("#/login", "Welcome to the cinema")
	p.fill("Username", a.Username, "Password", a.Password)
	p.follow("Log in")
	p.at("#/movies", "Films")
}

// noPictures is true of a gallery that is empty, and says so.
const noPictures = "!document.querySelector('.tile') && document.querySelector('.empty')?.checkVisibility()"

// searched waits until the films are those of the whole search, and not of a part that was typed first.
func (p *page) searched(q string) {
	p.t.Helper()
	p.until(fmt.Sprintf("new URLSearchParams(location.hash.split('?')[1]).get('q') === %s && !document.querySelector('.results[aria-busy]')", quote(q)))
}

// stay logs out, and in again to stay logged in.
func (p *page) stay(a account) {
	p.t.Helper()
	p.follow("Log out")
	p.at("#/login", "Welcome to the cinema")
	p.fill("Username", a.Username, "Password", a.Password)
	p.click("[name=keep]")
	p.follow("Log in")
	p.at("#/movies", "Films")
}

// receive waits for a request that the page is to send.
func (p *page) receive(arrived <-chan struct{}) {
	p.t.Helper()
	select {
	case <-arrived:
	case <-time.After(patience):
		p.t.Fatal("the request never came")
	}
}

func (p *page) window(width, height int64) { p.do(chromedp.EmulateViewport(width, height)) }

// before runs a script in each document ahead of the page's own.
func (p *page) before(script string) {
	p.do(func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
		_, err := cdp.Call(ctx, t, cdppage.AddScriptToEvaluateOnNewDocument, cdppage.AddScriptToEvaluateOnNewDocumentParams{Source: script})
		return chromedp.Void{}, err
	})
}

// prefer sets media features, e.g. prefers-color-scheme to dark.
func (p *page) prefer(features ...string) {
	p.do(func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
		var set emulation.SetEmulatedMediaParams
		for i := 0; i < len(features); i += 2 {
			set.Features = append(set.Features, &emulation.MediaFeature{Name: features[i], Value: features[i+1]})
		}
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, set)
		return chromedp.Void{}, err
	})
}

// shot keeps a picture of the window below .artifacts at the repository's root.
func (p *page) shot(name string) {
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	data, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err != nil {
		p.t.Logf("no screenshot %s: %v", name, err)
		return
	}
	dir := filepath.Join("..", "..", ".artifacts", "client")
	require.NoError(p.t, os.MkdirAll(dir, 0o755))
	require.NoError(p.t, os.WriteFile(filepath.Join(dir, name+".png"), data, 0o644))
}
