package userdata

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cinema-database/app/contract"
)

const brokenPackage = contract.PackagesPrefix + "broken.tgz"

// mongodStart is the line that mongodProgram adds at each start: its user and environment.
var mongodStart = fmt.Sprintf("uid %d glibc.pthread.rseq=0\n", mongodUID)

// wrapper is a program that runs the test's executable under another name.
func wrapper(name string) string {
	return "#!/bin/bash\nexec -a " + name + " /usr/local/bin/aws \"$@\"\n"
}

// mongoPackage returns a server package with MongoDB's layout.
func mongoPackage(t *testing.T, mongod string) string {
	t.Helper()
	var out bytes.Buffer
	zip := gzip.NewWriter(&out)
	archive := tar.NewWriter(zip)
	require.NoError(t, archive.WriteHeader(&tar.Header{
		Name: "mongodb-linux-aarch64-amazon2023-8.0.15/bin/mongod", Mode: 0o755, Size: int64(len(mongod)), Uid: 500, Gid: 500,
	}))
	_, err := archive.Write([]byte(mongod))
	require.NoError(t, err)
	require.NoError(t, archive.Close())
	require.NoError(t, zip.Close())
	return out.String()
}

// volume is an EBS volume: a loop device on a sparse file.
type volume struct{ device, file string }

func (v volume) grow(t *testing.T, mib int64) {
	t.Helper()
	require.NoError(t, os.Truncate(v.file, mib<<20))
	out, err := exec.Command("losetup", "--set-capacity", v.device).CombinedOutput()
	require.NoError(t, err, "%s", out)
}

func newVolume(t *testing.T, mib int64) volume {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root, for loop devices")
	}
	file := filepath.Join(t.TempDir(), "volume")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	require.NoError(t, os.Truncate(file, mib<<20))
	out, err := exec.Command("losetup", "--find", "--show", file).CombinedOutput()
	if err != nil {
		t.Skipf("needs loop devices: %v %s", err, out)
	}
	v := volume{device: strings.TrimSpace(string(out)), file: file}
	t.Cleanup(func() {
		out, err := exec.Command("losetup", "--detach", v.device).CombinedOutput()
		assert.NoError(t, err, "%s", out)
	})
	return v
}

// digest is the SHA-256 of the whole volume.
func (v volume) digest(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile(v.device)
	require.NoError(t, err)
	return sum(string(data))
}

func needXFS(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("mkfs.xfs"); err != nil {
		t.Skip("mkfs.xfs is not installed (Debian package xfsprogs)")
	}
	_ = exec.Command("modprobe", "xfs").Run()
	if data, err := os.ReadFile("/proc/filesystems"); err != nil || !strings.Contains(string(data), "xfs") {
		t.Skip("this machine's kernel has no XFS")
	}
}

// cinemaDBProgramFile builds `cinema-db` for this machine, as the program that cinemaDBProgram calls.
func cinemaDBProgramFile(t *testing.T) map[string][]byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "cinema-db")
	cmd := exec.Command("go", "build", "-buildvcs=false", "-o", path, "cinema-database/app/cmd/cinema-db")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	return map[string][]byte{"cinema-db-program": data}
}

// database returns a host with a volume, and a bucket with the files that the script fetches.
func database(t *testing.T, v volume) (*host, DatabaseParams) {
	t.Helper()
	p := databaseParams()
	mongo, binary := mongoPackage(t, wrapper("mongod")), wrapper("cinema-db")
	p.PackageDigest, p.Digest = sum(mongo), sum(binary)
	s3 := newBucket(t, p.Artifacts, map[string]string{
		p.PackageKey: mongo,
		contract.ExecutableKey(contract.CinemaDB, p.Digest): binary,
		contract.ExecutableKey(contract.CinemaDB, digestA):  binary,
		brokenPackage: mongoPackage(t, "#!/bin/bash\nexit 127\n"),
	})
	h := newHost(t, s3)
	h.device, h.volume = v.device, p.Volume
	return h, p
}

func (h *host) database(p DatabaseParams) boot {
	h.t.Helper()
	if h.commands == nil {
		h.commands = cinemaDBProgramFile(h.t)
	}
	return h.databaseScript(p)
}

