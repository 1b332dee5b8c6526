// Package reviewpage checks the layout of review pages in a browser.
package reviewpage

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cinema-database/internal/testutil/chromium"
)

// Page is an open review page.
type Page struct {
	t        *testing.T
	ctx      context.Context
	messages []string
}

// Open opens a page. Any console message fails the test: the browser reports violations of the page's
// content security policy there.
func Open(t *testing.T, browser context.Context, html string) *Page {
	t.Helper()
	file := filepath.Join(t.TempDir(), "review.html")
	require.NoError(t, os.WriteFile(file, []byte(html), 0o600))
	ctx, cancel := chromedp.NewContext(browser, chromedp.WithNewBrowserContext())
	p := &Page{t: t, ctx: ctx}
	_, err := chromedp.Run(ctx, chromedp.Title())
	require.NoError(t, err)
	done := chromium.Console(ctx, func(m chromedp.ConsoleMessage) {
		p.messages = append(p.messages, fmt.Sprintf("%s: %s", m.Type, m.Text))
	})
	t.Cleanup(func() {
		cancel()
		<-done
		assert.Empty(t, p.messages, "console")
	})
	resultOf(p, chromedp.Navigate("file://"+file))
	return p
}

// Check checks the page in the widths and color schemes of reviewers: no text is cut, broken within a word, on other text or
// hard to read. It opens what is folded. It calls also for each width, with the text of the drawing and that of the page.
func (p *Page) Check(name string, also func(where, drawn, visible string)) {
	t := p.t
	t.Helper()
	evaluate[int](p, `document.querySelectorAll("details").forEach((d) => { d.open = true }) ?? 0`)
	for _, width := range []int64{360, 640, 820, 1100, 1600} {
		p.window(width, 900)
		assert.LessOrEqual(t, evaluate[int](p, "document.documentElement.scrollWidth"), int(width), "%s %d: scrolls horizontally", name, width)
	}
	for _, width := range []int64{1280, 390} {
		p.window(width, 900)
		for _, scheme := range []string{"light", "dark"} {
			p.prefer(scheme)
			where := fmt.Sprintf("%s %d %s", name, width, scheme)
			p.shots(strings.ReplaceAll(where, " ", "-"))
			assert.LessOrEqual(t, evaluate[int](p, "document.documentElement.scrollWidth"), int(width), "%s: scrolls horizontally", where)
			assert.Empty(t, evaluate[[]string](p, contrastScript), "%s: too little contrast", where)
		}
		where := fmt.Sprintf("%s %d", name, width)
		assert.Empty(t, evaluate[[]string](p, overlapScript), "%s: the drawing", where)
		assert.Empty(t, evaluate[[]string](p, wordScript), "%s: broken within a word", where)
		also(where, evaluate[string](p, drawnScript), evaluate[string](p, "document.body.innerText"))
	}
}

func (p *Page) window(width, height int64) {
	resultOf(p, chromedp.EmulateViewport(width, height))
}

func (p *Page) prefer(scheme string) {
	resultOf(p, func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
		})
		return chromedp.Void{}, err
	})
}

func resultOf[T any](p *Page, step chromedp.Action[T]) T {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, time.Minute)
	defer cancel()
	value, err := chromedp.Run(ctx, step)
	require.NoError(p.t, err)
	return value
}

func evaluate[T any](p *Page, script string) T {
	p.t.Helper()
	return resultOf(p, chromedp.Evaluate[T](script))
}

// shots writes screenshots of the whole page to .artifacts/review, where REVIEW_SHOTS is set.
func (p *Page) shots(name string) {
	if os.Getenv("REVIEW_SHOTS") == "" {
		return
	}
	dir := filepath.Join(".artifacts", "review")
	require.NoError(p.t, os.MkdirAll(dir, 0o755))
	width := evaluate[int64](p, "window.innerWidth")
	height := int64(1500)
	p.window(width, height)
	defer p.window(width, 900)
	total := evaluate[int64](p, "document.documentElement.scrollHeight")
	for i := int64(0); i*height < total; i++ {
		evaluate[float64](p, fmt.Sprintf("(scrollTo({top: %d, behavior: 'instant'}), scrollY)", i*height))
		data := resultOf(p, chromedp.CaptureScreenshot())
		require.NoError(p.t, os.WriteFile(filepath.Join(dir, fmt.Sprintf("%s-%02d.png", name, i)), data, 0o644))
	}
	evaluate[float64](p, "(scrollTo({top: 0, behavior: 'instant'}), scrollY)")
}

