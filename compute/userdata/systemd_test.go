package userdata

import (
	"context"
	"encoding/base64"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cinema-database/app/contract"
	"cinema-database/internal/testutil/freeport"
)

// enterSystemd prepares the mounts of a root and starts systemd in it as the first process. The kernel settings of this
// machine are read-only in it.
const enterSystemd = `set -eu
root=$1 shims=$2 device=$3 link=$4
mount --make-rprivate /
mount --bind "$root" "$root"
mount --bind /usr "$root/usr"
mount -o remount,bind,ro "$root/usr"
mount --bind "$shims" "$root/usr/local/bin"
mount -t proc proc "$root/proc"
mount --bind "$root/proc/sys" "$root/proc/sys"
mount -o remount,bind,ro "$root/proc/sys"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
mount -t tmpfs tmpfs "$root/run"
mount -t tmpfs tmpfs "$root/tmp"
mount -t tmpfs -o mode=0755,dev tmpfs "$root/dev"
mknod -m 666 "$root/dev/null" c 1 3
mknod -m 666 "$root/dev/zero" c 1 5
mknod -m 666 "$root/dev/full" c 1 7
mknod -m 666 "$root/dev/random" c 1 8
mknod -m 666 "$root/dev/urandom" c 1 9
mknod -m 666 "$root/dev/tty" c 5 0
ln -s /proc/self/fd "$root/dev/fd"
ln -s pts/ptmx "$root/dev/ptmx"
mkdir "$root/dev/pts" "$root/dev/shm" "$root/dev/mqueue" "$root/dev/hugepages"
if [ -n "$device" ]; then
  mknod "$root$device" b 7 "${device#/dev/loop}"
  mkdir -p "$root/dev/disk/by-id"
  ln -s "../..${device#/dev}" "$root/dev/disk/by-id/$link"
fi
cd "$root"
mkdir -p .old
pivot_root . .old
umount -l /.old
exec env -i container=lxc PATH=/usr/sbin:/usr/bin /usr/lib/systemd/systemd --system --log-target=null
`

// controlGroup creates an empty control group of version 2. The test removes it with its children at its end.
func controlGroup(t *testing.T) *os.File {
	t.Helper()
	mounts, err := os.ReadFile("/proc/mounts")
	require.NoError(t, err)
	for line := range strings.Lines(string(mounts)) {
		fields := strings.Fields(line)
		if fields[2] != "cgroup2" {
			continue
		}
		path, err := os.MkdirTemp(fields[1], "userdata")
		if err != nil {
			t.Skipf("needs a writable control group: %v", err)
		}
		t.Cleanup(func() { removeGroups(path) })
		f, err := os.Open(path)
		require.NoError(t, err)
		t.Cleanup(func() { f.Close() })
		return f
	}
	t.Skip("needs control groups of version 2")
	return nil
}

