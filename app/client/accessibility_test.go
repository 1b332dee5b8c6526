package client_test

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

//go:embed testdata/accessibility.js
var accessibilityJS string

// named are the roles that must have a name for someone who does not see the page.
var named = map[string]bool{
	"button": true, "checkbox": true, "dialog": true, "form": true, "image": true, "link": true, "navigation": true,
	"progressbar": true, "radio": true, "search": true, "searchbox": true, "textbox": true, "Date": true, "group": false,
}

func text(v *accessibility.Value) string {
	if v == nil {
		return ""
	}
	var s string
	_ = json.Unmarshal(v.Value, &s) // a value of another type is no text
	return s
}

// nameless lists the controls to which the browser itself finds no name, by its accessibility tree.
func nameless(p *page) []string {
	p.t.Helper()
	tree, err := chromedp.Call(p.ctx, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{})
	require.NoError(p.t, err)
	var found []string
	controls := 0
	for _, node := range tree.Nodes {
		role := text(node.Role)
		if node.Ignored || !named[role] {
			continue
		}
		controls++
		if strings.TrimSpace(text(node.Name)) == "" {
			found = append(found, role+" without a name")
		}
	}
	if controls < 3 {
		found = append(found, fmt.Sprintf("only %d controls were looked at", controls))
	}
	return found
}

// views are all of the page's views, each with how to get there and what to wait for.
var views = []struct {
	name, hash, heading string
	then                func(p *page)
}{
	{"films", "#/movies", "Films", nil},
	{"search", "#/movies?q=the&genre=Drama", "Films", nil},
	{"nothing-found", "#/movies?q=zzzz", "Films", nil},
	{"film", "#/movies/2001%3A%20A%20Space%20Odyssey", "2001: A Space Odyssey", func(p *page) { p.until("document.querySelector('.film-more .card')") }},
	{"director", "#/directors/Stanley%20Kubrick", "Stanley Kubrick", nil},
	{"genre", "#/genres/Drama", "Drama", nil},
	{"favourites", "#/favourites", "Favourites", nil},
	{"gallery", "#/gallery", "Gallery", func(p *page) { p.until("document.querySelector('.tile img')?.naturalWidth > 0") }},
	{"viewer", "#/gallery", "Gallery", func(p *page) {
		p.click(".tile")
		p.until("document.querySelector('.viewer img')?.complete")
	}},
	{"account", "#/account", "Account", nil},
	{"account-problem", "#/account", "Account", func(p *page) {
		p.fill("Email", "nobody")
		p.follow("Save")
		p.until("document.querySelector('[aria-invalid]')")
	}},
	{"delete", "#/account", "Account", func(p *page) { p.follow("Delete account…"); p.until("document.querySelector('dialog[open]')") }},
	{"lost", "#/nowhere", "Nothing is shown here", nil},
	{"missing-film", "#/movies/No%20Such%20Film", "This is not in the programme", nil},
}

// furnished is a site with someone logged in, a favourite and a picture.
func furnished(t *testing.T) (*site, *page) {
	s := start(t)
	p := s.page()
	p.logIn(s.register("a-rather-long-name_for-an-account"[:32]))
	p.click(".results .heart")
	p.until("document.querySelector('.results .heart[aria-pressed=true]')")
	p.follow("Gallery")
	p.at("#/gallery", "Gallery")
	upload(p, photograph(t, "sunset.jpg", 1200, 900))
	p.until("document.querySelector('.tile img')?.naturalWidth > 0")
	return s, p
}

