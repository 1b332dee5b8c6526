package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cinema-database/app/contract"
	"cinema-database/internal/testutil/freeport"
	"cinema-database/internal/testutil/must"
)

// container is how a test starts an image.
type container struct {
	root    string // folder with the image's files
	config  v1.Config
	env     []string
	scratch string
}

// crun returns the command that starts an OCI bundle, and the file that has the process's id in the end.
func (c container) crun(t *testing.T) (command []string, pidFile string) {
	uid, gid, ok := strings.Cut(c.config.User, ":")
	require.True(t, ok, c.config.User)
	bundle := map[string]any{
		"ociVersion": "1.0.2",
		"root":       map[string]any{"path": c.root, "readonly": true},
		"process": map[string]any{
			"user": map[string]any{"uid": must.OK(strconv.Atoi(uid))(t), "gid": must.OK(strconv.Atoi(gid))(t)},
			"args": append(c.config.Entrypoint, c.config.Cmd...), "env": c.env, "cwd": c.config.WorkingDir,
			"noNewPrivileges": true, "capabilities": map[string]any{},
		},
		"mounts": []map[string]any{
			{"destination": "/proc", "type": "proc", "source": "proc"},
			{"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": []string{"nosuid", "mode=755", "size=64k"}},
		},
		"linux": map[string]any{"namespaces": []map[string]any{{"type": "mount"}, {"type": "pid"}, {"type": "ipc"}, {"type": "uts"}}},
	}
	require.NoError(t, os.WriteFile(filepath.Join(c.scratch, "config.json"), must.OK(json.Marshal(bundle))(t), 0o600))
	pidFile = filepath.Join(c.scratch, "pid")
	// crun refuses a system that has both versions of cgroups mounted. The test has no use for either.
	return []string{"unshare", "-m", "sh", "-c", `umount /sys/fs/cgroup/unified 2>/dev/null; exec "$0" "$@"`,
		"crun", "--root", filepath.Join(c.scratch, "state"), "--cgroup-manager=disabled", "run", "--bundle", c.scratch, "--pid-file", pidFile,
		"cinema-image-" + strconv.Itoa(os.Getpid())}, pidFile
}

// chroot returns a command that starts the program itself in a mount namespace where the root is read-only.
func (c container) chroot(*testing.T) (command []string, pidFile string) {
	return append([]string{"unshare", "-m", "sh", "-c",
		`mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec setpriv --no-new-privs chroot --userspec=` + c.config.User + ` "$0" "$@"`,
		c.root}, append(c.config.Entrypoint, c.config.Cmd...)...), ""
}

// The API runs from the image as a user without rights, and cannot write to its root.
func TestTheImageStarts(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("not root: cannot start a container")
	}
	t.Chdir("../../..")
	out := filepath.Join(t.TempDir(), "out")
	digest, _ := succeeds(t, "build", "--arch", runtime.GOARCH, "--output", out)
	hash := must.OK(v1.NewHash(digest))(t)
	index, _ := written(t, out)
	image := must.OK(index.Image(hash))(t)
	config := must.OK(image.ConfigFile())(t).Config

	for name, start := range map[string]struct {
		tools   []string
		command func(container, *testing.T) ([]string, string)
	}{
		"crun":   {[]string{"crun", "unshare"}, container.crun},
		"chroot": {[]string{"unshare", "mount", "setpriv", "chroot"}, container.chroot},
	} {
		t.Run(name, func(t *testing.T) {
			for _, tool := range start.tools {
				if _, err := exec.LookPath(tool); err != nil {
					t.Skip("not here: ", tool)
				}
			}
			if text, err := exec.Command("unshare", "-m", "true").CombinedOutput(); err != nil {
				t.Skipf("no mount namespaces here: %v: %s", err, text)
			}
			port := freeport.Get(t)
			c := container{root: filepath.Join(t.TempDir(), "root"), config: config, scratch: t.TempDir(), env: []string{
				"MONGODB_URI=mongodb://127.0.0.1:1/cinema", "JWT_KEY=" + base64.StdEncoding.EncodeToString(make([]byte, 32)),
				contract.EnvImagesBucket + "=cinema-images", contract.EnvRegion + "=us-east-1", contract.EnvPort + "=" + strconv.Itoa(port),
			}}
			require.NoError(t, os.MkdirAll(c.root, 0o755))
			unpack(t, image, c.root)
			line, pidFile := start.command(c, t)
			process := startProcess(t, line, c.env)

			url := fmt.Sprintf("http://127.0.0.1:%d%s", port, contract.HealthPath)
			require.Eventually(t, func() bool {
				select {
				case <-process.ended:
					return true
				default:
				}
				response, err := http.Get(url)
				if err != nil {
					return false
				}
				response.Body.Close()
				return response.StatusCode == http.StatusOK
			}, time.Minute, 20*time.Millisecond, "GET %s", url)
			if process.hasEnded() {
				t.Fatalf("ended: %v\n%s", process.err, process.output)
			}

			pid := process.cmd.Process.Pid
			if pidFile != "" {
				pid = must.OK(strconv.Atoi(strings.TrimSpace(string(must.OK(os.ReadFile(pidFile))(t)))))(t)
			}
			status := string(must.OK(os.ReadFile(fmt.Sprintf("/proc/%d/status", pid)))(t))
			assert.Contains(t, status, "\nUid:\t65532\t65532\t65532\t65532\n")
			assert.Contains(t, status, "\nGid:\t65532\t65532\t65532\t65532\n")
			assert.Contains(t, status, "\nNoNewPrivs:\t1\n")
			assert.Contains(t, status, "\nCapEff:\t0000000000000000\n")
			// The same mounts, by the test's own rights: not even root can write there.
			for _, name := range []string{"written", "tmp/written", "etc/passwd"} {
				err := os.WriteFile(fmt.Sprintf("/proc/%d/root/%s", pid, name), nil, 0o600)
				assert.ErrorIs(t, err, syscall.EROFS, name)
			}

			require.NoError(t, syscall.Kill(pid, syscall.SIGTERM))
			<-process.ended
			assert.NoError(t, process.err, "it ends by itself: %s", process.output)
			assert.Contains(t, process.output.String(), `"msg":"listening"`)
		})
	}
}

// process is a command that runs.
type process struct {
	cmd    *exec.Cmd
	ended  chan struct{}
	err    error
	output *bytes.Buffer // complete once it has ended
}

// startProcess starts a command, and kills it at the end of the test if it still runs.
func startProcess(t *testing.T, line, env []string) *process {
	t.Helper()
	p := &process{cmd: exec.Command(line[0], line[1:]...), ended: make(chan struct{}), output: &bytes.Buffer{}}
	p.cmd.Env = append([]string{"PATH=" + os.Getenv("PATH")}, env...)
	p.cmd.Stdout, p.cmd.Stderr = p.output, p.output
	require.NoError(t, p.cmd.Start())
	go func() {
		p.err = p.cmd.Wait()
		close(p.ended)
	}()
	t.Cleanup(func() {
		if !p.hasEnded() {
			_ = p.cmd.Process.Kill()
			<-p.ended
		}
	})
	return p
}

func (p *process) hasEnded() bool {
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}
