// Package userdata writes the bash scripts that EC2 instances run at their first boot: one for the API's hosts,
// one for the database host.
//
// A script is a head of quoted assignments, the only place where values go, followed by text that is the same
// for every stack. The parts lie in scripts/ and units/, as bash and systemd read them. The bastion needs none.
//
// Every script runs under `set -euo pipefail`, fetches what it installs from the artifacts bucket by the
// instance's role, and checks each SHA-256 before anything is installed. A failure ends the boot script with a
// status other than zero and one line that begins with "cinema: boot stopped:". cloud-init copies both outputs of
// a script to the serial console and to /var/log/cloud-init-output.log.
//
// The package refuses values that cannot be what they are said to be, and scripts that EC2 would not take. No
// parameter is a secret: user data is readable by whoever may describe the instance, and by its every process.
package userdata
