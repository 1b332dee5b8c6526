# User data runs only once, so it hands over to a service, which runs this same script until it succeeds.
if [[ ${BASH_SOURCE[0]} != "$state/setup" ]]; then
  rm -f "$state/done"
  put 0700 "$state/setup" <"${BASH_SOURCE[0]}"
  setup_unit
  systemctl daemon-reload
  systemctl enable cinema-setup.service
  systemctl start cinema-setup.service || echo "cinema: cinema-setup.service tries again until the host is up"
  exit 0
fi

mkdir -p "$run"
# The message of a command that fails becomes part of the reason. A full disk does not affect a file in memory.
exec 2>>"$run/stderr"
: >"$run/stderr"
# A failure in a subshell also fails its parent. Only the parent reports it.
trap '((BASH_SUBSHELL)) || die "line $LINENO: $BASH_COMMAND: $(why)"' ERR
