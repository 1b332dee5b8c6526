// Package userdata writes the bash scripts that EC2 instances run at their first boot: one for the API hosts, one for
// the database host. The bastion needs none.
//
// A script starts with quoted assignments, and only they hold values. The text after them is the same for every stack;
// its parts are in scripts/ and units/, as bash and systemd read them. Names that the application shares, such as
// object keys and paths, are values too: they come from app/contract.
//
// Every script runs under `set -euo pipefail`. It fetches files from the artifacts bucket with the instance's role, and
// checks the SHA-256 of each before it installs anything. A failure ends the script with a status other than zero and
// one line that begins with "cinema: boot stopped:". cloud-init copies both outputs of a script to the serial console
// and to /var/log/cloud-init-output.log.
//
// The package refuses values of the wrong form, and scripts that are too large for EC2. No parameter is a secret:
// everyone who may describe the instance can read its user data, and so can every process on it.
package userdata
