// Command bootdata writes the user data of both hosts for `make boots`: bootdata DIR <values.json leaves api.gz and
// database.gz in DIR, as EC2 hands them to cloud-init.
package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"cinema-database/compute/userdata"
)

// values are what the hosts find around them in the boot lab.
type values struct {
	Region, Artifacts, Images, Credentials string
	// CinemaDigest and DatabaseTool are the SHA-256 of cinema and cinema-db.
	CinemaDigest, DatabaseTool string
	PackageKey, PackageDigest  string
	Volume, Host, Key          string
	Port                       int
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "bootdata:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("usage: bootdata DIR <values.json")
	}
	var v values
	if err := json.NewDecoder(os.Stdin).Decode(&v); err != nil {
		return fmt.Errorf("values: %w", err)
	}
	api, err := userdata.API(userdata.APIParams{
		Artifacts: v.Artifacts, Digest: v.CinemaDigest, Credentials: v.Credentials, Images: v.Images, Region: v.Region, Port: v.Port,
		AllowedOrigins: []string{"https://films.example.com"}, Proxies: 2, Stack: "dev", LogGroup: "api-logs-0123abc",
	})
	if err != nil {
		return err
	}
	database, err := userdata.Database(userdata.DatabaseParams{
		Artifacts: v.Artifacts, Digest: v.DatabaseTool, Credentials: v.Credentials, Region: v.Region, Volume: v.Volume,
		PackageKey: v.PackageKey, PackageDigest: v.PackageDigest, Zone: v.Region + "a", Host: v.Host, Key: v.Key,
	})
	if err != nil {
		return err
	}
	for name, script := range map[string]userdata.Script{"api.gz": api, "database.gz": database} {
		data, err := base64.StdEncoding.DecodeString(script.Base64Gzip())
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(args[0], name), data, 0o600); err != nil {
			return err
		}
	}
	return nil
}
