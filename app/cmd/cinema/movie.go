package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"os"

	"cinema-database/app/internal/store"
)

func movieCommands() []command {
	const file = "FILE is JSON: one movie or an array of movies, as `cinema movie show` prints them; - is standard input. Nothing is\n" +
		"written if there is any problem. The API shows the change within seconds.\n"
	return []command{
		{name: "movie list", summary: "list the movies, by title",
			define: func(fs *flag.FlagSet) func(context.Context, *process, []string) error {
				asJSON := fs.Bool("json", false, "print a JSON array, as for add and edit")
				return func(ctx context.Context, p *process, _ []string) error { return listMovies(ctx, p, *asJSON) }
			}},
		{name: "movie show", summary: "print a movie as JSON", args: "TITLE", min: 1, max: 1, define: plain(showMovie)},
		{name: "movie add", summary: "add movies", args: "FILE", min: 1, max: 1, about: file,
			define: plain(func(ctx context.Context, p *process, args []string) error { return writeMovies(ctx, p, args[0], false) })},
		{name: "movie edit", summary: "replace movies that exist", args: "FILE", min: 1, max: 1,
			about: file + "The title says which movie it is. To change a title, remove the movie and add it: it then leaves the members' favorites.\n",
			define: plain(func(ctx context.Context, p *process, args []string) error {
				return writeMovies(ctx, p, args[0], true)
			})},
		{name: "movie remove", summary: "remove a movie", args: "TITLE", min: 1, max: 1,
			about: "The movie also leaves the members' favorites.\n", define: plain(removeMovie)},
	}
}

// allMovies returns the movies, sorted by title.
func allMovies(c *store.Catalogue) []store.Movie {
	movies, _ := c.Search(store.MovieFilter{}, nil, math.MaxInt)
	return movies
}

func listMovies(ctx context.Context, p *process, asJSON bool) error {
	return p.withStore(ctx, func(db *store.Store) error {
		c, err := db.Catalogue(ctx)
		if err != nil {
			return err
		}
		if asJSON {
			movies := []movieJSON{}
			for _, m := range allMovies(c) {
				movies = append(movies, toJSON(m))
			}
			return printJSON(p.out, movies)
		}
		for _, m := range allMovies(c) {
			fmt.Fprintf(p.out, "%d  %s\n", m.Year, printable(m.Title))
		}
		return nil
	})
}

func showMovie(ctx context.Context, p *process, args []string) error {
	return p.withStore(ctx, func(db *store.Store) error {
		c, err := db.Catalogue(ctx)
		if err != nil {
			return err
		}
		m, found := c.ByTitle(args[0])
		if !found {
			return notFound(store.ErrNotFound, "movie", args[0])
		}
		return printJSON(p.out, toJSON(m))
	})
}

func removeMovie(ctx context.Context, p *process, args []string) error {
	return p.withStore(ctx, func(db *store.Store) error {
		if err := db.RemoveMovie(ctx, args[0]); err != nil {
			return notFound(err, "movie", args[0])
		}
		fmt.Fprintf(p.out, "removed %s\n", printable(args[0]))
		return nil
	})
}

// writeMovies writes the movies of a file, all of which must exist already, or none.
func writeMovies(ctx context.Context, p *process, file string, exist bool) error {
	data, err := readInput(p, file)
	if err != nil {
		return err
	}
	movies, problems := parseMovies(data)
	if len(problems) > 0 {
		return errors.Join(problems...)
	}
	return p.withStore(ctx, func(db *store.Store) error {
		c, err := db.Catalogue(ctx)
		if err != nil {
			return err
		}
		for _, m := range movies {
			switch _, found := c.ByTitle(m.Title); {
			case found && !exist:
				problems = append(problems, fmt.Errorf("movie %q: exists; use cinema movie edit", m.Title))
			case !found && exist:
				problems = append(problems, fmt.Errorf("movie %q: not found; use cinema movie add", m.Title))
			}
		}
		if len(problems) > 0 {
			return errors.Join(problems...)
		}
		written, err := db.WriteMovies(ctx, movies)
		if err != nil {
			return err
		}
		fmt.Fprintf(p.out, "%s, %d written\n", count(len(movies), "movie"), written)
		return nil
	})
}

// readInput reads a file, or standard input for -.
func readInput(p *process, file string) ([]byte, error) {
	if file == "-" {
		return io.ReadAll(p.in)
	}
	return os.ReadFile(file)
}

func printJSON(out io.Writer, v any) error {
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return err
	}
	_, err := out.Write(text.Bytes())
	return err
}

// count returns a number with its noun: 1 movie, 2 movies.
func count(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return fmt.Sprintf("%d %s", n, noun)
}
