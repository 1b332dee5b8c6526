package contract

// Security headers of the client's pages. The edge adds them to every answer that does not have its own.
const (
	// ContentSecurityPolicy lets a page load from its own origin only. Images may also be made by the page itself.
	ContentSecurityPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; " +
		"base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
	// ReferrerPolicy sends no address of a page to other sites.
	ReferrerPolicy = "no-referrer"
	// TransportSecurityMaxAge is how long a browser uses HTTPS only, in seconds: two years.
	TransportSecurityMaxAge = 2 * 365 * 24 * 60 * 60
)