// Names, contrast, sizes, structure and width of every view, on wide and narrow windows, by day and by night.
func TestEveryViewIsAccessible(t *testing.T) {
	t.Parallel()
	s, p := furnished(t)
	look := func(t *testing.T, p *page, name, hash, heading string, then func(*page)) {
		defer p.in(t)()
		p.window(1280, 860)
		p.prefer("prefers-reduced-motion", "reduce")
		p.open(hash)
		p.at(hash[:2], heading)
		if then != nil {
			then(p)
		}
		for _, scheme := range []string{"light", "dark"} {
			for _, width := range []int64{1280, 390} {
				p.prefer("prefers-color-scheme", scheme, "prefers-reduced-motion", "reduce")
				p.window(width, map[int64]int64{1280: 860, 390: 844}[width])
				where := fmt.Sprintf("%s at %d px, %s", name, width, scheme)
				assert.Empty(t, eval[[]string](p, accessibilityJS), where)
				p.shot(fmt.Sprintf("view-%s-%d-%s", name, width, scheme))
			}
		}
		assert.Empty(t, nameless(p), name)
	}
	for _, v := range views {
		t.Run(v.name, func(t *testing.T) { look(t, p, v.name, v.hash, v.heading, v.then) })
	}
	t.Run("api-away", func(t *testing.T) {
		s.away(unavailable(300))
		defer s.back()
		look(t, p, "api-away", "#/movies", "The cinema is not answering", nil)
	})
	outside := s.page()
	t.Run("login", func(t *testing.T) {
		look(t, outside, "login", "#/login", "Welcome to the cinema", nil)
	})
	t.Run("signup", func(t *testing.T) {
		look(t, outside, "signup", "#/signup", "Join the cinema", func(p *page) {
			p.follow("Sign up")
			p.until("document.querySelector('[aria-invalid]')")
		})
	})
}

// From WCAG 2.2's reflow, 320 px, which is a window of 1280 px at a zoom of 400 %, over both sides of where the tabs move.
func TestNothingScrollsSideways(t *testing.T) {
	t.Parallel()
	_, p := furnished(t)
	for _, v := range views {
		p.window(1280, 860)
		p.open(v.hash)
		p.at(v.hash[:2], v.heading)
		if v.then != nil {
			v.then(p)
		}
		for _, width := range []int64{320, 480, 640, 768, 833, 834, 1024} {
			p.window(width, 640)
			assert.LessOrEqual(t, eval[int64](p, "document.documentElement.scrollWidth"), width, v.name)
		}
	}
}

// stopJS answers where the focus is, and what is wrong with how that shows; "" outside the page's content.
const stopJS = `(() => {
	const e = document.activeElement;
	if (!e || e === document.body || e === document.documentElement) return { index: -1, problem: "" };
	const all = [...document.querySelectorAll("*")];
	const shown = e.matches(".chip input, .drop input") ? e.matches(".chip input") ? e.nextElementSibling : document.querySelector("label[for='" + e.id + "']") : e;
	const style = getComputedStyle(shown);
	const after = getComputedStyle(shown, "::after");
	const outline = (s) => s.outlineStyle !== "none" && parseFloat(s.outlineWidth) >= 2;
	let problem = outline(style) || outline(after) ? "" : "the focus does not show";
	const box = shown.getBoundingClientRect();
	const top = document.elementFromPoint(box.left + box.width / 2, box.top + Math.min(box.height / 2, 20));
	if (!problem && !(top && (shown.contains(top) || top.contains(shown) || e.labels?.[0]?.contains(top)))) problem = "something covers it: " + top?.outerHTML.slice(0, 80);
	return { index: all.indexOf(e), problem: problem && e.outerHTML.slice(0, 120) + ": " + problem };
})()`

// reachableJS lists what the Tab key must reach, as places in the document.
const reachableJS = `(() => {
	const all = [...document.querySelectorAll("*")];
	const scope = document.querySelector("dialog[open]") ?? document;
	const radios = new Set();
	return [...scope.querySelectorAll("a[href], button, input, select, textarea, summary")].filter((e) => {
		if (!e.checkVisibility() || e.disabled) return false;
		if (e.type === "radio" && (!e.checked || radios.has(e.name))) return false;
		return true;
	}).map((e) => all.indexOf(e));
})()`

type stop struct {
	Index   int    `json:"index"`
	Problem string `json:"problem"`
}

