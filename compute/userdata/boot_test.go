package userdata

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cinema-database/app/contract"
	"cinema-database/internal/testutil/freeport"
)

// proxies is a line of the API's environment.
const proxies = contract.EnvProxies + "=1"

// The database host's zone, and the key of its status.
const (
	zone      = "us-east-1b"
	statusKey = contract.StatusPrefix + "database-" + zone + ".json"
)

func cinemaKey(digest string) string { return contract.ExecutableKey(contract.Cinema, digest) }

func sum(text string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(text))) }

// bucket is a server of the S3 protocol that can refuse its first reads, and all writes but that of the secrets.
type bucket struct {
	name, url    string
	backend      gofakes3.Backend
	mu           sync.Mutex
	refuse       int
	refuseWrites bool
	gets         []string
	// statuses are the host's statuses that were written, in their order.
	statuses []contract.Status
}

func newBucket(t *testing.T, name string, objects map[string]string) *bucket {
	t.Helper()
	backend := s3mem.New()
	require.NoError(t, backend.CreateBucket(name))
	b := &bucket{name: name, backend: backend}
	for key, body := range objects {
		b.put(t, key, body)
	}
	s3 := gofakes3.New(backend).Server()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		key := strings.TrimPrefix(r.URL.Path, "/"+name+"/")
		b.mu.Lock()
		refused := b.refuseWrites && key != contract.SecretsKey // without secrets, cinema-db does not start a blank database
		if r.Method == http.MethodGet {
			if key != contract.SecretsKey { // which cinema-db reads
				b.gets = append(b.gets, key)
			}
			b.refuse--
			refused = b.refuse >= 0
		} else if !refused {
			data, _ := io.ReadAll(r.Body)
			r.Body = io.NopCloser(bytes.NewReader(data))
			b.addStatus(t, key, data)
		}
		b.mu.Unlock()
		if refused {
			http.Error(w, "<Error><Code>SlowDown</Code></Error>", http.StatusServiceUnavailable)
			return
		}
		s3.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	b.url = server.URL
	return b
}

func (b *bucket) put(t *testing.T, key, body string) {
	t.Helper()
	_, err := b.backend.PutObject(b.name, key, nil, strings.NewReader(body), int64(len(body)), nil)
	require.NoError(t, err)
}

func (b *bucket) addStatus(t *testing.T, key string, data []byte) {
	if key != statusKey {
		assert.Contains(t, []string{contract.SecretsKey, contract.ReportKey(zone)}, key, "the key of an object of cinema-db")
		return
	}
	var status contract.Status
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	assert.NoError(t, decoder.Decode(&status), "%s", data)
	_, err := time.Parse(time.RFC3339, status.Time)
	assert.NoError(t, err)
	assert.True(t, strings.HasSuffix(status.Time, "Z"), status.Time)
	b.statuses = append(b.statuses, status)
}

// lastStatus returns the newest status, without its time.
func (b *bucket) lastStatus(t *testing.T) contract.Status {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	require.NotEmpty(t, b.statuses, "nothing is published")
	status := b.statuses[len(b.statuses)-1]
	status.Time = ""
	return status
}

// errors returns the errors of the published statuses, each once.
func (b *bucket) errors() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var all []string
	for _, status := range b.statuses {
		if status.Error != "" && !slices.Contains(all, status.Error) {
			all = append(all, status.Error)
		}
	}
	return all
}

// host is a temporary root file system: this machine's programs, read-only, with an empty /etc, /opt and /var. It keeps
// its files between runs, as an instance does between boots.
type host struct {
	t    *testing.T
	root string
	s3   *bucket
	// device is a block device with major 7 that the host sees as volume.
	device, volume string
	// attempts is how often the setup is started at most; 1 if zero.
	attempts int
	// journal is true if the host has systemd's journal.
	journal bool
	// commands are further programs for the root's /usr/local/bin: name to content.
	commands map[string][]byte
}

