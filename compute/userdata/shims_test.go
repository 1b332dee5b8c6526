package userdata

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"cinema-database/app/contract"
)

// The mount point of the data volume, and its mount unit.
const (
	volumePath  = "/data"
	volumeMount = "data.mount"
)

// TestMain lets the test's own executable act as other programs, selected by its name: commands that a temporary root
// has instead of the image's, and the programs that its units run.
func TestMain(m *testing.M) {
	commands := map[string]func([]string) error{
		"aws": awsCommand, "systemctl": systemctlCommand, "sleep": sleepCommand, "date": dateCommand, "dnf": dnfCommand, "ip": ipCommand,
		"sysctl": record, "systemd-tmpfiles": record,
		"cinema": cinemaProgram, "cinema-db": cinemaDBProgram, "mongod": mongodProgram,
	}
	run, ok := commands[filepath.Base(os.Args[0])]
	if !ok {
		syscall.Umask(0o022) // as on a host
		os.Exit(m.Run())
	}
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		var status exitStatus
		if errors.As(err, &status) {
			os.Exit(int(status))
		}
		os.Exit(1)
	}
}

type exitStatus int

func (s exitStatus) Error() string { return fmt.Sprintf("exit status %d", int(s)) }

// record only appends the command line to /var/log/<command>.
func record(args []string) error {
	return appendLine("/var/log/"+filepath.Base(os.Args[0]), strings.Join(args, " "))
}

func appendLine(path, line string) error {
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = f.WriteString(line + "\n")
	return errors.Join(err, f.Close())
}

// awsCommand is `aws s3api get-object` and `put-object` with the AWS CLI's behavior, as far as the scripts use it: it writes
// the object to the file, its properties to standard output, and an error to standard error, with status 254, or 252 for
// wrong usage.
// https://docs.aws.amazon.com/cli/latest/userguide/cli-usage-returncodes.html
func awsCommand(args []string) error {
	usage := func(text string) error { return fmt.Errorf("aws: %s: %w", text, exitStatus(252)) }
	if len(args) < 2 || args[0] != "s3api" || (args[1] != "get-object" && args[1] != "put-object") {
		return usage(fmt.Sprintf("%q is neither get-object nor put-object", args))
	}
	if os.Getenv("AWS_DEFAULT_REGION") == "" {
		return fmt.Errorf("You must specify a region: %w", exitStatus(253))
	}
	put := args[1] == "put-object"
	flags := flag.NewFlagSet("aws", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	bucket, key := flags.String("bucket", "", ""), flags.String("key", "", "")
	body, contentType := new(string), new(string)
	if put {
		body, contentType = flags.String("body", "", ""), flags.String("content-type", "", "")
	}
	flags.Int("cli-connect-timeout", 60, "")
	flags.Int("cli-read-timeout", 60, "")
	if err := flags.Parse(args[2:]); err != nil || (flags.NArg() == 1) == put || *bucket == "" || *key == "" || (*body != "") != put {
		return usage(fmt.Sprintf("%q (%v)", args, err))
	}
	request, operation := must(http.NewRequest(http.MethodGet, os.Getenv("AWS_ENDPOINT_URL_S3")+"/"+*bucket+"/"+*key, nil)), "GetObject"
	if put {
		data, err := os.ReadFile(*body)
		if err != nil {
			return usage(err.Error())
		}
		request, operation = must(http.NewRequest(http.MethodPut, request.URL.String(), bytes.NewReader(data))), "PutObject"
		request.Header.Set("Content-Type", *contentType)
	}
	resp, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("%w: %w", err, exitStatus(255))
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("\nAn error occurred (%s) when calling the %s operation: %w", resp.Status, operation, exitStatus(254))
	}
	data, err := io.ReadAll(resp.Body)
	if !put {
		err = errors.Join(err, os.WriteFile(flags.Arg(0), data, 0o644))
	}
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(map[string]any{"ContentLength": len(data), "ETag": resp.Header.Get("ETag")})
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// clock is the file with the time of the host, in seconds. Only sleeping advances it.
const clock = "/var/lib/clock"

func now() int {
	data, _ := os.ReadFile(clock)
	seconds, _ := strconv.Atoi(string(data))
	return seconds
}

// dateCommand is `date +%s`.
func dateCommand(args []string) error {
	if !slices.Equal(args, []string{"+%s"}) {
		return fmt.Errorf("date: %q", args)
	}
	fmt.Println(1_700_000_000 + now())
	return nil
}

// sleepCommand records its arguments and returns after a tenth of a second. It runs the commands of
// /var/lib/meanwhile, the events of that time.
func sleepCommand(args []string) error {
	if err := record(args); err != nil {
		return err
	}
	if seconds, err := strconv.Atoi(args[0]); err == nil {
		_ = os.WriteFile(clock, fmt.Append(nil, now()+seconds), 0o644)
	}
	time.Sleep(100 * time.Millisecond)
	if out, err := exec.Command("/bin/sh", "-c", "! [ -e /var/lib/meanwhile ] || . /var/lib/meanwhile").CombinedOutput(); err != nil {
		return fmt.Errorf("meanwhile: %w: %s", err, out)
	}
	return nil
}

// dnfCommand installs units of the two packages, which do nothing. It fails while /var/lib/no-packages exists.
func dnfCommand(args []string) error {
	if err := record(args); err != nil {
		return err
	}
	if _, err := os.Stat("/var/lib/no-packages"); err == nil {
		return errors.New("Error: Failed to download metadata for repo 'amazonlinux'")
	}
	const service = "[Service]\nType=oneshot\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n"
	var problems []error
	for name, text := range map[string]string{
		"amazon-cloudwatch-agent.service": service, "logrotate.service": service,
		"logrotate.timer": "[Timer]\nOnCalendar=daily\n[Install]\nWantedBy=timers.target\n",
	} {
		problems = append(problems, os.WriteFile("/etc/systemd/system/"+name, []byte(text), 0o644))
	}
	return errors.Join(problems...)
}

// ipCommand prints the answer to `ip -4 -o address show scope global` on a host with one interface.
func ipCommand([]string) error {
	fmt.Println(`2: ens5    inet 10.0.8.5/24 metric 512 brd 10.0.8.255 scope global dynamic ens5\       valid_lft 3200sec preferred_lft 3200sec`)
	return nil
}

// cinemaProgram stands for the API: it answers on its port with its environment.
func cinemaProgram(args []string) error {
	if !slices.Equal(args, []string{"serve"}) {
		return fmt.Errorf("cinema: %q", args)
	}
	return http.ListenAndServe("127.0.0.1:"+os.Getenv(contract.EnvPort), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != contract.HealthPath {
			http.NotFound(w, r)
			return
		}
		fmt.Fprintln(w, strings.Join(slices.Sorted(slices.Values(os.Environ())), "\n"))
	}))
}