// The Tab key reaches every control, in the order of the page, and what has the focus shows it.
func TestTabReachesEverything(t *testing.T) {
	t.Parallel()
	_, p := furnished(t)
	for _, width := range []int64{1280, 390} {
		p.window(width, 844)
		for _, v := range views {
			t.Run(fmt.Sprintf("%s at %d px", v.name, width), func(t *testing.T) {
				defer p.in(t)()
				p.open(v.hash)
				p.at(v.hash[:2], v.heading)
				if v.then != nil {
					v.then(p)
				}
				expected := eval[[]int](p, reachableJS)
				require.NotEmpty(t, expected)
				inDialog := eval[bool](p, "Boolean(document.querySelector('dialog[open]'))")
				switch {
				case inDialog:
					// The dialog has taken the focus already.
				case v.then == nil:
					p.do(chromedp.KeyEvent("\t"))
					require.Equal(t, "skip", eval[string](p, "document.activeElement.id"), "a visit begins with the way past the bar")
				default:
					p.do(chromedp.Focus(chromedp.CSS("#skip")))
				}
				first := eval[stop](p, stopJS)
				reached := []int{first.Index}
				seen := map[int]bool{first.Index: true}
				// A date field takes several stops. The end is leaving the page, or coming back to where it
				// began: in a dialog by way of the browser's own controls.
				for range 4*len(expected) + 8 {
					p.do(chromedp.KeyEvent("\t"))
					at := eval[stop](p, stopJS)
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
					if seen[at.Index] {
						break
					}
					seen[at.Index] = true
					reached = append(reached, at.Index)
				}
				if inDialog {
					assert.ElementsMatch(t, expected, reached, "in the dialog, and nowhere else")
				} else {
					assert.Equal(t, expected, reached)
				}
			})
		}
	}
}

// Whoever asks for less motion gets none.
func TestReducedMotion(t *testing.T) {
	t.Parallel()
	s := start(t)
	p := s.page()
	const moving = `[...document.querySelectorAll("*")].filter((e) => {
		const s = getComputedStyle(e);
		return s.animationName !== "none" || s.transitionDuration.split(", ").some((d) => parseFloat(d) > 0);
	}).length`
	p.prefer("prefers-reduced-motion", "no-preference")
	p.open("#/login")
	p.at("#/login", "Welcome to the cinema")
	assert.Positive(t, eval[int](p, moving), "there is something to leave out")
	p.prefer("prefers-reduced-motion", "reduce")
	assert.Zero(t, eval[int](p, moving))
}

// The same title gives the same poster on every machine.
func TestPostersAreDecidedByTheTitle(t *testing.T) {
	t.Parallel()
	s := start(t)
	p := s.page()
	p.open("#/login")
	p.at("#/login", "Welcome to the cinema")
	draw := func(title string) string {
		return eval[string](p, fmt.Sprintf(`import("/js/poster.js").then(({ poster }) => new XMLSerializer().serializeToString(poster({ Title: %s, Director: { Name: "A" } })))`, quote(title)))
	}
	first := draw("Alien")
	assert.Equal(t, first, draw("Alien"))
	assert.NotEqual(t, first, draw("Aliens"))
	assert.Equal(t, draw("Am\u00e9lie"), strings.ReplaceAll(draw("Ame\u0301lie"), "Ame\u0301lie", "Am\u00e9lie"), "however its accents are encoded")
	assert.Contains(t, draw(`<b onclick="x">`), "&lt;b onclick=", "a title is text")

	// A film's own picture is shown where the page's policy lets it be, and the drawing stands in where it fails.
	kind := func(address string) string {
		return eval[string](p, fmt.Sprintf(`import("/js/poster.js").then(({ poster }) => new Promise((done) => {
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
		}))`, quote(address)))
	}
	assert.Equal(t, s.URL+"/icons/icon.svg", kind("icons/icon.svg"))
	assert.Equal(t, "drawn", kind("icons/no-such-picture.png"))
	for _, address := range []string{"", "javascript:alert(1)", "http://elsewhere.example/p.png", "data:image/svg+xml,<svg/>", "//[", "https://"} {
		assert.Equal(t, "drawn", kind(address), address)
	}

	// FNV-1a of "a" is e40c292c (the algorithm's own test vectors); MurmurHash3's finalizer follows it.
	mixed := uint32(0xe40c292c)
	mixed = (mixed ^ mixed>>16) * 0x85ebca6b
	mixed = (mixed ^ mixed>>13) * 0xc2b2ae35
	mixed ^= mixed >> 16
	assert.Equal(t, float64(mixed), eval[float64](p, `import("/js/poster.js").then(({ hash }) => hash("a"))`))
}
