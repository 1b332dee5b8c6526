package api_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"cinema-database/app/internal/api"
)

// from sets X-Forwarded-For as it arrives at the API.
func from(address string) edit { return header("X-Forwarded-For", address) }

// lines sets several lines of X-Forwarded-For.
func lines(values ...string) edit {
	return func(r *http.Request) { r.Header["X-Forwarded-For"] = values }
}

// forgeries are lines of X-Forwarded-For that a client sends in attempt n.
var forgeries = map[string]func(n int) []string{
	"none":                  func(int) []string { return nil },
	"another address":       func(n int) []string { return []string{fmt.Sprintf("198.51.100.%d", n)} },
	"a list":                func(n int) []string { return []string{fmt.Sprintf("198.51.100.%d, 203.0.113.%d, 10.0.0.%d", n, n, n)} },
	"several lines":         func(n int) []string { return []string{fmt.Sprintf("198.51.100.%d", n), fmt.Sprintf("203.0.113.%d", n)} },
	"an empty line":         func(int) []string { return []string{""} },
	"empty entries":         func(n int) []string { return []string{fmt.Sprintf("198.51.100.%d,, ,\t,", n), ",", ""} },
	"a port":                func(n int) []string { return []string{fmt.Sprintf("198.51.100.%d:443", n)} },
	"IPv6":                  func(n int) []string { return []string{fmt.Sprintf("2001:db8:%d::1", n)} },
	"IPv6 with a port":      func(n int) []string { return []string{fmt.Sprintf("[2001:db8:%d::1]:443", n)} },
	"a zone":                func(n int) []string { return []string{fmt.Sprintf("fe80::%d%%eth%d", n, n)} },
	"not an address":        func(n int) []string { return []string{fmt.Sprintf("client-%d", n)} },
	"a quoted list":         func(n int) []string { return []string{fmt.Sprintf(`"198.51.100.%d, `, n)} },
	"an incomplete address": func(n int) []string { return []string{fmt.Sprintf("[198.51.100.%d", n), "198.51.100."} },
	"a long list":           func(n int) []string { return []string{strings.Repeat(fmt.Sprintf("198.51.100.%d,", n), 200)} },
}

// appendEntry appends an address to the last line, as a proxy does. With own, the proxy adds a line of its own instead.
func appendEntry(values []string, address string, own bool) []string {
	if len(values) == 0 || own {
		return append(values, address)
	}
	last := len(values) - 1
	return append(append([]string{}, values[:last]...), values[last]+", "+address)
}

// TestForgedForwardedFor: whatever X-Forwarded-For a client sends through one or two proxies, its wrong passwords count for
// its own address, and for no other.
func TestForgedForwardedFor(t *testing.T) {
	const attempts = 3
	for proxies, hops := range map[int][]string{1: nil, 2: {"192.0.2.250"}} {
		for _, own := range []bool{false, true} {
			c := &clock{now: time.Now()}
			h := newHarness(t, limited(c, 1000, attempts), func(o *api.Options) { o.Proxies = proxies })
			// send sends a wrong password from an address through the proxies.
			send := func(address string, n int, forged []string) int {
				values := appendEntry(forged, address, own)
				for _, hop := range hops {
					values = appendEntry(values, hop, own)
				}
				body := map[string]string{"Username": fmt.Sprintf("user%d", n), "Password": "wrong"}
				return h.do("POST", "/api/login", body, lines(values...)).status
			}
			for name, forge := range forgeries {
				t.Run(fmt.Sprintf("%d proxies, own lines %v, %s", proxies, own, name), func(t *testing.T) {
					c.pass(time.Hour)
					for n := range attempts {
						require.Equal(t, 401, send("192.0.2.1", n, forge(n)), "attempt %d", n)
					}
					assert.Equal(t, 429, send("192.0.2.1", 3, forge(3)), "the client cannot change its address")
					assert.Equal(t, 401, send("192.0.2.2", 4, forge(4)), "another client is not limited")
					victim := strings.Trim(strings.Split(strings.Join(append(forge(0), "198.51.100.0"), ","), ",")[0], " ")
					assert.Equal(t, 401, send(victim, 5, nil), "the address that the client forged is not limited")
				})
			}
		}
	}
}

func TestAttemptsPerAddress(t *testing.T) {
	c := &clock{now: time.Now()}
	h := newHarness(t, limited(c, 1000, 4))
	h.signUp("ada") // without X-Forwarded-For, from the connection's own address
	try := func(n int, forwarded string) answer {
		return h.do("POST", "/api/login", map[string]string{"Username": fmt.Sprintf("user%d", n), "Password": "wrong"}, from(forwarded))
	}
	for n := range 4 {
		try(n, "192.0.2.1").problem(t, 401)
	}
	try(5, "192.0.2.1").problem(t, 429)
	try(6, "192.0.2.2").problem(t, 401)
	h.do("POST", "/api/users", account("bob"), from("192.0.2.1")).problem(t, 429)

	for n := range 4 {
		try(n, fmt.Sprintf("2001:db8::%d", n+1)).problem(t, 401)
	}
	try(5, "2001:db8::ffff").problem(t, 429) // one /64 is one address
	try(5, "2001:db8:0:1::1").problem(t, 401)
}

