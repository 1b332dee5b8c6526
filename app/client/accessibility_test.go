package client_test

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

//go:embed testdata/accessibility.js
var accessibilityJS string

// rolesWithName are the roles that need a name for users of screen readers.
var rolesWithName = map[string]bool{
	"button": true, "checkbox": true, "dialog": true, "form": true, "image": true, "link": true, "navigation": true,
	"progressbar": true, "radio": true, "search": true, "searchbox": true, "textbox": true, "Date": true, "group": false,
}

func axText(v *accessibility.Value) string {
	if v == nil {
		return ""
	}
	var s string
	_ = json.Unmarshal(v.Value, &s) // a value of another type has no text
	return s
}

// unnamedControls returns the controls without a name in the browser's accessibility tree.
func unnamedControls(p *page) []string {
	p.t.Helper()
	tree := call(p, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{})
	var found []string
	controls := 0
	for _, node := range tree.Nodes {
		role := axText(node.Role)
		if node.Ignored || !rolesWithName[role] {
			continue
		}
		if controls++; strings.TrimSpace(axText(node.Name)) == "" {
			found = append(found, role+" without a name")
		}
	}
	if controls < 3 {
		found = append(found, fmt.Sprintf("only %d controls were checked", controls))
	}
	return found
}

// axePath is where "make lint-api" installs axe.
const axePath = "../../.tools/npm/node_modules/axe-core/axe.min.js"

// violations returns what axe finds in the page; nothing where axe is not installed.
func violations(p *page) []string {
	p.t.Helper()
	source, err := os.ReadFile(axePath)
	if os.IsNotExist(err) {
		return nil
	}
	require.NoError(p.t, err)
	if !eval[bool](p, "'axe' in window") {
		p.do(chromedp.Evaluate[chromedp.Void](string(source) + "; undefined"))
	}
	return eval[[]string](p, `axe.run({ resultTypes: ["violations"] }).then((r) => r.passes.length === 0 ? ["axe checked nothing"] : r.violations.map((v) => v.id + ": " + v.nodes.map((n) => n.target).join(", ")))`)
}

// view is a view of the page: its address, the heading to wait for, and further steps.
type view struct {
	name, hash, heading string
	steps               func(p *page)
}

func (p *page) show(v view) {
	p.t.Helper()
	p.open(v.hash)
	p.waitForView(v.hash[:2], v.heading)
	if v.steps != nil {
		v.steps(p)
	}
}

var views = []view{
	{"movies", "#/movies", "Movies", nil},
	{"search", "#/movies?q=the&genre=Drama", "Movies", nil},
	{"nothing-found", "#/movies?q=zzzz", "Movies", nil},
	{"movie", "#/movies/2001%3A%20A%20Space%20Odyssey", "2001: A Space Odyssey", func(p *page) { p.waitFor("document.querySelector('.movie-related .card')") }},
	{"director", "#/directors/Stanley%20Kubrick", "Stanley Kubrick", nil},
	{"genre", "#/genres/Drama", "Drama", nil},
	{"favorites", "#/favorites", "Favorites", nil},
	{"gallery", "#/gallery", "Gallery", func(p *page) { p.waitFor("document.querySelector('.tile img')?.naturalWidth > 0") }},
	{"viewer", "#/gallery", "Gallery", func(p *page) {
		p.click(".tile")
		p.waitFor("document.querySelector('.viewer img')?.complete")
	}},
	{"caption", "#/gallery", "Gallery", func(p *page) {
		p.click(".tile")
		p.click("[aria-label='Edit the caption']")
		p.waitFor("document.activeElement.name === 'Caption' && document.querySelector('.viewer img')?.complete")
	}},
	{"delete-image", "#/gallery", "Gallery", func(p *page) {
		p.click(".tile")
		p.click("[aria-label='Delete this image']")
		p.waitFor("document.querySelector('.viewer img')?.complete")
	}},
	{"upload-failed", "#/gallery", "Gallery", func(p *page) {
		upload(p, file(p.t, "notes.txt", []byte("not an image")))
		p.waitFor("document.querySelector('.upload-failed') && document.querySelector('.tile img')?.naturalWidth > 0")
	}},
	{"account", "#/account", "Account", nil},
	{"account-error", "#/account", "Account", func(p *page) {
		p.fill("Email", "nobody")
		p.clickText("Save")
		p.waitFor("document.querySelector('[aria-invalid]')")
	}},
	{"delete", "#/account", "Account", func(p *page) { p.clickText("Delete account…"); p.waitFor("document.querySelector('dialog[open]')") }},
	{"delete-error", "#/account", "Account", func(p *page) {
		p.clickText("Delete account…")
		p.fill("CurrentPassword", "a guess")
		p.clickText("Delete account")
		p.waitForText("dialog .field-error:not([hidden])", "Current password is wrong.")
	}},
	{"not-found", "#/nowhere", "Page not found", nil},
	{"missing-movie", "#/movies/No%20Such%20Movie", "Not found", nil},
}