func (h *host) databaseScript(p DatabaseParams) boot {
	h.t.Helper()
	s, err := Database(p)
	require.NoError(h.t, err)
	return h.userData(s, "cd /data && sha256sum state/state.json; cat state/init state/agent db/starts; "+
		"stat -c '%U %a' db; blockdev --getra "+h.device+"; grep ' /data ' /proc/mounts; ls /run")
}

func TestBootDatabase(t *testing.T) {
	needXFS(t)
	v := newVolume(t, 320) // mkfs.xfs needs at least 300 MiB
	h, p := database(t, v)
	h.s3.refuse, h.attempts = 2, 3
	b := h.database(p)
	require.Zero(t, b.status, b.console)
	ready := contract.Status{Role: contract.DatabaseRole(zone), Instance: "i-0123456789abcdef0", Phase: contract.PhaseReady, Version: "8.0.15", Digest: p.Digest}
	assert.Equal(t, ready, h.s3.lastStatus(t))
	assert.Contains(t, h.s3.errors(), "s3://cinema-artifacts-1a2b3c4/"+p.PackageKey+" cannot be fetched: An error occurred (503 Service Unavailable)"+
		" when calling the GetObject operation: exit status 254")

	secret, rest, ok := strings.Cut(b.after, "\n")
	require.True(t, ok, b.after)
	require.Regexp(t, `^[0-9a-f]{64}  state/state.json$`, secret)
	assert.True(t, strings.HasPrefix(rest, "init us-east-1 "+p.Credentials+" mongo-b.cinema.internal "+p.Key+"\n"), rest)
	assert.Contains(t, b.console, "vol-0123456789abcdef0 was blank; it is formatted\n")
	assert.Contains(t, b.console, "cinema: the database is ready as mongo-b.cinema.internal\n")
	assert.Contains(t, rest, "\nagent us-east-1b vol-0123456789abcdef0\n", "the agent and its settings")
	assert.Contains(t, rest, mongodStart, "mongod's user and environment")
	assert.Contains(t, rest, "mongod 700\n", "the data folder")
	assert.Contains(t, rest, "\n32\n", "read-ahead, in sectors")
	assert.Regexp(t, v.device+` /data xfs rw,nosuid,nodev,noexec,noatime,`, rest)
	assert.Contains(t, rest, "pid-mongod.service")
	assert.Contains(t, rest, "pid-cinema-db-agent.service")
	assert.Equal(t, []string{
		"/bin/bash /var/lib/cinema/setup", "/bin/bash /var/lib/cinema/setup", "/bin/bash /var/lib/cinema/setup",
		"/opt/cinema/bin/cinema-db agent",
		"cinema-db-renew.timer",
		"+/opt/cinema/bin/cinema-db prepare -timeout 2m",
		"/opt/mongodb/bin/mongod --config /etc/mongod.conf",
		"/opt/cinema/bin/cinema-db init -timeout 2m",
		"/opt/cinema/bin/cinema-db init -timeout 2m",
	}, strings.Split(strings.TrimSpace(h.read("var/log/started")), "\n"), "commands in the order of their start")
	assert.Equal(t, "127.0.0.1 localhost\n10.0.8.5 mongo-b.cinema.internal\n", h.read("etc/hosts"))
	assert.Equal(t, "--quiet --load=/etc/sysctl.d/90-mongod.conf\n", h.read("var/log/sysctl"))
	assert.Equal(t, "--create /etc/tmpfiles.d/mongod.conf\n", h.read("var/log/systemd-tmpfiles"))
	assert.Equal(t, read("units/sysctl.conf"), h.read("etc/sysctl.d/90-mongod.conf"))
	fstab := h.read("etc/fstab")
	assert.Regexp(t, `^UUID=aaaa / xfs defaults,noatime 1 1\nUUID=[0-9a-f-]{36} /data xfs noatime,\S*nofail,x-systemd.device-timeout=\S+ 0 0\n$`, fstab)
	assert.NotContains(t, fstab, "growfs", "a login would wait for the volume")

	t.Run("a reboot needs no user data", func(t *testing.T) {
		h.t = t
		gets, statuses := len(h.s3.gets), len(h.s3.statuses)
		b := h.reboot("cd /data && sha256sum state/state.json; ls /run")
		require.Zero(t, b.status, b.console)
		assert.Contains(t, b.after, secret)
		assert.Contains(t, b.after, "pid-mongod.service")
		assert.Contains(t, b.after, "pid-cinema-db-agent.service")
		assert.Len(t, h.s3.gets, gets)
		assert.Greater(t, len(h.s3.statuses), statuses, "the status is published again")
		assert.Equal(t, ready, h.s3.lastStatus(t))
	})
	t.Run("a reboot without the volume waits for it", func(t *testing.T) {
		h.t = t
		h.volume, h.attempts = "vol-00000000000000000", 4
		defer func() { h.volume, h.attempts = p.Volume, 1 }()
		h.write("var/lib/meanwhile", `[ "$(wc -l </var/log/sleep)" -lt 3 ] ||
ln -sf `+v.device+` /dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_vol0123456789abcdef0
`)
		b := h.reboot("ls /run")
		require.Zero(t, b.status, b.console)
		assert.Contains(t, b.after, "pid-mongod.service")
		assert.Equal(t, ready, h.s3.lastStatus(t))
	})
	t.Run("a reboot grows the file system with its volume", func(t *testing.T) {
		h.t = t
		v.grow(t, 400)
		b := h.reboot("df --output=size --block-size=1M /data | tail -n 1")
		require.Zero(t, b.status, b.console)
		size, err := strconv.Atoi(strings.TrimSpace(b.after))
		require.NoError(t, err, b.after)
		assert.Greater(t, size, 320, "MiB")
	})
	t.Run("a second run changes nothing", func(t *testing.T) {
		h.t = t
		hosts := h.read("etc/hosts")
		b := h.database(p)
		require.Zero(t, b.status, b.console)
		assert.Contains(t, b.console, "vol-0123456789abcdef0 holds a file system; its data is kept\n")
		assert.True(t, strings.HasPrefix(b.after, secret+"\ninit "), b.after)
		assert.Equal(t, fstab, h.read("etc/fstab"))
		assert.Equal(t, hosts, h.read("etc/hosts"))
	})
	t.Run("a replaced host keeps the volume's data", func(t *testing.T) {
		replaced := newHost(t, h.s3)
		replaced.device, replaced.volume, replaced.commands = h.device, h.volume, h.commands
		b := replaced.database(p)
		require.Zero(t, b.status, b.console)
		assert.Contains(t, b.console, "its data is kept")
		assert.True(t, strings.HasPrefix(b.after, secret+"\ninit "), b.after)
		assert.Contains(t, b.after, "mongod 700\n")
		assert.Equal(t, fstab, replaced.read("etc/fstab"), "the same file system")
	})
	t.Run("a broken server does not replace the installed one", func(t *testing.T) {
		h.t = t
		before, err := os.Readlink(h.path("opt/mongodb"))
		require.NoError(t, err)
		broken := p
		broken.PackageKey, broken.PackageDigest = brokenPackage, sum(mongoPackage(t, "#!/bin/bash\nexit 127\n"))
		b := h.database(broken)
		assert.Equal(t, 1, b.status)
		assert.Contains(t, b.console, "cinema: not up yet: mongod of "+brokenPackage+" does not run on this image: ")
		assert.True(t, h.s3.lastStatus(t).Fatal)
		after, err := os.Readlink(h.path("opt/mongodb"))
		require.NoError(t, err)
		assert.Equal(t, before, after)
		assert.Equal(t, wrapper("mongod"), h.read(after+"/bin/mongod"))
	})
}