// mounts prepares the mounts and device nodes of a root.
const mounts = `set -eu
root=$1 shims=$2 device=$3 link=$4
shift 4
mount --make-rprivate /
mount --bind "$root" "$root"
mount --bind /usr "$root/usr"
mount -o remount,bind,ro "$root/usr"
mount --bind "$shims" "$root/usr/local/bin"
mount -t proc proc "$root/proc"
mount -t tmpfs tmpfs "$root/run"
mount -t tmpfs -o mode=0755,dev tmpfs "$root/dev"
mknod -m 666 "$root/dev/null" c 1 3
mknod -m 666 "$root/dev/zero" c 1 5
mknod -m 666 "$root/dev/full" c 1 7
mknod -m 666 "$root/dev/random" c 1 8
mknod -m 666 "$root/dev/urandom" c 1 9
mknod -m 666 "$root/dev/tty" c 5 0
ln -s /proc/self/fd "$root/dev/fd"
if [ -n "$device" ]; then
  mknod "$root$device" b 7 "${device#/dev/loop}"
  mkdir -p "$root/dev/disk/by-id"
  ln -s "../..${device#/dev}" "$root/dev/disk/by-id/$link"
fi
`

// chroot runs a command in the root. Its process is the first of a PID namespace: when it ends, the kernel ends
// everything that it started.
const chroot = `exec chroot "$root" "$@"
`

func newHost(t *testing.T, s3 *bucket) *host {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root, for mount namespaces and device nodes")
	}
	if out, err := exec.Command("unshare", "--mount", "--pid", "--fork", "true").CombinedOutput(); err != nil {
		t.Skipf("needs unshare --mount --pid: %v %s", err, out)
	}
	h := &host{t: t, root: filepath.Join(t.TempDir(), "root"), s3: s3}
	for _, dir := range []string{"usr", "proc", "dev", "run", "root", "opt", "etc/systemd/system", "var/tmp", "var/log", "var/lib/cloud/data", "tmp"} {
		require.NoError(t, os.MkdirAll(h.path(dir), 0o755))
	}
	require.NoError(t, os.Symlink("../run", h.path("var/run")))
	for _, dir := range []string{"bin", "sbin", "lib", "lib64"} {
		// /usr is merged, as on Amazon Linux 2023.
		if target, err := os.Readlink("/" + dir); err == nil {
			require.NoError(t, os.Symlink(target, h.path(dir)))
		}
	}
	h.write("var/lib/cloud/data/instance-id", "i-0123456789abcdef0\n")
	h.write("etc/passwd", "root:x:0:0:root:/root:/bin/bash\n")
	h.write("etc/group", "root:x:0:\n")
	h.write("etc/hosts", "127.0.0.1 localhost\n")
	h.write("etc/fstab", "UUID=aaaa / xfs defaults,noatime 1 1\n")
	return h
}

func (h *host) path(name string) string { return filepath.Join(h.root, name) }

func (h *host) write(name, text string) {
	h.t.Helper()
	require.NoError(h.t, os.MkdirAll(filepath.Dir(h.path(name)), 0o755))
	require.NoError(h.t, os.WriteFile(h.path(name), []byte(text), 0o644))
}

// read returns a file's text, empty if the file is missing.
func (h *host) read(name string) string {
	data, _ := os.ReadFile(h.path(name))
	return string(data)
}

func (h *host) exists(name string) bool {
	_, err := os.Lstat(h.path(name))
	return err == nil
}

// boot is the result of a run.
type boot struct {
	status int
	// console has both outputs of the user data, after those of the command that follows it.
	console, after string
}

// userData runs a script as cloud-init does, from its compressed form, then the attempts of the setup, and then a command
// while the processes of the script still run. The status is that of the last attempt.
func (h *host) userData(s Script, after string) boot {
	h.t.Helper()
	h.writeUserData(s)
	return h.run("gunzip </var/lib/cloud/user-data.gz >/var/lib/cloud/part-001\nchmod 0700 /var/lib/cloud/part-001\n"+
		"/var/lib/cloud/part-001 </dev/null >>/var/log/console 2>&1 || exit", after)
}

func (h *host) writeUserData(s Script) {
	h.t.Helper()
	raw, err := base64.StdEncoding.DecodeString(s.Base64Gzip())
	require.NoError(h.t, err)
	require.NoError(h.t, os.WriteFile(h.path("var/lib/cloud/user-data.gz"), raw, 0o600))
}

