export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin HOME=/root LC_ALL=C
export AWS_DEFAULT_REGION="$region" AWS_PAGER='' AWS_RETRY_MODE=standard AWS_MAX_ATTEMPTS=3
set -o errtrace
umask 022

say() { printf 'cinema: %s\n' "$*"; }

die() {
  printf 'cinema: boot stopped: %s\n' "$*" >&2
  exit 1
}

# A failure in a subshell also fails its parent. Only the parent reports it.
trap '((BASH_SUBSHELL)) || die "line $LINENO: $BASH_COMMAND"' ERR
work=$(mktemp -d /var/tmp/cinema.XXXXXX)
trap 'rm -rf "$work"' EXIT

# fetch KEY FILE makes up to seven attempts, with 1, 2, 4 ... 32 s between them. It retries after every failure, also
# after "access denied": S3 may not know a role that is a few seconds old.
fetch() {
  local wait=1
  until timeout 900 aws s3api get-object --bucket "$bucket" --key "$1" \
    --cli-connect-timeout 10 --cli-read-timeout 60 "$2" >/dev/null; do
    ((wait <= 32)) || die "s3://$bucket/$1 cannot be fetched; the lines above say why"
    say "s3://$bucket/$1: next attempt in $wait s"
    sleep "$wait"
    wait=$((wait * 2))
  done
}

# verify NAME FILE DIGEST stops the boot if FILE has another SHA-256.
verify() {
  local sum
  sum=$(sha256sum <"$2")
  [[ ${sum%% *} == "$3" ]] || die "$1 has SHA-256 ${sum%% *}, not $3; it is not installed"
}

# put MODE PATH writes standard input to PATH. Readers see the old file or the complete new one.
put() {
  mkdir -p "${2%/*}"
  cat >"$2.new"
  chmod "$1" "$2.new"
  mv -fT "$2.new" "$2"
}