func TestForwardedForIsIgnoredWithoutAProxy(t *testing.T) {
	h := newHarness(t, func(o *api.Options) { o.Limits.Address = api.Limit{Attempts: 2, Window: time.Hour} })
	for n, want := range []int{401, 401, 429} {
		h.do("POST", "/api/login", map[string]string{"Username": "nobody", "Password": "wrong"}, from(fmt.Sprintf("192.0.2.%d", n))).problem(t, want)
	}
}

func TestCallerOf(t *testing.T) {
	const connection = "10.0.0.9"
	for name, c := range map[string]struct {
		proxies int
		lines   []string
		want    string
	}{
		"no proxy":                           {0, []string{"192.0.2.1"}, connection},
		"one proxy":                          {1, []string{"192.0.2.1"}, "192.0.2.1"},
		"two proxies":                        {2, []string{"192.0.2.1, 198.51.100.7"}, "192.0.2.1"},
		"two proxies, two lines":             {2, []string{"192.0.2.1", "198.51.100.7"}, "192.0.2.1"},
		"forged entries":                     {2, []string{"203.0.113.1, 203.0.113.2", "192.0.2.1, 198.51.100.7"}, "192.0.2.1"},
		"empty elements":                     {2, []string{"203.0.113.1,, 192.0.2.1 ,,", "", ", 198.51.100.7,"}, "192.0.2.1"},
		"no header":                          {2, nil, connection},
		"an empty header":                    {1, []string{"", " , "}, connection},
		"the outer proxy did not append":     {2, []string{"198.51.100.7"}, "198.51.100.7"},
		"the outer entry is no address":      {2, []string{"203.0.113.1, unknown, 198.51.100.7"}, "198.51.100.7"},
		"the inner entry is no address":      {2, []string{"203.0.113.1, 203.0.113.2, unknown"}, connection},
		"the only entry is no address":       {1, []string{"203.0.113.1, unknown"}, connection},
		"a port":                             {1, []string{"192.0.2.1:51234"}, "192.0.2.1"},
		"IPv6":                               {1, []string{"2001:db8::1"}, "2001:db8::1"},
		"IPv6 in brackets":                   {1, []string{"[2001:db8::1]"}, "2001:db8::1"},
		"IPv6 with a port":                   {1, []string{"[2001:db8::1]:51234"}, "2001:db8::1"},
		"a zone":                             {1, []string{"fe80::1%eth0"}, "fe80::1"},
		"a zone with a port":                 {1, []string{"[fe80::1%eth0]:51234"}, "fe80::1"},
		"IPv4 as IPv6":                       {1, []string{"::ffff:192.0.2.1"}, "192.0.2.1"},
		"a name":                             {1, []string{"cinema.example"}, connection},
		"a number":                           {1, []string{"3221225985"}, connection},
		"octal":                              {1, []string{"192.0.02.1"}, connection},
		"the syntax of the Forwarded header": {1, []string{"for=192.0.2.1"}, connection},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest("GET", "/", nil)
			r.RemoteAddr = connection + ":40000"
			r.Header["X-Forwarded-For"] = c.lines
			caller, ok := api.CallerOf(r, c.proxies)
			require.True(t, ok)
			assert.Equal(t, c.want, caller.String())
		})
	}
	r := httptest.NewRequest("GET", "/", nil)
	r.RemoteAddr = "@" // a Unix socket
	_, ok := api.CallerOf(r, 1)
	assert.False(t, ok)
}

// TestCallerIsNeverForged: nothing that a client sends changes the caller, as each proxy appends an address.
func TestCallerIsNeverForged(t *testing.T) {
	address := rapid.OneOf(rapid.StringMatching(`192\.0\.2\.[1-9]`), rapid.StringMatching(`2001:db8::[1-9]`))
	forged := rapid.SliceOfN(rapid.OneOf(rapid.StringMatching(`[ -~\t]{0,30}`), rapid.StringMatching(`([0-9a-f:.,% \[\]]|, ){0,40}`), address), 0, 4)
	rapid.Check(t, func(t *rapid.T) {
		caller, edge := address.Draw(t, "caller"), address.Draw(t, "edge")
		r := httptest.NewRequest("GET", "/", nil)
		values := appendEntry(forged.Draw(t, "forged"), caller, rapid.Bool().Draw(t, "own line"))
		r.Header["X-Forwarded-For"] = values
		if got, ok := api.CallerOf(r, 1); !ok || got.String() != caller {
			t.Fatalf("one proxy: %v, not %s: %q", got, caller, values)
		}
		values = appendEntry(values, edge, rapid.Bool().Draw(t, "own line"))
		r.Header["X-Forwarded-For"] = values
		if got, ok := api.CallerOf(r, 2); !ok || got.String() != caller {
			t.Fatalf("two proxies: %v, not %s: %q", got, caller, values)
		}
	})
}