func removeGroups(path string) {
	entries, _ := os.ReadDir(path)
	for _, e := range entries {
		if e.IsDir() {
			removeGroups(filepath.Join(path, e.Name()))
		}
	}
	// The kernel may need a moment to notice the end of the last process.
	for range 100 {
		if os.Remove(path) == nil {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// systemd starts the real systemd in the root, without the units of this machine. It runs a command in it, and then
// another that examines the result.
func (h *host) systemd(command, after string) boot {
	h.t.Helper()
	if _, err := os.Stat("/usr/lib/systemd/systemd"); err != nil {
		h.t.Skip("systemd is not installed")
	}
	group := controlGroup(h.t)
	require.NoError(h.t, os.MkdirAll(h.path("sys"), 0o755))
	h.write("etc/machine-id", strings.Repeat("0", 31)+"1\n")
	h.write("etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files\n")
	for _, pattern := range []string{"*.target.wants/*", "systemd-journald*", "systemd-udevd*"} {
		found, _ := filepath.Glob("/usr/lib/systemd/system/" + pattern)
		for _, path := range found {
			err := os.Symlink("/dev/null", h.path("etc/systemd/system/"+filepath.Base(path)))
			if err != nil && !os.IsExist(err) {
				require.NoError(h.t, err)
			}
		}
	}
	h.write("etc/systemd/system/multi-user.target", "[Unit]\nRequires=basic.target\nAfter=basic.target\nAllowIsolate=yes\n")
	_ = os.Symlink("multi-user.target", h.path("etc/systemd/system/default.target"))
	h.write("etc/systemd/system/test.service", "[Unit]\nAfter=basic.target\n[Service]\nType=oneshot\nEnvironment=AWS_ENDPOINT_URL_S3="+
		h.s3.url+"\nExecStart=/bin/bash /var/lib/cloud/test\n")
	h.write("etc/systemd/system/multi-user.target.wants/.keep", "")
	_ = os.Symlink("../test.service", h.path("etc/systemd/system/multi-user.target.wants/test.service"))
	h.forgetLogs()
	h.write("var/lib/cloud/test", "("+command+") >/var/log/console 2>&1\necho $? >/var/log/status\n("+after+") >/var/log/after 2>&1\nsystemctl exit 0\n")

	shims := filepath.Join(filepath.Dir(h.root), "shims-systemd")
	require.NoError(h.t, os.MkdirAll(shims, 0o755))
	for _, name := range []string{"aws", "sleep", "sysctl", "systemd-tmpfiles", "ip", "dnf"} {
		copyExecutable(h.t, filepath.Join(shims, name))
	}
	for name, source := range h.commands {
		data, err := os.ReadFile(source)
		require.NoError(h.t, err)
		require.NoError(h.t, os.WriteFile(filepath.Join(shims, name), data, 0o755))
	}
	ctx, cancel := context.WithTimeout(h.t.Context(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "unshare", "--mount", "--pid", "--fork", "--cgroup", "--uts", "--ipc", "--kill-child",
		"/bin/sh", "-c", enterSystemd, "enter", h.root, shims, h.device, "nvme-Amazon_Elastic_Block_Store_"+strings.Replace(h.volume, "-", "", 1))
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin"}
	cmd.SysProcAttr = &syscall.SysProcAttr{UseCgroupFD: true, CgroupFD: int(group.Fd())}
	out, err := cmd.CombinedOutput()
	require.NoError(h.t, err, "%s\nconsole: %s", out, h.read("var/log/console"))
	b := boot{status: -1, console: h.read("var/log/console"), after: h.read("var/log/after")}
	_, err = fmt.Sscan(h.read("var/log/status"), &b.status)
	require.NoError(h.t, err, "systemd ended before the command did: %s", out)
	return b
}

func (h *host) userDataUnderSystemd(s Script, after string) boot {
	h.t.Helper()
	raw, err := base64.StdEncoding.DecodeString(s.Base64Gzip())
	require.NoError(h.t, err)
	require.NoError(h.t, os.WriteFile(h.path("var/lib/cloud/user-data.gz"), raw, 0o600))
	return h.systemd("gunzip </var/lib/cloud/user-data.gz | /bin/bash", after)
}

// TestSystemdAPI: the unit works with its sandbox, and starts again after a crash and a reboot.
func TestSystemdAPI(t *testing.T) {
	binary := string(selfBytes(t))
	p := apiParams()
	p.Port, p.Digest = freeport.Get(t), sum(binary)
	h := newHost(t, newBucket(t, p.Artifacts, map[string]string{cinemaKey(p.Digest): binary}))
	s, err := API(p)
	require.NoError(t, err)
	answer := fmt.Sprintf("curl -s --retry 50 --retry-delay 1 --retry-all-errors http://127.0.0.1:%d%s\n", p.Port, contract.HealthPath)
	b := h.userDataUnderSystemd(s, answer+`
pid=$(systemctl show -P MainPID cinema.service)
grep -E '^(Uid|CapBnd|NoNewPrivs|Seccomp):' "/proc/$pid/status"
touch "/proc/$pid/root/opt/x" || true
systemctl kill --signal=KILL cinema.service
`+answer+`echo "restarts $(systemctl show -P NRestarts cinema.service)"
`)
	require.Zero(t, b.status, b.console)
	assert.Equal(t, 2, strings.Count(b.after, "\n"+behindProxy+"\n"), b.after)
	assert.Contains(t, b.after, "\nCapBnd:\t0000000000000000\nNoNewPrivs:\t1\nSeccomp:\t2\n")
	assert.NotRegexp(t, `Uid:\t0\t`, b.after)
	assert.Contains(t, b.after, "Read-only file system")
	assert.Contains(t, b.after, "restarts 1\n")

	b = h.systemd("true", answer)
	assert.Contains(t, b.after, "\n"+behindProxy+"\n", "after a reboot")
}

// TestSystemdDatabase: the units start in their order, and mongod is prepared and starts again after a crash and a reboot.
func TestSystemdDatabase(t *testing.T) {
	needXFS(t)
	v := newVolume(t, 320)
	h, p := database(t, v)
	h.commands = map[string]string{"cinema-db-program": cinemaDB(t)}
	// In a container, systemd ignores devices in fstab, so this replaces the unit that it would generate.
	h.write("etc/systemd/system/"+volumeMount, "[Mount]\nWhat="+v.device+"\nWhere="+volumePath+"\nType=xfs\nOptions=noatime\n")
	h.write("etc/systemd/system/mongod.service.d/test.conf", "[Service]\nRestartSec=100ms\nStandardOutput=append:/var/log/mongod.log\nStandardError=append:/var/log/mongod.log\n")
	s, err := Database(p)
	require.NoError(t, err)
	wait := `started() { for i in $(seq 2000); do [ "$(wc -l </data/db/starts)" -ge "$1" ] && break; /usr/bin/sleep 0.05; done; }
`
	b := h.userDataUnderSystemd(s, wait+`
[ "$(cat /var/log/status)" = 0 ] || { systemctl status mongod.service; systemctl exit 0; }
systemctl is-active mongod.service cinema-db-renew.timer
systemctl is-enabled mongod.service cinema-db-init.service cinema-db-renew.timer
systemctl start cinema-db-renew.service
cat /data/renewals
rm /etc/mongod.conf
systemctl kill --signal=KILL mongod.service
started 2
systemctl is-active mongod.service
cat /data/db/starts
ls /etc/mongod.conf
`)
	require.Zero(t, b.status, "%s%s%s", b.console, h.read("var/log/mongod.log"), b.after)
	assert.Contains(t, b.console, "cinema: the database is ready as mongo.cinema.internal\n")
	assert.Equal(t, "active\nactive\nenabled\nenabled\nenabled\nrenew -timeout 1m\nactive\n"+mongodStart+mongodStart+"/etc/mongod.conf\n", b.after)

	b = h.systemd("true", wait+"started 3\nsystemctl is-active mongod.service\nsystemctl start cinema-db-init.service && echo initialized\n")
	assert.Equal(t, "active\ninitialized\n", b.after, "after a reboot")
}
