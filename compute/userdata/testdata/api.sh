#!/bin/bash
# Installs and starts the Cinema API, binary 0123456789ab
set -euo pipefail
readonly bucket=cinema-artifacts-1a2b3c4
readonly region=us-east-1
readonly artifact_key=releases/0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef/cinema
readonly digest=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
readonly port=8081
readonly health_path=/healthz
readonly settings=$'CREDENTIALS_URI="s3://cinema-artifacts-1a2b3c4/credentials/api.json"\nAWS_UPLOAD_BUCKET_NAME="cinema-images-5d6e7f8"\nAWS_REGION="us-east-1"\nPORT="8081"\nPROXIES="1"\nSTACK="dev"\nALLOWED_ORIGINS="https://cinema.example http://localhost:3000"\n'
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin HOME=/root LC_ALL=C TZ=UTC
export AWS_DEFAULT_REGION="$region" AWS_PAGER='' AWS_RETRY_MODE=standard AWS_MAX_ATTEMPTS=3
set -o errtrace
umask 022
readonly state=/var/lib/cinema run=/run/cinema

put() {
  mkdir -p "${2%/*}"
  cat >"$2.new"
  chmod "$1" "$2.new"
  mv -fT "$2.new" "$2"
}

say() { printf 'cinema: %s\n' "$*" | tee -a /var/log/cloud-init-output.log; }

note() {
  if ! grep -sqxF -- "$*" "$run/notes"; then
    say "$*"
    echo "$*" >>"$run/notes"
  fi
}

why() { grep . "$run/stderr" | tail -n 1 || echo "no error message"; }

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

fatal() {
  permanent=true pause=50
  die "$@"
}

matches() { [[ -e $1 ]] && sha256sum --status --check <<<"$2  $1"; }

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
setup_unit() {
put 0644 /etc/systemd/system/cinema-setup.service <<'END'
[Unit]
Description=Set up this Cinema host
Wants=network-online.target
After=network-online.target
ConditionPathExists=!/var/lib/cinema/done
StartLimitIntervalSec=0

[Service]
Type=oneshot
ExecStart=/bin/bash /var/lib/cinema/setup
Restart=on-failure
RestartSec=10
StandardOutput=journal+console

[Install]
WantedBy=multi-user.target
END
}
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
exec 2>>"$run/stderr"
: >"$run/stderr"
trap '((BASH_SUBSHELL)) || die "line $LINENO: $BASH_COMMAND: $(why)"' ERR
units() {
put 0644 /etc/systemd/system/cinema.service <<'END'
[Unit]
Description=Cinema API
Wants=network-online.target
After=network-online.target
# Restarts have no limit: the Auto Scaling group replaces a host that stays unhealthy.
StartLimitIntervalSec=0

[Service]
Type=exec
ExecStart=/opt/cinema/bin/cinema serve
EnvironmentFile=/etc/cinema/api.env
# A file, because the CloudWatch agent does not read the journal.
StandardOutput=append:/var/log/cinema/api.log
Restart=always
RestartSec=2
# Longer than the target group's deregistration delay of 30 s.
TimeoutStopSec=45
LimitNOFILE=65536
UMask=0077
DynamicUser=yes
CapabilityBoundingSet=
LockPersonality=yes
MemoryDenyWriteExecute=yes
NoNewPrivileges=yes
PrivateDevices=yes
PrivateTmp=yes
PrivateUsers=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHome=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
ProtectSystem=strict
RemoveIPC=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallErrorNumber=EPERM
SystemCallFilter=@system-service
SystemCallFilter=~@privileged

[Install]
WantedBy=multi-user.target
END
put 0644 /etc/logrotate.d/cinema <<'END'
# A busy instance logs some gigabytes a day: at most 100 MB of them stay, compressed to a tenth.
/var/log/cinema/api.log {
  hourly
  maxsize 50M
  rotate 20
  compress
  copytruncate
  missingok
  notifempty
}
END
put 0644 /etc/systemd/system/logrotate.timer.d/cinema.conf <<'END'
# Also between the hours, for a log that has reached its maximum size.
[Timer]
OnCalendar=
OnCalendar=*:0/10
AccuracySec=1m
RandomizedDelaySec=0
END
}
agent_config() {
put 0644 /opt/aws/amazon-cloudwatch-agent/etc/amazon-cloudwatch-agent.json <<'END'
{
 "logs": {
  "logs_collected": {
   "files": {
    "collect_list": [
     {
      "file_path": "/var/log/cinema/api.log",
      "log_group_name": "api-logs-0123abc",
      "log_stream_name": "{instance_id}"
     }
    ]
   }
  }
 }
}
END
}
report() { :; } # the load balancer's health check reports enough

fetch "$artifact_key" "$digest" cinema
put 0755 /opt/cinema/bin/cinema <"$state/$digest"
put 0600 /etc/cinema/api.env <<<"$settings"
mkdir -p /var/log/cinema
units
systemctl daemon-reload
systemctl enable cinema.service
systemctl start cinema.service
for ((left = 60; ; left--)); do
  if curl -fs -o /dev/null --max-time 5 "http://127.0.0.1:$port$health_path"; then break; fi
  ((left > 0)) || die "cinema does not answer on port $port; see /var/log/cinema/api.log and journalctl -u cinema.service"
  sleep 1
done
note "cinema ${digest:0:12} answers on port $port"
pause=50
dnf -q -y install amazon-cloudwatch-agent logrotate >/dev/null ||
  die "the CloudWatch agent and logrotate cannot be installed; the log stays in /var/log/cinema/api.log: $(why)"
agent_config
systemctl enable amazon-cloudwatch-agent.service logrotate.timer
systemctl restart logrotate.timer
systemctl restart amazon-cloudwatch-agent.service || die "the CloudWatch agent does not start: $(why)"
rm "$state/$digest"
touch "$state/done"
