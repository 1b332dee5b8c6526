package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"os/user"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"cinema-database/app/contract"
	"cinema-database/app/internal/dbhost"
	"cinema-database/internal/format"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// command is one of the program's commands.
type command struct {
	name string
	// owner is true if the command writes files that belong to mongod's account.
	owner bool
	run   func(context.Context, *dbhost.Host, *settings) error
}

var commands = []command{
	{"prepare", true, func(ctx context.Context, h *dbhost.Host, _ *settings) error { return h.Prepare(ctx) }},
	{"init", false, func(ctx context.Context, h *dbhost.Host, _ *settings) error { return h.Init(ctx) }},
	{"agent", false, func(ctx context.Context, h *dbhost.Host, _ *settings) error { return h.Agent(ctx) }},
	{"stepdown", false, func(ctx context.Context, h *dbhost.Host, _ *settings) error { return h.StepDown(ctx) }},
	{"renew", true, func(ctx context.Context, h *dbhost.Host, _ *settings) error { return h.Renew(ctx) }},
	{"rotate", false, func(ctx context.Context, h *dbhost.Host, s *settings) error { return h.Rotate(ctx, s.sessions) }},
	{"retire", false, func(ctx context.Context, h *dbhost.Host, _ *settings) error { return h.Retire(ctx) }},
	{"recover", false, func(ctx context.Context, h *dbhost.Host, _ *settings) error { return h.Recover(ctx) }},
	{configCommand, false, func(_ context.Context, h *dbhost.Host, s *settings) error {
		_, err := io.WriteString(s.out, h.Config())
		return err
	}},
}

// configCommand is the only command that needs no AWS account and no volume.
const configCommand = "config"

// agentCommand has no end.
const agentCommand = "agent"

type settings struct {
	volume, volumeID, zone, name, owner, config, credentials, kmsKey string

	timeout  time.Duration
	sessions bool
	out      io.Writer
}

func run(ctx context.Context, args []string, getenv func(string) string, out, logs io.Writer) error {
	var names []string
	var chosen *command
	for i, c := range commands {
		names = append(names, c.name)
		if len(args) > 0 && args[0] == c.name {
			chosen = &commands[i]
		}
	}
	usage := "use one of " + strings.Join(names, ", ")
	switch {
	case len(args) == 0:
		return errors.New("cinema-db: no command; " + usage)
	case chosen == nil:
		return fmt.Errorf("cinema-db: command %q: unknown; %s", args[0], usage)
	}
	s := &settings{out: out}
	flags := flag.NewFlagSet(contract.CinemaDB+" "+chosen.name, flag.ContinueOnError)
	flags.SetOutput(logs)
	for _, f := range []struct {
		value                      *string
		name, env, fallback, about string
	}{
		{&s.volume, "volume", contract.EnvMongoDBVolume, "/data", "mount point of the data volume"},
		{&s.volumeID, "volume-id", contract.EnvMongoDBVolumeID, "", "id of the data volume"},
		{&s.zone, "zone", contract.EnvMongoDBZone, "", "availability zone of the host"},
		{&s.name, "name", contract.EnvMongoDBHost, "mongo-a.cinema.internal", "private DNS name of this member"},
		{&s.owner, "owner", "MONGODB_USER", "mongod", "account that mongod runs as"},
		{&s.config, "config", "MONGODB_CONFIG", "/etc/mongod.conf", "mongod.conf that prepare writes"},
		{&s.credentials, "credentials", contract.EnvCredentialsURI, "", "credentials object to write: s3://bucket/key"},
		{&s.kmsKey, "kms-key", contract.EnvCredentialsKMSKey, "", "KMS key that encrypts the credentials object; empty for the bucket's default"},
	} {
		fallback := f.fallback
		if value := getenv(f.env); value != "" {
			fallback = value
		}
		flags.StringVar(f.value, f.name, fallback, f.about+" ($"+f.env+")")
	}
	if chosen.name != agentCommand {
		flags.DurationVar(&s.timeout, "timeout", chosen.patience(), "how long to wait for another cinema-db, for S3 and, with init, for mongod and the primary")
	}
	if chosen.name == "rotate" {
		flags.BoolVar(&s.sessions, "sessions", false, "also change the key of session tokens, which logs everyone out")
	}
	if err := flags.Parse(args[1:]); errors.Is(err, flag.ErrHelp) {
		return nil
	} else if err != nil {
		return fmt.Errorf("cinema-db: %w", err)
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("cinema-db: %q: unknown argument; see -h", flags.Arg(0))
	}
	if s.timeout > 0 {
		var cancel func()
		ctx, cancel = context.WithTimeoutCause(ctx, s.timeout, fmt.Errorf("not done within %s", s.timeout))
		defer cancel()
	}
	host, err := s.host(ctx, chosen, slog.New(slog.NewTextHandler(logs, nil)))
	if err != nil {
		return err
	}
	return chosen.run(ctx, host, s)
}

// host makes a host of the settings, and reports all of their errors at once.
func (s *settings) host(ctx context.Context, c *command, log *slog.Logger) (*dbhost.Host, error) {
	h := dbhost.New(s.volume, s.name, log)
	h.ConfigFile, h.KMSKey, h.VolumeID, h.Zone = s.config, s.kmsKey, s.volumeID, s.zone
	if c.name == configCommand {
		return h, nil
	}
	var problems []error
	bucket, key, ok := format.ObjectURI(s.credentials)
	h.Bucket, h.Key = bucket, key
	if s.credentials != "" && !ok {
		problems = append(problems, fmt.Errorf("cinema-db: credentials %q: not an object's URI; use s3://bucket/key", s.credentials))
	}
	if c.owner {
		owner, err := lookUp(s.owner)
		problems = append(problems, err)
		h.Owner = owner
	}
	problems = append(problems, h.Validate())
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	client, err := newS3(ctx)
	h.S3 = client
	return h, err
}

// patience is the command's time limit where none is given.
func (c *command) patience() time.Duration {
	if c.name == "stepdown" {
		return 30 * time.Second
	}
	return 9 * time.Minute
}

func lookUp(name string) (dbhost.Owner, error) {
	account, err := user.Lookup(name)
	if err != nil {
		return dbhost.Owner{}, fmt.Errorf("cinema-db: owner %q: %w; create the account that mongod runs as", name, err)
	}
	uid, errUID := strconv.Atoi(account.Uid)
	gid, errGID := strconv.Atoi(account.Gid)
	if err := errors.Join(errUID, errGID); err != nil {
		return dbhost.Owner{}, fmt.Errorf("cinema-db: owner %q: %w", name, err)
	}
	return dbhost.Owner{UID: uid, GID: gid}, nil
}

// newS3 reads the region from the environment or the instance metadata.
func newS3(ctx context.Context) (*s3.Client, error) {
	loaded, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, fmt.Errorf("cinema-db: AWS configuration: %w", err)
	}
	if loaded.Region == "" {
		answer, err := imds.NewFromConfig(loaded).GetRegion(ctx, &imds.GetRegionInput{})
		if err != nil {
			return nil, fmt.Errorf("cinema-db: no region in %s or the instance metadata: %w", contract.EnvRegion, err)
		}
		loaded.Region = answer.Region
	}
	return s3.NewFromConfig(loaded), nil
}
