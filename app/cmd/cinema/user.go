package main

import (
	"context"
	"flag"
	"fmt"

	"cinema-database/app/internal/passwords"
	"cinema-database/app/internal/store"
)

func userCommands() []command {
	const sessions = "It ends all sessions of the account.\n"
	return []command{
		{name: "user show", summary: "print an account as JSON", args: "NAME", min: 1, max: 1, define: plain(showUser)},
		{name: "user reset-password", summary: "give an account a new password, and print it", args: "NAME", min: 1, max: 1,
			about: sessions + "The password is printed once, and nowhere stored as it is. Send it to the member, who should change it.\n", define: plain(resetPassword)},
		{name: "user block", summary: "refuse log-ins to an account", args: "NAME", min: 1, max: 1,
			about: sessions + "The member's images stay; to remove them, use `cinema image list -owner NAME` and `cinema image remove`.\n", define: blockUser(true)},
		{name: "user unblock", summary: "allow log-ins to an account again", args: "NAME", min: 1, max: 1, define: blockUser(false)},
	}
}

func showUser(ctx context.Context, p *process, args []string) error {
	return p.withStore(ctx, func(db *store.Store) error {
		u, err := db.UserByName(ctx, store.Username(args[0]))
		if err != nil {
			return notFound(err, "user", args[0])
		}
		images, bytes, err := db.ImagesUse(ctx, u.ID)
		if err != nil {
			return err
		}
		return printJSON(p.out, struct {
			Username, Email, Birthday string
			Blocked                   bool
			Favorites, Images         int
			ImageBytes                int64
		}{u.Username, u.Email, u.Birthday, u.Blocked, len(u.FavoriteMovies), images, bytes})
	})
}

func resetPassword(ctx context.Context, p *process, args []string) error {
	hasher, err := passwords.New(passwords.DefaultCost)
	if err != nil {
		return err
	}
	password := passwords.Generate()
	hash, err := hasher.Hash(ctx, password)
	if err != nil {
		return err
	}
	return p.withStore(ctx, func(db *store.Store) error {
		if err := db.ResetPassword(ctx, store.Username(args[0]), hash); err != nil {
			return notFound(err, "user", args[0])
		}
		_, err := fmt.Fprintln(p.out, password)
		return err
	})
}

func blockUser(blocked bool) func(*flag.FlagSet) func(context.Context, *process, []string) error {
	return plain(func(ctx context.Context, p *process, args []string) error {
		return p.withStore(ctx, func(db *store.Store) error {
			if err := db.BlockUser(ctx, store.Username(args[0]), blocked); err != nil {
				return notFound(err, "user", args[0])
			}
			verb := "unblocked"
			if blocked {
				verb = "blocked"
			}
			_, err := fmt.Fprintf(p.out, "%s %s\n", verb, printable(args[0]))
			return err
		})
	})
}