// unit has the settings of a systemd unit, as far as the services of this package need them.
type unit map[string][]string

func loadUnit(name string) (unit, error) {
	data, err := os.ReadFile("/etc/systemd/system/" + name)
	if err != nil {
		return nil, fmt.Errorf("Unit %s not found: %w", name, exitStatus(5))
	}
	u := unit{}
	for line := range strings.Lines(string(data)) {
		if key, value, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "="); ok && !strings.HasPrefix(key, "#") {
			u[key] = append(u[key], value)
		}
	}
	return u, nil
}

func (u unit) words(key string) []string { return strings.Fields(strings.Join(u[key], " ")) }

func (u unit) command(line string) (*exec.Cmd, error) {
	line, privileged := strings.CutPrefix(strings.TrimPrefix(line, "-"), "+")
	words := strings.Fields(line)
	if name := u["User"]; len(name) == 1 && !privileged {
		words = append([]string{"setpriv", "--reuid", name[0], "--regid", u["Group"][0], "--clear-groups"}, words...)
	}
	cmd := exec.Command(words[0], words[1:]...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	cmd.Env = append([]string{"PATH=/usr/local/bin:/usr/bin"}, u["Environment"]...)
	for _, name := range []string{"AWS_ENDPOINT_URL_S3", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"} {
		cmd.Env = append(cmd.Env, name+"="+os.Getenv(name))
	}
	for _, path := range u["EnvironmentFile"] {
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		for line := range strings.Lines(string(data)) {
			if name, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok {
				cmd.Env = append(cmd.Env, name+"="+strings.Trim(value, `"`))
			}
		}
	}
	return cmd, nil
}

// systemctlCommand records its arguments and applies them to the units in /etc/systemd/system. It starts mounts first,
// then the units that a unit requires and is ordered after, then the unit itself, then the units that are wanted by it.
// `boot` starts the host. `attempts N` starts the setup again while it fails, until it has been started N times.
func systemctlCommand(args []string) error {
	if err := record(args); err != nil {
		return err
	}
	switch verb := args[0]; verb {
	case "daemon-reload":
		return nil
	case "boot":
		wanted, _ := filepath.Glob("/etc/systemd/system/multi-user.target.wants/*.service")
		for _, path := range wanted {
			if err := start(filepath.Base(path)); err != nil {
				fmt.Fprintln(os.Stderr, err)
			}
		}
		return nil
	case "attempts":
		most := must(strconv.Atoi(args[1]))
		for n := 1; ; n++ {
			if _, err := os.Stat(setupFailed); err != nil {
				return nil
			}
			if n == most {
				return errors.New("cinema-setup.service fails")
			}
			if err := exec.Command("sleep", must(loadUnit(setupService)).words("RestartSec")...).Run(); err != nil {
				return err
			}
			_ = start(setupService)
		}
	case "enable":
		for _, name := range args[1:] {
			u, err := loadUnit(name)
			if err != nil {
				return err
			}
			for _, target := range u.words("WantedBy") {
				dir := "/etc/systemd/system/" + target + ".wants"
				if err := os.MkdirAll(dir, 0o755); err != nil {
					return err
				}
				if err := os.Symlink("../"+name, filepath.Join(dir, name)); err != nil && !errors.Is(err, os.ErrExist) {
					return err
				}
			}
		}
		return nil
	case "start", "restart", "try-restart":
		for _, name := range args[1:] {
			if verb != "start" {
				if err := stop(name); err != nil {
					return err
				}
			}
			if err := start(name); err != nil {
				return err
			}
		}
		return nil
	default:
		return fmt.Errorf("Unknown command verb %s", verb)
	}
}

const (
	setupService = "cinema-setup.service"
	// setupFailed exists while the last attempt of the setup has failed.
	setupFailed = "/run/failed-" + setupService
)

func pidFile(name string) string { return "/run/pid-" + name }

func stop(name string) error {
	data, err := os.ReadFile(pidFile(name))
	if err != nil {
		return nil
	}
	var pid int
	if _, err := fmt.Sscan(string(data), &pid); err != nil {
		return err
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
		return err
	}
	return os.Remove(pidFile(name))
}

func start(name string) error {
	if name == volumeMount {
		if exec.Command("mountpoint", "-q", volumePath).Run() == nil {
			return nil
		}
		// The links that udev creates.
		if err := os.MkdirAll("/dev/disk/by-uuid", 0o755); err != nil {
			return err
		}
		devices, _ := filepath.Glob("/dev/loop*")
		for _, device := range devices {
			uuid, err := exec.Command("blkid", "-p", "-o", "value", "-s", "UUID", device).Output()
			if err == nil {
				_ = os.Symlink(device, "/dev/disk/by-uuid/"+strings.TrimSpace(string(uuid)))
			}
		}
		if out, err := exec.Command("mount", volumePath).CombinedOutput(); err != nil {
			return fmt.Errorf(volumeMount+": %w: %s", err, out)
		}
		startWanted(name)
		return nil
	}
	u, err := loadUnit(name)
	if err != nil {
		return err
	}
	for _, path := range u.words("ConditionPathExists") {
		if _, err := os.Stat(strings.TrimPrefix(path, "!")); err == nil {
			return nil
		}
	}
	if strings.HasSuffix(name, ".timer") {
		return appendLine("/var/log/started", name)
	}
	if slices.Contains(u.words("RequiresMountsFor"), volumePath) {
		if err := start(volumeMount); err != nil {
			return err
		}
	}
	// The mount may have started it.
	if _, err := os.Stat(pidFile(name)); err == nil {
		return nil
	}
	after := u.words("After")
	for _, other := range append(u.words("Requires"), u.words("BindsTo")...) {
		if slices.Contains(after, other) {
			if err := start(other); err != nil {
				return fmt.Errorf("A dependency job for %s failed: %w", name, err)
			}
		}
	}
	oneshot := slices.Equal(u.words("Type"), []string{"oneshot"})
	before := len(u["ExecStartPre"])
	for i, line := range slices.Concat(u["ExecStartPre"], u["ExecStart"]) {
		cmd, err := u.command(line)
		if err != nil {
			return err
		}
		output := "/var/log/" + name + ".log"
		if slices.Contains(u.words("StandardOutput"), "journal+console") {
			output = "/var/log/console"
		}
		log, err := os.OpenFile(output, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
		if err != nil {
			return err
		}
		cmd.Stdout, cmd.Stderr = log, log
		if err := appendLine("/var/log/started", line); err != nil {
			return err
		}
		if oneshot || i < before {
			err := cmd.Run()
			if name == setupService {
				_ = os.Remove(setupFailed)
				if err != nil {
					_ = os.WriteFile(setupFailed, nil, 0o644)
				}
			}
			if err != nil && !strings.HasPrefix(line, "-") {
				return fmt.Errorf("Job for %s failed: %w", name, err)
			}
			continue
		}
		if err := cmd.Start(); err != nil {
			return fmt.Errorf("Job for %s failed: %w", name, err)
		}
		if err := os.WriteFile(pidFile(name), fmt.Appendln(nil, cmd.Process.Pid), 0o644); err != nil {
			return err
		}
	}
	startWanted(name)
	return nil
}

// startWanted starts the units that are wanted by a unit. They may fail.
func startWanted(name string) {
	wanted, _ := filepath.Glob("/etc/systemd/system/" + name + ".wants/*")
	for _, path := range wanted {
		if err := start(filepath.Base(path)); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
	}
}

// notJoined exists while a new member has not joined the replica set.
const notJoined = "/var/lib/not-joined"

// cinemaDBProgram is the real `cinema-db`, except for the commands that need a real mongod: those only record that they
// ran, and the settings that they need.
func cinemaDBProgram(args []string) error {
	line := strings.Join(args, " ")
	log := func(line string) error { return appendLine(volumePath+"/state/"+args[0], line) }
	switch {
	case line == "agent":
		if err := log(strings.Join([]string{line, os.Getenv(contract.EnvMongoDBZone), os.Getenv(contract.EnvMongoDBVolumeID)}, " ")); err != nil {
			return err
		}
		fmt.Println("the agent goes on to write to the journal")
		select {}
	case line == "renew -timeout 1m":
		return log(line)
	case line == "stepdown -timeout 30s":
		// It runs as root, like the real program, which reads the administrator's password.
		if _, err := os.ReadFile(volumePath + "/state/state.json"); err != nil {
			return err
		}
		program := "no mongod"
		if pid := os.Getenv("MAINPID"); pid != "" {
			must(os.Stat("/proc/" + pid))
			program = "mongod"
		}
		return errors.Join(log(line+" "+program), appendLine("/var/log/stops", line), errors.New("its failure does not keep mongod from stopping"))
	case line != "init -timeout 2m":
		const program = "/usr/local/bin/cinema-db-program"
		return syscall.Exec(program, append([]string{program}, args...), os.Environ())
	}
	if _, err := os.Stat(notJoined); err == nil {
		fmt.Println("waiting for the primary")
		return errors.New("dbhost: this member does not belong to the replica set yet")
	}
	// Like the real program, it waits for the server. In its sandbox it cannot look into mongod's folder, as it has no capability.
	for range 6000 {
		if _, err := os.Stat(volumePath + "/db/mongod.lock"); err == nil || errors.Is(err, os.ErrPermission) {
			return log(strings.Join([]string{
				"init", os.Getenv(contract.EnvRegion), os.Getenv(contract.EnvCredentialsURI),
				os.Getenv(contract.EnvMongoDBHost), os.Getenv(contract.EnvCredentialsKMSKey),
			}, " "))
		}
		time.Sleep(10 * time.Millisecond)
	}
	return errors.New("cinema-db: no mongod")
}

// mongodProgram stands for the server: it writes a file in its data folder, as its own user.
func mongodProgram(args []string) error {
	if slices.Equal(args, []string{"--version"}) {
		fmt.Println("db version v8.0.0")
		return nil
	}
	const config = "/etc/mongod.conf"
	if !slices.Equal(args, []string{"--config", config}) {
		return fmt.Errorf("mongod: %q", args)
	}
	// mongod reads these at its start, with its own permissions.
	for _, path := range []string{config, volumePath + "/run/ca.pem", volumePath + "/run/server.pem", volumePath + "/run/keyfile"} {
		if _, err := os.ReadFile(path); err != nil {
			return err
		}
	}
	if _, err := os.ReadFile(volumePath + "/state/state.json"); !errors.Is(err, os.ErrPermission) {
		return fmt.Errorf("mongod can read the state: %v", err)
	}
	if err := appendLine(volumePath+"/db/starts", fmt.Sprintf("uid %d %s", os.Getuid(), os.Getenv("GLIBC_TUNABLES"))); err != nil {
		return err
	}
	if err := os.WriteFile(volumePath+"/db/mongod.lock", nil, 0o600); err != nil {
		return err
	}
	select {}
}
