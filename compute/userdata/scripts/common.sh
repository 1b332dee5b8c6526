export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin HOME=/root LC_ALL=C TZ=UTC
export AWS_DEFAULT_REGION="$region" AWS_PAGER='' AWS_RETRY_MODE=standard AWS_MAX_ATTEMPTS=3
set -o errtrace
umask 022
# Files of the setup: $state survives a reboot, $run does not.
readonly state=/var/lib/cinema run=/run/cinema

# put MODE PATH writes standard input to PATH. Readers see the old file or the complete new one.
put() {
  mkdir -p "${2%/*}"
  cat >"$2.new"
  chmod "$1" "$2.new"
  mv -fT "$2.new" "$2"
}

# say writes to the console and the journal, and to the log of cloud-init, where operators look first.
say() { printf 'cinema: %s\n' "$*" | tee -a /var/log/cloud-init-output.log; }

# note says a line once in each boot.
note() {
  if ! grep -sqxF -- "$*" "$run/notes"; then
    say "$*"
    echo "$*" >>"$run/notes"
  fi
}

# why returns the last error message of a command.
why() { grep . "$run/stderr" | tail -n 1 || echo "no error message"; }

# die REASON ends this attempt, and the service starts the next. The console has the same reason at most once a minute.
pause=0 permanent=false
die() {
  trap - ERR
  set +e
  local now at=0 said='' reason
  read -r reason <<<"${*//[^[:print:]]/ }"
  now=$(date +%s)
  if [[ -e $run/said ]]; then read -r at said <"$run/said"; fi
  if [[ $said != "$reason" ]] || ((now - at >= 60)); then
    say "not up yet: $reason"
    echo "$now $reason" >"$run/said"
  fi
  report "$reason" "$permanent"
  wait
  ((pause == 0)) || sleep "$pause"
  exit 1
}

# fatal REASON is for a failure that remains until somebody acts. It is tried again less often.
fatal() {
  permanent=true pause=50
  die "$@"
}

# matches FILE DIGEST reports whether FILE exists and has that SHA-256.
matches() { [[ -e $1 ]] && sha256sum --status --check <<<"$2  $1"; }

# fetch KEY DIGEST NAME downloads an object as $state/DIGEST, unless an earlier attempt has.
fetch() {
  local sum
  if matches "$state/$2" "$2"; then return; fi
  timeout 900 aws s3api get-object --bucket "$bucket" --key "$1" \
    --cli-connect-timeout 10 --cli-read-timeout 60 "$state/new" >/dev/null ||
    die "s3://$bucket/$1 cannot be fetched: $(why)"
  sum=$(sha256sum <"$state/new")
  if [[ ${sum%% *} != "$2" ]]; then
    rm "$state/new"
    fatal "$3 has SHA-256 ${sum%% *}, not $2; it is not installed"
  fi
  mv -fT "$state/new" "$state/$2"
}
