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

	"cinema-database/app/internal/dbhost"
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
	// publishes tells that the command writes the credentials object, and so needs AWS.
	publishes bool
	// owner tells that the command writes files for mongod's account.
	owner bool
	run   func(context.Context, *dbhost.Host, *settings) error
}

var commands = []command{
	{"prepare", false, true, func(ctx context.Context, h *dbhost.Host, _ *settings) error { return h.Prepare(ctx) }},
	{"init", true, false, func(ctx context.Context, h *dbhost.Host, _ *settings) error { return h.Init(ctx) }},
	{"renew", false, true, func(ctx context.Context, h *dbhost.Host, _ *settings) error { return h.Renew(ctx) }},
	{"rotate", true, false, func(ctx context.Context, h *dbhost.Host, s *settings) error { return h.Rotate(ctx, s.sessions) }},
	{"retire", false, false, func(ctx context.Context, h *dbhost.Host, _ *settings) error { return h.Retire(ctx) }},
	{"config", false, false, func(_ context.Context, h *dbhost.Host, s *settings) error {
		_, err := io.WriteString(s.out, h.Config())
		return err
	}},
}

type settings struct {
	volume, name, owner, config, credentials, kmsKey string

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
	usage := "give one of " + strings.Join(names, ", ")
	switch {
	case len(args) == 0:
		return errors.New("cinema-db: no command; " + usage)
	case chosen == nil:
		return fmt.Errorf("cinema-db: command %q: unknown; %s", args[0], usage)
	}
	s := &settings{out: out}
	flags := flag.NewFlagSet("cinema-db "+chosen.name, flag.ContinueOnError)
	flags.SetOutput(logs)
	for _, f := range []struct {
		value                      *string
		name, env, fallback, about string
	}{
		{&s.volume, "volume", "MONGODB_VOLUME", "/data", "mount point of the data volume"},
		{&s.name, "name", "MONGODB_HOST", "mongo.cinema.internal", "the host's private DNS name"},
		{&s.owner, "owner", "MONGODB_USER", "mongod", "account that mongod runs as"},
		{&s.config, "config", "MONGODB_CONFIG", "/etc/mongod.conf", "mongod.conf that prepare writes"},
		{&s.credentials, "credentials", "CREDENTIALS_URI", "", "where the credentials object goes, s3://bucket/key"},
		{&s.kmsKey, "kms-key", "CREDENTIALS_KMS_KEY", "", "key that S3 encrypts the credentials object with; the bucket's default if empty"},
	} {
		fallback := f.fallback
		if value := getenv(f.env); value != "" {
			fallback = value
		}
		flags.StringVar(f.value, f.name, fallback, f.about+" ($"+f.env+")")
	}
	flags.DurationVar(&s.timeout, "timeout", 9*time.Minute, "how long to wait for another cinema-db, for S3 and, with init, for mongod")
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
	ctx, cancel := context.WithTimeoutCause(ctx, s.timeout, fmt.Errorf("not done within %s", s.timeout))
	defer cancel()
	host, err := s.host(ctx, chosen, slog.New(slog.NewTextHandler(logs, nil)))
	if err != nil {
		return err
	}
	return chosen.run(ctx, host, s)
}

// host turns the settings into a host; problems with them are reported all at once.
func (s *settings) host(ctx context.Context, c *command, log *slog.Logger) (*dbhost.Host, error) {
	h := dbhost.New(s.volume, s.name, log)
	h.ConfigFile, h.KMSKey = s.config, s.kmsKey
	rest, _ := strings.CutPrefix(s.credentials, "s3://")
	h.Bucket, h.Key, _ = strings.Cut(rest, "/")
	if c.name == "config" {
		return h, nil
	}
	var problems []error
	if s.credentials != "" && !strings.HasPrefix(s.credentials, "s3://") {
		problems = append(problems, fmt.Errorf("cinema-db: credentials %q: not an S3 address; write it s3://bucket/key", s.credentials))
	}
	if c.owner {
		owner, err := lookUp(s.owner)
		problems = append(problems, err)
		h.Owner = owner
	}
	problems = append(problems, h.Validate(c.publishes))
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	if c.publishes {
		client, err := newS3(ctx)
		if err != nil {
			return nil, err
		}
		h.S3 = client
	}
	return h, nil
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

// newS3 takes the region from the environment, or from the instance's metadata.
func newS3(ctx context.Context) (*s3.Client, error) {
	loaded, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, fmt.Errorf("cinema-db: AWS configuration: %w", err)
	}
	if loaded.Region == "" {
		answer, err := imds.NewFromConfig(loaded).GetRegion(ctx, &imds.GetRegionInput{})
		if err != nil {
			return nil, fmt.Errorf("cinema-db: no region in AWS_REGION, and none in the instance's metadata: %w", err)
		}
		loaded.Region = answer.Region
	}
	return s3.NewFromConfig(loaded), nil
}
