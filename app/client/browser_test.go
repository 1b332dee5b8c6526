package client_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
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
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/bcrypt"

	"cinema-database/app/contract"
	"cinema-database/app/internal/dev"
	"cinema-database/internal/testutil/chromium"
)

// stepTimeout limits one step in the page. It is long enough for a busy machine.
const stepTimeout = time.Minute

var shared struct {
	sync.Mutex
	ctx    context.Context
	cancel func()
}

// browser returns the one Chromium of all tests. Each page has its own browser context with its own storage.
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

// site serves the page and a real API as the edge does. A test can intercept the requests to the API.
type site struct {
	t *testing.T
	// URL is the page's address.
	URL string
	// api is the API's address.
	api string
	// interceptor answers instead of the API; nil if no requests are intercepted.
	interceptor atomic.Pointer[http.HandlerFunc]
	// backend is the API.
	backend http.Handler
}

func start(t *testing.T) *site {
	t.Helper()
	chromium.Find(t)
	s := &site{t: t}
	server, err := dev.Start(t.Context(), dev.Options{
		Addr:         "127.0.0.1:0",
		PasswordCost: bcrypt.MinCost, // the cheapest cost makes the tests fast
		Intercept: func(api http.Handler) http.Handler {
			s.backend = api
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if interceptor := s.interceptor.Load(); interceptor != nil {
					(*interceptor)(w, r)
					return
				}
				api.ServeHTTP(w, r)
			})
		},
	})
	require.NoError(t, err)
	t.Cleanup(func() { server.Close() })
	s.URL, s.api = server.URL, server.URL+contract.BasePath
	return s
}

// intercept lets the handler answer requests instead of the API, until restore.
func (s *site) intercept(handler http.HandlerFunc) { s.interceptor.Store(&handler) }

func (s *site) restore() { s.interceptor.Store(nil) }

// unavailable answers as the API does while its database is not available.
func unavailable(retryAfter int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", strconv.Itoa(retryAfter))
		writeProblem(w, http.StatusServiceUnavailable, "The database is away; try again shortly.")
	}
}

