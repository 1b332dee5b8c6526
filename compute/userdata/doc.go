// Package userdata writes the bash scripts that set up EC2 instances: one for the API hosts, one for the database hosts.
// The bastion needs none.
//
// A script starts with quoted assignments, and only they hold values. The text after them is the same for every stack;
// its parts are in scripts/ and units/, as bash and systemd read them, but user data omits the scripts' comments. Names
// that the application shares, such as object keys and paths, are values too: they come from app/contract.
//
// EC2 runs user data once, at the first boot. So a script only copies itself to the disk and hands over to
// cinema-setup.service, which runs the copy until it succeeds, also after a reboot. Each attempt runs under
// `set -euo pipefail` and repeats what earlier ones have done without effect. It fetches files from the artifacts bucket
// with the instance's role, and checks the SHA-256 of each before it installs anything. A failure ends the attempt with one
// line that begins with "cinema: not up yet:" and holds the reason. The line goes to the serial console, to the journal and
// to /var/log/cloud-init-output.log, once a minute while the reason stays the same.
//
// The package refuses values of the wrong form, and scripts that are too large for EC2. No parameter is a secret:
// everyone who may describe the instance can read its user data, and so can every process on it.
package userdata
