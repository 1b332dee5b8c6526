// Package chromium starts the browser that tests look at pages with.
package chromium

import (
	"context"
	"os/exec"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// Find gives the browser's path; a test that needs one is skipped where there is none.
func Find(t testing.TB) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			return found
		}
	}
	t.Skip("no Chromium here; apt-get install chromium")
	return ""
}

// Start starts a headless browser, in which each page is a context of its own, until stop is called.
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