// TestBootDatabaseLateVolume: the volume is attached while the host waits for it.
func TestBootDatabaseLateVolume(t *testing.T) {
	needXFS(t)
	v := newVolume(t, 320)
	h, p := database(t, v)
	h.volume = "vol-00000000000000000" // until the third wait
	h.write("var/lib/meanwhile", `[ "$(wc -l </var/log/sleep)" -lt 3 ] ||
ln -sf `+v.device+` /dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_vol0123456789abcdef0
`)
	h.attempts = 4
	b := h.database(p)
	require.Zero(t, b.status, b.console)
	assert.Equal(t, "10\n10\n10\n", h.read("var/log/sleep"), "seconds between checks for the volume")
	assert.Contains(t, b.after, "pid-mongod.service")
	assert.Equal(t, 1, strings.Count(b.console, "cinema: not up yet: vol-0123456789abcdef0 is not attached\n"), b.console)
	assert.Equal(t, []string{"vol-0123456789abcdef0 is not attached"}, h.s3.errors())
}

// TestBootDatabaseUnpublished: a host that cannot publish its status comes up all the same.
func TestBootDatabaseUnpublished(t *testing.T) {
	needXFS(t)
	h, p := database(t, newVolume(t, 320))
	h.s3.refuseWrites = true
	b := h.database(p)
	require.Zero(t, b.status, b.console)
	assert.Contains(t, b.after, "pid-mongod.service")
	assert.Empty(t, h.s3.statuses)
}