// startWithImage starts a site and logs in a user who has a favorite and an image.
func startWithImage(t *testing.T) (*site, *page) {
	s := start(t)
	p := s.page()
	p.logIn(s.register("a-rather-long-name_for-an-account"[:32]))
	p.click(".results .heart")
	p.waitFor("document.querySelector('.results .heart[aria-pressed=true]')")
	p.goTo("Gallery")
	upload(p, jpegFile(t, "sunset.jpg", 1200, 900))
	p.waitFor("document.querySelector('.tile img')?.naturalWidth > 0")
	return s, p
}

// Names, contrast, sizes, structure and width of every view, in wide and narrow windows, in the light and the dark theme.
func TestEveryViewIsAccessible(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat(axePath); err != nil {
		t.Log("without axe: \"make lint-api\" installs it")
	}
	s, p := startWithImage(t)
	checkView := func(p *page, v view) {
		p.subtest(t, v.name, func(t *testing.T) {
			p.resize(1280, 860)
			p.setMediaFeatures("prefers-reduced-motion", "reduce")
			p.show(v)
			for _, scheme := range []string{"light", "dark"} {
				for _, width := range []int64{1280, 390} {
					p.setMediaFeatures("prefers-color-scheme", scheme, "prefers-reduced-motion", "reduce")
					p.resize(width, map[int64]int64{1280: 860, 390: 844}[width])
					assert.Empty(t, eval[[]string](p, accessibilityJS), "%s at %d px, %s", v.name, width, scheme)
					assert.Empty(t, violations(p), "%s at %d px, %s: axe", v.name, width, scheme)
					p.screenshot(fmt.Sprintf("view-%s-%d-%s", v.name, width, scheme))
				}
			}
			assert.Empty(t, unnamedControls(p), v.name)
		})
	}
	for _, v := range views {
		checkView(p, v)
	}
	s.intercept(unavailable(300))
	checkView(p, view{"api-unavailable", "#/movies", "Cinema is not available", nil})
	s.restore()
	outside := s.page()
	checkView(outside, view{"login", "#/login", "Welcome to the cinema", nil})
	checkView(outside, view{"login-error", "#/login", "Welcome to the cinema", func(p *page) {
		p.submitLogin("nobody", "a wrong password")
		p.waitForText("[role=alert]", "No account has this name and password.")
		p.click("[aria-label='Show password']")
	}})
	checkView(outside, view{"signup", "#/signup", "Join the cinema", func(p *page) {
		p.clickText("Sign up")
		p.waitFor("document.querySelector('[aria-invalid]')")
	}})
}

// 320 px is WCAG 2.2's reflow width: 1280 px at a zoom of 400 %. Above 832 px, the tabs move to the top.
func TestNothingScrollsSideways(t *testing.T) {
	t.Parallel()
	_, p := startWithImage(t)
	for _, v := range views {
		p.resize(1280, 860)
		p.show(v)
		for _, width := range []int64{320, 480, 640, 768, 833, 834, 1024} {
			p.resize(width, 640)
			assert.LessOrEqual(t, eval[int64](p, "document.documentElement.scrollWidth"), width, v.name)
		}
	}
}

// focusJS returns the focused element's index in the document (-1 for none), and why the focus is not visible, or "".
const focusJS = `(() => {
	const e = document.activeElement;
	if (!e || e === document.body || e === document.documentElement) return { index: -1, problem: "" };
	const all = [...document.querySelectorAll("*")];
	const shown = e.matches(".chip input, .drop-area input") ? e.matches(".chip input") ? e.nextElementSibling : document.querySelector("label[for='" + e.id + "']") : e;
	const style = getComputedStyle(shown);
	const after = getComputedStyle(shown, "::after");
	const outline = (s) => s.outlineStyle !== "none" && parseFloat(s.outlineWidth) >= 2;
	let problem = outline(style) || outline(after) ? "" : "the focus is not visible";
	const box = shown.getBoundingClientRect();
	const top = document.elementFromPoint(box.left + box.width / 2, box.top + Math.min(box.height / 2, 20));
	if (!problem && !(top && (shown.contains(top) || top.contains(shown) || e.labels?.[0]?.contains(top)))) problem = "it is covered by " + top?.outerHTML.slice(0, 80);
	return { index: all.indexOf(e), problem: problem && e.outerHTML.slice(0, 120) + ": " + problem };
})()`

// tabTargetsJS returns the elements that the Tab key must reach, by their index in the document.
const tabTargetsJS = `(() => {
	const all = [...document.querySelectorAll("*")];
	const scope = document.querySelector("dialog[open]") ?? document;
	const radios = new Set();
	return [...scope.querySelectorAll("a[href], button, input, select, textarea, summary")].filter((e) => {
		if (!e.checkVisibility() || e.disabled) return false;
		if (e.type === "radio" && (!e.checked || radios.has(e.name))) return false;
		return true;
	}).map((e) => all.indexOf(e));
})()`

type focusState struct {
	Index   int    `json:"index"`
	Problem string `json:"problem"`
}