// reboot starts the enabled units on a host without processes.
func (h *host) reboot(after string) boot {
	h.t.Helper()
	return h.run("systemctl boot >>/var/log/console 2>&1", after)
}

func (h *host) run(command, after string) boot {
	h.t.Helper()
	return h.enter(chroot, []string{"systemctl"}, nil, nil, "/bin/bash", "-c",
		fmt.Sprintf("%s\nsystemctl attempts %d >>/var/log/console 2>&1\necho $? >", command, max(h.attempts, 1))+"/var/log/status\n"+after+"\n")
}

// enter prepares the root in new namespaces and ends with a script in it, whose arguments are args. shims are commands of
// the test's executable, in addition to those of every host.
func (h *host) enter(script string, shims, namespaces []string, attributes *syscall.SysProcAttr, args ...string) boot {
	h.t.Helper()
	// The files of the last run. The folders of /var/log stay.
	out, err := exec.Command("find", h.path("var/log"), "-maxdepth", "1", "!", "-type", "d", "-delete").CombinedOutput()
	require.NoError(h.t, err, "%s", out)
	dir := filepath.Join(filepath.Dir(h.root), "shims")
	require.NoError(h.t, os.MkdirAll(dir, 0o755))
	self, err := os.Executable()
	require.NoError(h.t, err)
	for _, name := range append(shims, "aws", "sleep", "date", "sysctl", "systemd-tmpfiles", "ip", "dnf") {
		if err := os.Link(self, filepath.Join(dir, name)); err != nil && !os.IsExist(err) {
			h.write("../shims/"+name, selfText(h.t))
			require.NoError(h.t, os.Chmod(filepath.Join(dir, name), 0o755))
		}
	}
	for name, data := range h.commands {
		require.NoError(h.t, os.WriteFile(filepath.Join(dir, name), data, 0o755))
	}
	link := "nvme-Amazon_Elastic_Block_Store_" + strings.Replace(h.volume, "-", "", 1)
	ctx, cancel := context.WithTimeout(h.t.Context(), 10*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "unshare", slices.Concat([]string{"--mount", "--pid", "--fork", "--kill-child"}, namespaces,
		[]string{"/bin/sh", "-c", mounts + script, "enter", h.root, dir, h.device, link}, args)...)
	cmd.Env = []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "AWS_ENDPOINT_URL_S3=" + h.s3.url,
		"AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test"}
	cmd.SysProcAttr = attributes
	out, err = cmd.CombinedOutput()
	require.NoError(h.t, err, "%s\nconsole: %s", out, h.read("var/log/console"))
	b := boot{status: -1, console: h.read("var/log/console"), after: string(out)}
	_, err = fmt.Sscan(h.read("var/log/status"), &b.status)
	require.NoError(h.t, err, "no status; output: %s", out)
	return b
}

// selfText is the test's executable.
func selfText(t *testing.T) string {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	data, err := os.ReadFile(self)
	require.NoError(t, err)
	return string(data)
}

// handOver is what user data does with systemctl.
func handOver(attempts int) string {
	return fmt.Sprintf("daemon-reload\nenable cinema-setup.service\nstart cinema-setup.service\nattempts %d\n", attempts)
}

// bootAPI runs the API's script on a host whose bucket holds the given objects.
func bootAPI(t *testing.T, objects map[string]string, attempts int, change func(*APIParams, *host)) (*host, boot) {
	t.Helper()
	p := apiParams()
	p.Port = freeport.Get(t)
	h := newHost(t, newBucket(t, p.Artifacts, objects))
	h.attempts = attempts
	change(&p, h)
	s, err := API(p)
	require.NoError(t, err)
	return h, h.userData(s, fmt.Sprintf("curl -s http://127.0.0.1:%d%s || echo no answer", p.Port, contract.HealthPath))
}