func TestBootDatabaseStops(t *testing.T) {
	format := func(command ...string) func(*testing.T, volume) {
		return func(t *testing.T, v volume) {
			t.Helper()
			if _, err := exec.LookPath(command[0]); err != nil {
				t.Skipf("%s is not installed", command[0])
			}
			out, err := exec.Command(command[0], append(command[1:], v.device)...).CombinedOutput()
			require.NoError(t, err, "%s", out)
		}
	}
	nothing := func(*testing.T, volume) {}
	for name, c := range map[string]struct {
		prepare func(*testing.T, volume)
		change  func(*DatabaseParams, *host)
		console string
		phase   string
		fatal   bool
	}{
		"another file system": {format("mkfs.ext4", "-q"), nil, "holds ext4 rather than xfs; it is not formatted", contract.PhaseVolume, true},
		"a swap area":         {format("mkswap"), nil, "holds swap rather than xfs; it is not formatted", contract.PhaseVolume, true},
		"data without a file system": {func(t *testing.T, v volume) {
			require.NoError(t, os.WriteFile(v.device, []byte(strings.Repeat("\x00", 4096)+"data"), 0))
		}, nil, "holds data but no file system; it is not formatted", contract.PhaseVolume, true},
		"a wrong package digest": {nothing, func(p *DatabaseParams, _ *host) { p.PackageDigest = digestB },
			"not " + digestB + "; it is not installed", contract.PhaseFetching, true},
		"a wrong binary digest": {nothing, func(p *DatabaseParams, _ *host) { p.Digest = digestA },
			"not " + digestA + "; it is not installed", contract.PhaseFetching, true},
		"a missing package": {nothing, func(p *DatabaseParams, _ *host) { p.PackageKey = contract.PackagesPrefix + "missing.tgz" },
			"s3://cinema-artifacts-1a2b3c4/" + contract.PackagesPrefix + "missing.tgz cannot be fetched", contract.PhaseFetching, false},
		"a volume that never appears": {nothing, func(_ *DatabaseParams, h *host) { h.volume = "vol-00000000000000000" },
			"vol-0123456789abcdef0 is not attached", contract.PhaseVolume, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := newVolume(t, 16)
			c.prepare(t, v)
			h, p := database(t, v)
			if c.change != nil {
				c.change(&p, h)
			}
			before := v.digest(t)
			h.attempts = 2
			// The real one may be missing on this machine, and none of these cases may come as far as formatting.
			h.commands = map[string][]byte{"mkfs.xfs": []byte("#!/bin/sh\necho formatted >>/var/log/mkfs\nexit 1\n")}
			b := h.databaseScript(p)
			assert.Equal(t, 1, b.status)
			assert.Empty(t, h.read("var/log/mkfs"), "the volume was to be formatted")
			assert.Regexp(t, `cinema: not up yet: .*`+c.console, b.console)
			status := h.s3.lastStatus(t)
			assert.Contains(t, status.Error, c.console)
			assert.Equal(t, []any{c.phase, c.fatal}, []any{status.Phase, status.Fatal})
			assert.Len(t, h.s3.errors(), 1, "the second attempt has nothing else to publish")
			assert.Equal(t, before, v.digest(t), "the volume changed")
			assert.Equal(t, handOver(2), h.read("var/log/systemctl"), "systemctl was called")
			for _, path := range []string{"opt/mongodb", "opt/cinema", "etc/systemd/system/mongod.service", "data"} {
				assert.False(t, h.exists(path), path)
			}
		})
	}
}