func writeProblem(w http.ResponseWriter, status int, detail string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"type":"about:blank","title":%q,"status":%d,"detail":%q}`, http.StatusText(status), status, detail)
}

// dropConnection closes the connection without a response.
func dropConnection(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

// call sends a request to the API without the page and returns its JSON answer.
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

// startLoggedIn starts a site and logs in a user.
func startLoggedIn(t *testing.T) (*site, *page, account) {
	t.Helper()
	s := start(t)
	a := s.register("grace")
	p := s.page()
	p.logIn(a)
	return s, p, a
}

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
	// messages are the browser's console messages, except failed requests, which some tests cause on purpose.
	messages []string
	// expected is part of a message that the test causes on purpose.
	expected string
}

// page opens a tab with its own storage.
func (s *site) page() *page { return s.tab(chromedp.WithNewBrowserContext()) }

func (s *site) tab(storage chromedp.ContextOption) *page {
	s.t.Helper()
	ctx, cancel := chromedp.NewContext(browser(s.t), storage)
	_, err := chromedp.Run(ctx, chromedp.Title())
	require.NoError(s.t, err)
	p := &page{t: s.t, ctx: ctx, site: s}
	done := chromium.Console(ctx, func(m chromedp.ConsoleMessage) {
		if m.Source == "network" || strings.HasPrefix(m.Text, "Failed to load resource") {
			return
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.expected == "" || !strings.Contains(m.Text, p.expected) {
			p.messages = append(p.messages, fmt.Sprintf("%s: %s %s", m.Type, m.Text, m.URL))
		}
	})
	// Policy violations, exceptions and warnings all appear in the console. It stays empty while the page works.
	s.t.Cleanup(func() {
		if s.t.Failed() {
			p.screenshot("failed-" + strings.ReplaceAll(s.t.Name(), "/", "-"))
		}
		cancel()
		<-done
		assert.Empty(s.t, p.messages, "console")
	})
	p.resize(1280, 860)
	return p
}

// expectMessage allows console messages that contain the text.
func (p *page) expectMessage(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.expected = text
}

// subtest runs a subtest, to which the page reports failures.
func (p *page) subtest(t *testing.T, name string, test func(t *testing.T)) {
	t.Run(name, func(t *testing.T) {
		outer := p.t
		defer func() { p.t = outer }()
		p.t = t
		test(t)
	})
}

func (p *page) do(steps ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	run(p, chromedp.Steps(steps...))
}

func run[T any](p *page, action chromedp.Action[T]) T {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, stepTimeout)
	defer cancel()
	value, err := chromedp.Run(ctx, action)
	require.NoError(p.t, err)
	return value
}

// call sends a command of the DevTools protocol.
func call[P, R any](p *page, command cdp.Command[P, R], params P) R {
	p.t.Helper()
	return run(p, func(ctx context.Context, t *chromedp.Target) (R, error) { return cdp.Call(ctx, t, command, params) })
}

// eval returns the value of a JavaScript expression. It awaits a promise.
func eval[T any](p *page, expression string) T {
	p.t.Helper()
	return run(p, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
}

// waitFor waits until a JavaScript expression is true. The debugger evaluates it, as the page's policy forbids eval.
func (p *page) waitFor(expression string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, stepTimeout)
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

// jsString returns the text as a JavaScript string literal.
func jsString(text string) string {
	data, _ := json.Marshal(text)
	return string(data)
}

// waitForText waits until the element shows the text.
func (p *page) waitForText(selector, text string) {
	p.t.Helper()
	p.waitFor(fmt.Sprintf("document.querySelector(%s).textContent.includes(%s)", jsString(selector), jsString(text)))
}

// open loads the page again, at an address.
func (p *page) open(hash string) {
	p.t.Helper()
	p.do(chromedp.Navigate("about:blank"), chromedp.Navigate(p.site.URL+"/"+hash))
}

// goTo opens a view whose heading is the link's text.
func (p *page) goTo(view string) {
	p.t.Helper()
	p.clickText(view)
	p.waitForView("#/"+strings.ToLower(view), view)
}

// waitForView waits until the page is at an address and shows a heading.
func (p *page) waitForView(hash, heading string) {
	p.t.Helper()
	p.waitFor(fmt.Sprintf("location.hash.startsWith(%s) && document.querySelector('h1')?.textContent === %s && document.querySelector('main:not([aria-busy])')",
		jsString(hash), jsString(heading)))
}

// press clicks with the mouse on the element that an expression finds. A view that redraws or moves can take the
// element away before the click. press tries again until the element has received a click.
func (p *page) press(find string) {
	p.t.Helper()
	for deadline := time.Now().Add(stepTimeout); ; {
		p.waitFor(find)
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

// click clicks the first element that matches the selector.
func (p *page) click(selector string) {
	p.t.Helper()
	p.press(fmt.Sprintf("document.querySelector(%s)", jsString(selector)))
}

// clickText clicks the visible link or button with that text.
func (p *page) clickText(text string) {
	p.t.Helper()
	p.press(fmt.Sprintf(`[...document.querySelectorAll("a, button")].find((e) => e.textContent.trim() === %s && e.checkVisibility())`, jsString(text)))
}

// fill takes pairs of a field's name and a text. The text replaces the field's value. In an open dialog, the fields are the
// dialog's.
func (p *page) fill(values ...string) {
	p.t.Helper()
	for i := 0; i < len(values); i += 2 {
		selector := fmt.Sprintf(":is(dialog[open], body:not(:has(dialog[open]))) input[name=%q]", values[i])
		element := fmt.Sprintf("document.querySelector(%s)", jsString(selector))
		p.waitFor(element)
		p.do(chromedp.Evaluate[chromedp.Void](element+".select()"), chromedp.SendKeys(chromedp.CSS(selector), values[i+1]))
	}
}

func (p *page) submitLogin(name, password string) {
	p.t.Helper()
	p.fill("Username", name, "Password", password)
	p.clickText("Log in")
}

func (p *page) logIn(a account) {
	p.t.Helper()
	p.open("")
	p.waitForView("#/login", "Welcome to the cinema")
	p.submitLogin(a.Username, a.Password)
	p.waitForView("#/movies", "Movies")
}

// emptyGallery is true while the gallery is empty and shows that.
const emptyGallery = "!document.querySelector('.tile') && document.querySelector('.empty')?.checkVisibility()"

// waitForSearch waits until the results are those of the whole query, not of its first letters.
func (p *page) waitForSearch(q string) {
	p.t.Helper()
	p.waitFor(fmt.Sprintf("new URLSearchParams(location.hash.split('?')[1]).get('q') === %s && !document.querySelector('.results[aria-busy]')", jsString(q)))
}

// logInPersistently logs out, and logs in again with the option to stay logged in.
func (p *page) logInPersistently(a account) {
	p.t.Helper()
	p.clickText("Log out")
	p.waitForView("#/login", "Welcome to the cinema")
	p.click("[name=keep]")
	p.submitLogin(a.Username, a.Password)
	p.waitForView("#/movies", "Movies")
}

func (p *page) waitForRequest(arrived <-chan struct{}) {
	p.t.Helper()
	select {
	case <-arrived:
	case <-time.After(stepTimeout):
		p.t.Fatal("the request never came")
	}
}

func (p *page) resize(width, height int64) { p.do(chromedp.EmulateViewport(width, height)) }

// addStartupScript runs a script in each document before the page's scripts.
func (p *page) addStartupScript(script string) {
	call(p, cdppage.AddScriptToEvaluateOnNewDocument, cdppage.AddScriptToEvaluateOnNewDocumentParams{Source: script})
}

// setMediaFeatures takes pairs of a media feature and its value, e.g. prefers-color-scheme to dark.
func (p *page) setMediaFeatures(features ...string) {
	var set emulation.SetEmulatedMediaParams
	for i := 0; i < len(features); i += 2 {
		set.Features = append(set.Features, &emulation.MediaFeature{Name: features[i], Value: features[i+1]})
	}
	call(p, emulation.SetEmulatedMedia, set)
}

// screenshot saves an image of the window in .artifacts/client at the repository's root.
func (p *page) screenshot(name string) {
	ctx, cancel := context.WithTimeout(p.ctx, stepTimeout)
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