// drawnScript joins the drawing's visible text. A line that ends in punctuation goes on in the next one, others end at a
// space.
const drawnScript = `[...document.querySelectorAll("svg.topology")].filter((s) => s.checkVisibility())
	.flatMap((s) => [...s.querySelectorAll("text")].map((t) => t.textContent + (/[-./:_,@]$/.test(t.textContent) ? "" : " "))).join("")`

// wordScript lists the words that break over two lines. Those of names such as GetObject may break at a capital letter,
// words of 20 letters or more and encoded data anywhere.
const wordScript = `(() => {
	const found = new Set();
	const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	for (let n = walk.nextNode(); n; n = walk.nextNode()) {
		const e = n.parentElement;
		if (!n.data.trim() || !e.checkVisibility() || e.closest("title, desc, style, meter")) continue;
		const encoded = [...n.data.matchAll(/[A-Za-z0-9+\/=]{40,}/g)];
		let hidden = false;
		for (let a = e; a; a = a.parentElement) hidden ||= getComputedStyle(a).clipPath !== "none";
		for (const m of hidden ? [] : n.data.matchAll(/\p{Lu}*[\p{Ll}\p{N}]+|\p{Lu}+/gu)) {
			if (m[0].length >= 20 || encoded.some((x) => m.index >= x.index && m.index < x.index + x[0].length)) continue;
			const range = document.createRange();
			range.setStart(n, m.index);
			range.setEnd(n, m.index + m[0].length);
			const tops = new Set([...range.getClientRects()].filter((r) => r.width > 0).map((r) => Math.round(r.top)));
			if (tops.size > 1 && getComputedStyle(e).writingMode === "horizontal-tb") found.add(m[0] + " in " + n.data.trim().slice(0, 60));
		}
	}
	return [...found];
})()`

// overlapScript lists the overlaps in the visible drawing: nodes on nodes (except inside their parent node), texts on texts,
// texts outside their node or the drawing or on an edge, and arrows through texts or through nodes that are not their ends.
// Arrows may cross containers.
const overlapScript = `(() => {
	const svg = [...document.querySelectorAll("svg.topology")].find((s) => s.checkVisibility());
	const found = [];
	const name = (e) => e.dataset.id || e.textContent;
	const cut = (a, b, by = 0.5) => a.left < b.right - by && b.left < a.right - by && a.top < b.bottom - by && b.top < a.bottom - by;
	const within = (a, b) => a.left >= b.left - 0.5 && a.right <= b.right + 0.5 && a.top >= b.top - 0.5 && a.bottom <= b.bottom + 0.5;
	const frame = svg.getBoundingClientRect();
	const nodes = [...svg.querySelectorAll("g.node")].map((e) => ({e, id: e.dataset.id, home: e.dataset.in, r: e.querySelector(".box").getBoundingClientRect()}));
	const texts = [...svg.querySelectorAll("text")].map((e) => ({e, of: e.dataset.of, r: e.getBoundingClientRect()}));
	if (nodes.length < 10 || texts.length < 20) found.push("only " + nodes.length + " nodes and " + texts.length + " texts");
	nodes.forEach((a, i) => nodes.slice(i + 1).forEach((b) => {
		if (!cut(a.r, b.r)) return;
		if (a.home === b.id && within(a.r, b.r) || b.home === a.id && within(b.r, a.r)) return;
		found.push("node " + a.id + " on node " + b.id);
	}));
	texts.forEach((a, i) => {
		if (!within(a.r, frame)) found.push("text " + name(a.e) + " leaves the drawing");
		texts.slice(i + 1).forEach((b) => { if (cut(a.r, b.r, 1.5)) found.push("text " + name(a.e) + " on text " + name(b.e)); });
		const own = nodes.find((n) => n.id === a.of);
		if (own && !within(a.r, own.r)) found.push("text " + name(a.e) + " leaves " + own.id);
		for (const n of nodes) if (n !== own && cut(a.r, n.r) && !(own && own.home === n.id)) found.push("text " + name(a.e) + " on node " + n.id);
		for (const c of svg.querySelectorAll("g.container.subnet .box")) {
			const r = c.getBoundingClientRect();
			if (!own && cut(a.r, r) && !within(a.r, r)) found.push("text " + name(a.e) + " on the edge of a subnet");
		}
	});
	// An arrow runs below its own label, and below that of one of its kind with which it shares a way from or to a node.
	const own = (text, path) => {
		const [from, to] = text.of.split(" → ");
		return to && path.classList.contains(text.e.classList[2]) && (from === path.dataset.from || to === path.dataset.to);
	};
	for (const path of svg.querySelectorAll("path.flow")) {
		const matrix = path.getScreenCTM(), length = path.getTotalLength();
		const hit = new Set();
		for (let at = 0; at <= length; at += 2) {
			const p = path.getPointAtLength(at).matrixTransform(matrix);
			const inside = (r, by) => p.x > r.left + by && p.x < r.right - by && p.y > r.top + by && p.y < r.bottom - by;
			for (const n of nodes) if (inside(n.r, 1) && n.id !== path.dataset.from && n.id !== path.dataset.to) hit.add("node " + n.id);
			for (const t of texts) if (inside(t.r, 1.5) && !own(t, path)) hit.add("text " + name(t.e));
		}
		for (const h of hit) found.push("arrow from " + path.dataset.from + " to " + path.dataset.to + " through " + h);
	}
	return found;
})()`

