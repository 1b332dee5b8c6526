// Package chromium starts a headless browser for tests.
package chromium

import (
	"context"
	"os/exec"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// Find returns the browser's path. It skips the test if no browser is installed.
func Find(t testing.TB) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			return found
		}
	}
	t.Skip("Chromium is not installed; apt-get install chromium")
	return ""
}

// Start starts a headless browser. Each child context of browser is a page. The caller calls stop.
func Start(t testing.TB) (browser context.Context, stop func()) {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(Find(t)), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("lang", "en-GB"))
	allocated, freeAllocator := chromedp.NewExecAllocator(context.Background(), options...)
	browser, free := chromedp.NewContext(allocated)
	_, err := chromedp.Run(browser, chromedp.Title())
	require.NoError(t, err)
	return browser, func() { free(); freeAllocator() }
}

// Console calls each with the console messages of a page, in their order, until the page's context ends: then done is closed.
func Console(page context.Context, each func(chromedp.ConsoleMessage)) (done <-chan struct{}) {
	messages, ended := chromedp.Console(page), make(chan struct{})
	go func() {
		defer close(ended)
		for m, err := range messages {
			if err != nil {
				return
			}
			each(m)
		}
	}()
	return ended
}
