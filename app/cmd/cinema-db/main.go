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
	// publishes is true if the command writes the credentials object, for which it needs AWS.
	publishes bool
	// owner is true if the command writes files that belong to mongod's account.
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
		{&s.name, "name", contract.EnvMongoDBHost, "mongo.cinema.internal", "private DNS name of the host"},
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

// host makes a host of the settings, and reports all of their errors at once.
func (s *settings) host(ctx context.Context, c *command, log *slog.Logger) (*dbhost.Host, error) {
	h := dbhost.New(s.volume, s.name, log)
	h.ConfigFile, h.KMSKey = s.config, s.kmsKey
	if c.name == "config" {
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
	problems = append(problems, h.Validate(c.publishes && (ok || s.credentials == "")))
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
