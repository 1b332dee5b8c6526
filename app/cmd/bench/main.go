// Command bench measures the application on this machine, and reports for each figure whether it meets its target.
//
//	go run ./app/cmd/bench [-only api,start,artifacts] [-seconds 2]
//
// The exit status is 1 if a target is missed.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"time"
)

// group is a set of related measurements, each in its own file.
type group struct {
	name    string
	measure func(ctx context.Context, o options) ([]figure, error)
}

// groups are measured in this order.
var groups = []group{
	{"api", measureAPI},
	{"start", measureStart},
	{"artifacts", measureArtifacts},
}

type options struct {
	// round is the duration of one round of requests.
	round time.Duration
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	only := flag.String("only", "", "groups to measure, separated by commas; empty for all")
	seconds := flag.Float64("seconds", 2, "length of one round of requests, in seconds")
	flag.Parse()
	o := options{round: time.Duration(*seconds * float64(time.Second))}
	chosen, err := choose(*only)
	if err != nil {
		return err
	}
	missed := 0
	for _, g := range chosen {
		figures, err := g.measure(ctx, o)
		if err != nil {
			return fmt.Errorf("bench: %s: %w", g.name, err)
		}
		for _, f := range figures {
			fmt.Println(f)
			if !f.met() {
				missed++
			}
		}
	}
	if missed > 0 {
		return fmt.Errorf("bench: %d targets missed", missed)
	}
	return nil
}

func choose(only string) ([]group, error) {
	if only == "" {
		return groups, nil
	}
	var (
		chosen   []group
		problems []error
	)
names:
	for name := range strings.SplitSeq(only, ",") {
		for _, g := range groups {
			if g.name == name {
				chosen = append(chosen, g)
				continue names
			}
		}
		problems = append(problems, fmt.Errorf("bench: -only %q: no such group; use one of %s", name, names()))
	}
	return chosen, errors.Join(problems...)
}

func names() string {
	var all []string
	for _, g := range groups {
		all = append(all, g.name)
	}
	return strings.Join(all, ", ")
}