// The Tab key reaches every control, in the order of the page, and the focus is visible.
func TestTabReachesEverything(t *testing.T) {
	t.Parallel()
	_, p := startWithImage(t)
	for _, width := range []int64{1280, 390} {
		p.resize(width, 844)
		for _, v := range views {
			p.subtest(t, fmt.Sprintf("%s at %d px", v.name, width), func(t *testing.T) {
				p.show(v)
				expected := eval[[]int](p, tabTargetsJS)
				require.NotEmpty(t, expected)
				inDialog := eval[bool](p, "Boolean(document.querySelector('dialog[open]'))")
				switch {
				case inDialog:
					// The dialog has the focus already.
				case v.steps == nil:
					p.do(chromedp.KeyEvent("\t"))
					require.Equal(t, "skip", eval[string](p, "document.activeElement.id"), "the first stop is the link that skips the bar")
				default:
					p.do(chromedp.Focus(chromedp.CSS("#skip")))
				}
				reached := []int{eval[focusState](p, focusJS).Index}
				// A date field has several stops. The loop ends when the focus leaves the page or returns to the
				// first stop. In a dialog it passes the browser's controls on the way.
				for range 4*len(expected) + 8 {
					p.do(chromedp.KeyEvent("\t"))
					at := eval[focusState](p, focusJS)
					if at.Index < 0 && inDialog {
						continue
					}
					if at.Index < 0 {
						break
					}
					assert.Empty(t, at.Problem)
					if at.Index == reached[len(reached)-1] {
						continue
					}
					if slices.Contains(reached, at.Index) {
						break
					}
					reached = append(reached, at.Index)
				}
				if inDialog {
					assert.ElementsMatch(t, expected, reached, "only controls in the dialog")
				} else {
					assert.Equal(t, expected, reached)
				}
			})
		}
	}
}

func TestReducedMotion(t *testing.T) {
	t.Parallel()
	s := start(t)
	p := s.page()
	const moving = `[...document.querySelectorAll("*")].filter((e) => {
		const s = getComputedStyle(e);
		return s.animationName !== "none" || s.transitionDuration.split(", ").some((d) => parseFloat(d) > 0);
	}).length`
	p.setMediaFeatures("prefers-reduced-motion", "no-preference")
	p.open("#/login")
	p.waitForView("#/login", "Welcome to the cinema")
	assert.Positive(t, eval[int](p, moving), "there is motion without the setting")
	p.setMediaFeatures("prefers-reduced-motion", "reduce")
	assert.Zero(t, eval[int](p, moving))
}

// The same title gives the same poster on every machine.
func TestPostersDependOnTheTitle(t *testing.T) {
	t.Parallel()
	s := start(t)
	p := s.page()
	p.open("#/login")
	p.waitForView("#/login", "Welcome to the cinema")
	module := jsString("/" + key("js/poster.js"))
	draw := func(title string) string {
		return eval[string](p, fmt.Sprintf(`import(`+module+`).then(({ poster }) => new XMLSerializer().serializeToString(poster({ Title: %s, Director: { Name: "A" } })))`, jsString(title)))
	}
	first := draw("Alien")
	assert.Equal(t, first, draw("Alien"))
	assert.NotEqual(t, first, draw("Aliens"))
	assert.Equal(t, draw("Am\u00e9lie"), strings.ReplaceAll(draw("Ame\u0301lie"), "Ame\u0301lie", "Am\u00e9lie"), "for each encoding of the accents")
	assert.Contains(t, draw(`<b onclick="x">`), "&lt;b onclick=", "a title is text")

	// A movie's image is shown if the page's policy allows its address. Otherwise the drawing is shown.
	kind := func(address string) string {
		return eval[string](p, fmt.Sprintf(`import(`+module+`).then(({ poster }) => new Promise((done) => {
			const card = document.createElement("div");
			card.append(poster({ Title: "Alien", ImagePath: %s }));
			document.body.append(card);
			const look = () => {
				const image = card.querySelector("img");
				if (image && !image.naturalWidth) return setTimeout(look, 15);
				done(image ? image.getAttribute("src") : card.querySelector(".art") ? "drawn" : "nothing");
				card.remove();
			};
			look();
		}))`, jsString(address)))
	}
	icon := s.URL + "/" + key("icons/icon.svg")
	for _, address := range []string{icon, key("icons/icon.svg"), "/" + key("icons/icon.svg")} {
		assert.Equal(t, icon, kind(address))
	}
	assert.Equal(t, "drawn", kind("icons/no-such-image.png"))
	for _, address := range []string{"", "javascript:alert(1)", "http://elsewhere.example/p.png", "https://elsewhere.example/p.png", "data:image/svg+xml,<svg/>", "//[", "https://"} {
		assert.Equal(t, "drawn", kind(address), address)
	}

	// FNV-1a of "a" is e40c292c (the algorithm's own test vectors); MurmurHash3's finalizer follows it.
	mixed := uint32(0xe40c292c)
	mixed = (mixed ^ mixed>>16) * 0x85ebca6b
	mixed = (mixed ^ mixed>>13) * 0xc2b2ae35
	mixed ^= mixed >> 16
	assert.Equal(t, float64(mixed), eval[float64](p, `import(`+module+`).then(({ hash }) => hash("a"))`))
}