// contrastScript lists visible texts whose contrast with their background is below WCAG AA: 4.5, or 3 for large text.
const contrastScript = `(() => {
	const parse = (c) => { const m = c.match(/[\d.]+/g).map(Number); return m.length === 3 ? [...m, 1] : m; };
	const light = ([r, g, b]) => { const f = (v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; return 0.2126 * f(r) + 0.7152 * f(g) + 0.0722 * f(b); };
	const over = (top, under) => top.slice(0, 3).map((v, i) => v * top[3] + under[i] * (1 - top[3]));
	const root = parse(getComputedStyle(document.body).backgroundColor);
	const behind = (e) => {
		const layers = [];
		for (; e && e !== document.documentElement; e = e.parentElement) layers.push(parse(getComputedStyle(e).backgroundColor));
		return layers.reverse().reduce((under, top) => over(top, under), root);
	};
	const boxes = [...document.querySelectorAll("svg.topology .box")].filter((b) => b.checkVisibility());
	const inDrawing = (t) => {
		const r = t.getBoundingClientRect(), x = r.left + r.width / 2, y = r.top + r.height / 2;
		let under = root;
		for (const b of boxes) {
			const q = b.getBoundingClientRect(), fill = getComputedStyle(b).fill;
			if (fill !== "none" && x > q.left && x < q.right && y > q.top && y < q.bottom) under = over(parse(fill), under);
		}
		return under;
	};
	const bad = new Map();
	const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	for (let n = walk.nextNode(); n; n = walk.nextNode()) {
		const e = n.parentElement;
		if (!n.data.trim() || !e.checkVisibility() || e.closest("title, desc, style, meter")) continue;
		const style = getComputedStyle(e), svg = e.closest("svg");
		const under = svg ? inDrawing(e) : behind(e);
		const [a, b] = [light(over(parse(svg ? style.fill : style.color), under)), light(under)].sort((x, y) => y - x);
		const ratio = (a + 0.05) / (b + 0.05), size = parseFloat(style.fontSize);
		const large = size >= 24 || size >= 18.66 && style.fontWeight >= 700;
		if (ratio < (large ? 3 : 4.5)) bad.set(e.tagName + "." + (e.getAttribute("class") || ""), ratio.toFixed(2) + " " + n.data.trim().slice(0, 40));
	}
	return [...bad].map(([k, v]) => k + " " + v);
})()`