func assertNothingInstalled(t *testing.T, h *host) {
	t.Helper()
	assert.Equal(t, handOver(h.attempts), h.read("var/log/systemctl"), "systemctl was called")
	assert.False(t, h.exists("opt/cinema/bin/cinema"), "the binary is installed")
	assert.False(t, h.exists("etc/systemd/system/cinema.service"), "the unit is installed")
	left, err := os.ReadDir(h.path("var/tmp"))
	require.NoError(t, err)
	assert.Empty(t, left, "the working folder is still there")
}

func TestBootAPI(t *testing.T) {
	binary := selfText(t)
	digest := sum(binary)
	key, wrongKey := cinemaKey(digest), cinemaKey(digestA)
	right := func(p *APIParams, _ *host) { p.Digest = digest }
	const missing = "cinema: not up yet: s3://cinema-artifacts-1a2b3c4/"

	t.Run("the right digest installs and starts", func(t *testing.T) {
		t.Parallel()
		h, b := bootAPI(t, map[string]string{key: binary}, 1, right)
		require.Zero(t, b.status, b.console)
		assert.Equal(t, binary, h.read("opt/cinema/bin/cinema"))
		assert.Equal(t, "daemon-reload\nenable cinema-setup.service\nstart cinema-setup.service\n"+
			"daemon-reload\nenable cinema.service\nstart cinema.service\n"+
			"enable amazon-cloudwatch-agent.service logrotate.timer\nrestart logrotate.timer\nrestart amazon-cloudwatch-agent.service\n"+
			"attempts 1\n", h.read("var/log/systemctl"))
		for _, want := range []string{
			contract.EnvAllowedOrigins + "=https://cinema.example http://localhost:3000", contract.EnvRegion + "=us-east-1", proxies,
			contract.EnvImagesBucket + "=cinema-images-5d6e7f8", contract.EnvCredentialsURI + "=s3://cinema-artifacts-1a2b3c4/" + contract.CredentialsKey,
		} {
			assert.Contains(t, b.after, want+"\n", "the running API's environment")
		}
		assert.Contains(t, b.console, "cinema: cinema "+digest[:12]+" answers on port ")
		assert.Contains(t, h.read("var/log/cloud-init-output.log"), " answers on port ", "where operators look")
		assert.Equal(t, []string{key}, h.s3.gets)

		b = h.reboot("ls /run")
		require.Zero(t, b.status, b.console)
		assert.Contains(t, b.after, "pid-cinema.service", "a reboot starts the API")
		assert.Equal(t, []string{key}, h.s3.gets, "a reboot fetches nothing")
		assert.NotContains(t, h.read("var/log/started"), "setup", "a reboot needs no setup")
	})
	t.Run("a wrong digest installs nothing", func(t *testing.T) {
		t.Parallel()
		h, b := bootAPI(t, map[string]string{wrongKey: binary}, 2, func(*APIParams, *host) {})
		assert.Equal(t, 1, b.status)
		assert.Contains(t, b.console, "cinema: not up yet: cinema has SHA-256 "+digest+", not "+digestA+"; it is not installed\n")
		assert.Equal(t, "no answer\n", b.after)
		assert.Equal(t, []string{wrongKey, wrongKey}, h.s3.gets, "a wrong digest is tried again")
		assert.Equal(t, "50\n10\n50\n", h.read("var/log/sleep"), "seconds: what stays wrong is tried once a minute")
		assertNothingInstalled(t, h)
	})
	t.Run("a missing object is fetched once it is there", func(t *testing.T) {
		t.Parallel()
		h, b := bootAPI(t, nil, 8, func(*APIParams, *host) {})
		assert.Equal(t, 1, b.status)
		assert.Contains(t, b.console, missing+wrongKey+" cannot be fetched: An error occurred (404 Not Found)")
		assert.Equal(t, strings.Repeat("10\n", 7), h.read("var/log/sleep"), "seconds between the attempts")
		assert.Len(t, h.s3.gets, 8)
		assert.Equal(t, 2, strings.Count(b.console, missing), "lines in 70 s: %s", b.console)
		assertNothingInstalled(t, h)

		h.s3.put(t, wrongKey, binary)
		h.attempts = 1
		assert.Equal(t, 1, h.reboot("").status, "the object has another digest")
		s, err := API(func() APIParams { p := apiParams(); p.Digest, p.Port = digest, freeport.Get(t); return p }())
		require.NoError(t, err)
		h.write("var/lib/cinema/setup", s.Text)
		h.attempts = 2
		h.s3.put(t, key, binary)
		b = h.reboot("ls /run")
		assert.Zero(t, b.status, "after a reboot: %s", b.console)
		assert.Contains(t, b.after, "pid-cinema.service")
	})
	t.Run("S3 fails twice, then answers", func(t *testing.T) {
		t.Parallel()
		h, b := bootAPI(t, map[string]string{key: binary}, 3, func(p *APIParams, h *host) { p.Digest, h.s3.refuse = digest, 2 })
		require.Zero(t, b.status, b.console)
		assert.True(t, strings.HasPrefix(h.read("var/log/sleep"), "10\n10\n"), "seconds between the attempts")
		assert.Len(t, h.s3.gets, 3)
		assert.Contains(t, b.after, proxies)
	})
	t.Run("a binary that does not answer", func(t *testing.T) {
		t.Parallel()
		broken := "#!/bin/bash\nexit 3\n"
		h, b := bootAPI(t, map[string]string{cinemaKey(sum(broken)): broken}, 1, func(p *APIParams, _ *host) { p.Digest = sum(broken) })
		assert.Equal(t, 1, b.status)
		assert.Contains(t, b.console, "cinema: not up yet: cinema does not answer on port ")
		assert.Contains(t, h.read("var/log/started"), "/opt/cinema/bin/cinema serve\n")
	})
	t.Run("the API serves without its agent, which is installed later", func(t *testing.T) {
		t.Parallel()
		h, b := bootAPI(t, map[string]string{key: binary}, 2, func(p *APIParams, h *host) {
			p.Digest = digest
			h.write("var/lib/no-packages", "")
			// While the setup waits after its failure, not while it waits for the API.
			h.write("var/lib/meanwhile", `[ "$(tail -n 1 /var/log/sleep)" != 50 ] || rm -f /var/lib/no-packages`)
		})
		require.Zero(t, b.status, b.console)
		assert.Contains(t, b.console, "the log stays in /var/log/cinema/api.log: Error: Failed to download metadata")
		assert.Contains(t, b.after, proxies)
		assert.Equal(t, 1, strings.Count(h.read("var/log/started"), "cinema serve\n"), "the API is not restarted")
	})
	t.Run("a failed step says why in the same line", func(t *testing.T) {
		t.Parallel()
		_, b := bootAPI(t, map[string]string{key: binary}, 1, func(p *APIParams, h *host) {
			right(p, h)
			h.write("etc/cinema/.keep", "")
			require.NoError(t, os.Symlink("/dev/full", h.path("etc/cinema/api.env.new")))
		})
		assert.Equal(t, 1, b.status)
		assert.Regexp(t, `cinema: not up yet: line \d+: cat > .*: No space left on device\n`, b.console)
	})
}

func TestRealCLI(t *testing.T) {
	if _, err := exec.LookPath("aws"); err != nil {
		t.Skip("the AWS CLI is not installed")
	}
	s3 := newBucket(t, "cinema-artifacts", map[string]string{contract.PackagesPrefix + "a.tgz": "package"})
	dir := t.TempDir()
	common := strings.Replace(read("scripts/common.sh"), "state=/var/lib/cinema", "state="+dir, 1)
	script := "bucket=cinema-artifacts region=us-east-1\n" + common +
		"PATH=$SAVED_PATH\nfetch " + contract.PackagesPrefix + "a.tgz " + sum("package") + " a\n"
	cmd := exec.Command("bash", "-euo", "pipefail", "-c", script)
	cmd.Env = []string{"SAVED_PATH=" + os.Getenv("PATH"), "AWS_ENDPOINT_URL_S3=" + s3.url,
		"AWS_ACCESS_KEY_ID=x", "AWS_SECRET_ACCESS_KEY=x", "AWS_CONFIG_FILE=/dev/null"}
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	got, err := os.ReadFile(filepath.Join(dir, sum("package")))
	require.NoError(t, err)
	assert.Equal(t, "package", string(got))
}
