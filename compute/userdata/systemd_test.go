package userdata

import (
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

// pivotToSystemd starts systemd in the root as the first process. The kernel settings of this machine are read-only in it.
const pivotToSystemd = `mount --bind "$root/proc/sys" "$root/proc/sys"
mount -o remount,bind,ro "$root/proc/sys"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
mount -t tmpfs tmpfs "$root/tmp"
ln -s pts/ptmx "$root/dev/ptmx"
mkdir "$root/dev/pts" "$root/dev/shm" "$root/dev/mqueue" "$root/dev/hugepages"
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
	// The kernel may need a moment to notice the end of the last process.
	for range 100 {
		if exec.Command("find", path, "-depth", "-type", "d", "-delete").Run() == nil {
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
			if h.journal && strings.HasPrefix(filepath.Base(path), "systemd-journald") {
				continue
			}
			if err := os.Symlink("/dev/null", h.path("etc/systemd/system/"+filepath.Base(path))); !os.IsExist(err) {
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
	h.write("var/lib/cloud/test", "("+command+") >/var/log/console 2>&1\necho $? >/var/log/status\n("+after+") >/var/log/after 2>&1\nsystemctl exit 0\n")
	b := h.enter(pivotToSystemd, nil, []string{"--cgroup", "--uts", "--ipc"}, &syscall.SysProcAttr{UseCgroupFD: true, CgroupFD: int(group.Fd())})
	b.after = h.read("var/log/after")
	return b
}

func (h *host) userDataUnderSystemd(s Script, after string) boot {
	h.t.Helper()
	h.writeUserData(s)
	// Without a journal and with the test's bucket.
	h.write("etc/systemd/system/cinema-setup.service.d/test.conf", "[Service]\nEnvironment=AWS_ENDPOINT_URL_S3="+h.s3.url+
		"\nStandardOutput=append:/var/log/console\nStandardError=append:/var/log/console\n")
	return h.systemd("gunzip </var/lib/cloud/user-data.gz >/var/lib/cloud/part-001; /bin/bash /var/lib/cloud/part-001; "+
		"[ \"$(systemctl show -P ExecMainStatus cinema-setup.service)\" = 0 ]", after)
}

// TestSystemdAPI: the unit works with its sandbox, and starts again after a crash and a reboot.
func TestSystemdAPI(t *testing.T) {
	binary := selfText(t)
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
	assert.Equal(t, 2, strings.Count(b.after, "\n"+proxies+"\n"), b.after)
	assert.Contains(t, b.after, "\nCapBnd:\t0000000000000000\nNoNewPrivs:\t1\nSeccomp:\t2\n")
	assert.NotRegexp(t, `Uid:\t0\t`, b.after)
	assert.Contains(t, b.after, "Read-only file system")
	assert.Contains(t, b.after, "restarts 1\n")

	b = h.systemd("true", answer)
	assert.Contains(t, b.after, "\n"+proxies+"\n", "after a reboot")
}

// databaseUnderSystemd returns a database host with what its units need of a machine.
func databaseUnderSystemd(t *testing.T) (*host, DatabaseParams) {
	t.Helper()
	needXFS(t)
	v := newVolume(t, 320)
	h, p := database(t, v)
	h.commands = cinemaDBProgramFile(t)
	// In a container, systemd ignores devices in fstab, so this replaces the unit that it would generate.
	h.write("etc/systemd/system/"+volumeMount, "[Mount]\nWhat="+v.device+"\nWhere="+volumePath+"\nType=xfs\nOptions=noatime\n")
	h.write("etc/systemd/system/mongod.service.d/s3.conf", "[Service]\nEnvironment=AWS_ENDPOINT_URL_S3="+h.s3.url+" AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test\n")
	return h, p
}

// TestSystemdDatabase: the units start and stop in their order, and mongod is prepared and starts again after a crash and a
// reboot. The agent runs without mongod too.
func TestSystemdDatabase(t *testing.T) {
	h, p := databaseUnderSystemd(t)
	h.write("etc/systemd/system/mongod.service.d/log.conf", "[Service]\nRestartSec=100ms\nStandardOutput=append:/var/log/mongod.log\nStandardError=append:/var/log/mongod.log\n")
	h.write("etc/systemd/system/network.service", "[Unit]\nBefore=network-online.target\n[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/true\n"+
		"ExecStop=/bin/sh -c 'echo network >>/var/log/stops'\n")
	h.write("etc/systemd/system/network-online.target.wants/.keep", "")
	require.NoError(t, os.Symlink("../network.service", h.path("etc/systemd/system/network-online.target.wants/network.service")))
	s, err := Database(p)
	require.NoError(t, err)
	wait := `started() { for i in $(seq 2000); do [ "$(wc -l </data/db/starts)" -ge "$1" ] && break; /usr/bin/sleep 0.05; done; }
`
	b := h.userDataUnderSystemd(s, wait+`
[ "$(cat /var/log/status)" = 0 ] || { systemctl status mongod.service; systemctl exit 0; }
systemctl is-active mongod.service cinema-db-agent.service cinema-db-renew.timer
systemctl is-enabled mongod.service cinema-db-init.service cinema-db-agent.service cinema-db-renew.timer
systemctl start cinema-db-renew.service
cat /data/state/renew
rm /etc/mongod.conf
systemctl kill --signal=KILL mongod.service
started 2
systemctl is-active mongod.service
ls /etc/mongod.conf
systemctl kill --kill-who=main mongod.service
started 3
systemctl stop mongod.service
systemctl is-active mongod.service cinema-db-agent.service
systemctl start mongod.service
started 4
cat /data/db/starts /data/state/stepdown /data/state/agent
stat -c '%a %U' /data/state
rm /var/log/stops
`)
	require.Zero(t, b.status, "%s%s%s", b.console, h.read("var/log/mongod.log"), b.after)
	assert.Contains(t, b.console, "cinema: the database is ready as mongo-b.cinema.internal\n")
	assert.Equal(t, []string{
		"active", "active", "active", "enabled", "enabled", "enabled", "enabled", "renew -timeout 1m",
		"active", "/etc/mongod.conf", // after a crash
		"inactive", "active", // after mongod's stop
		strings.TrimSpace(mongodStart), strings.TrimSpace(mongodStart), strings.TrimSpace(mongodStart), strings.TrimSpace(mongodStart),
		"stepdown -timeout 30s no mongod", "stepdown -timeout 30s mongod",
		"agent us-east-1b vol-0123456789abcdef0",
		"700 root",
	}, strings.Split(strings.TrimSpace(b.after), "\n"), h.read("var/log/mongod.log"))
	assert.Equal(t, "stepdown -timeout 30s\nnetwork\n", h.read("var/log/stops"), "at the host's shutdown")

	b = h.systemd("true", wait+"started 5\nuntil systemctl is-active --quiet cinema-db-agent.service; do sleep 0.1; done\nsystemctl is-active mongod.service cinema-db-agent.service\nsystemctl start cinema-db-init.service && echo initialized\n")
	assert.Equal(t, "active\nactive\ninitialized\n", b.after, "after a reboot")
}

// TestSystemdDatabaseNewMember: until a new member has joined the replica set, its host stays in the last phase with the
// reason that init has written to the journal, and the agent runs.
func TestSystemdDatabaseNewMember(t *testing.T) {
	h, p := databaseUnderSystemd(t)
	h.journal = true
	h.write(notJoined, "")
	s, err := Database(p)
	require.NoError(t, err)
	b := h.userDataUnderSystemd(s, "systemctl is-active mongod.service cinema-db-agent.service\nrm "+notJoined+"\nsystemctl start cinema-setup.service && echo ready\n")
	assert.Equal(t, 1, b.status, b.console)
	assert.Equal(t, "active\nactive\nready\n", b.after)
	const reason = "cinema-db-init.service fails: dbhost: this member does not belong to the replica set yet"
	status := contract.Status{
		Role: contract.DatabaseRole(zone), Instance: "i-0123456789abcdef0", Phase: contract.PhaseInitializing, Version: "8.0.15", Digest: p.Digest, Error: reason,
	}
	var failed []contract.Status
	for _, s := range h.s3.statuses {
		if s.Error != "" {
			s.Time = ""
			failed = append(failed, s)
		}
	}
	assert.Equal(t, []contract.Status{status}, failed)
	status.Phase, status.Error = contract.PhaseReady, ""
	assert.Equal(t, status, h.s3.lastStatus(t))
}
