#!/bin/bash
# Installs and starts the Cinema API, binary 0123456789ab
set -euo pipefail
readonly bucket=cinema-artifacts-1a2b3c4
readonly region=us-east-1
readonly artifact_key=releases/0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef/cinema
readonly digest=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
readonly port=8081
readonly health_path=/healthz
readonly settings=$'CREDENTIALS_URI="s3://cinema-artifacts-1a2b3c4/credentials/api.json"\nAWS_UPLOAD_BUCKET_NAME="cinema-images-5d6e7f8"\nAWS_REGION="us-east-1"\nPORT="8081"\nALLOWED_ORIGIN="https://cinema.example"\nBEHIND_PROXY="true"\nSTACK="dev"\n'
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
/var/log/cinema/api.log {
  size 50M
  rotate 2
  copytruncate
  missingok
  notifempty
}
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
fetch "$artifact_key" "$work/cinema"
verify cinema "$work/cinema" "$digest"
put 0755 /opt/cinema/bin/cinema <"$work/cinema"
put 0600 /etc/cinema/api.env <<<"$settings"
mkdir -p /var/log/cinema
units
systemctl daemon-reload
systemctl enable cinema.service
systemctl restart cinema.service
for ((left = 60; ; left--)); do
  if curl -fs -o /dev/null --max-time 5 "http://127.0.0.1:$port$health_path"; then break; fi
  ((left > 0)) || die "cinema does not answer on port $port; see /var/log/cinema/api.log and journalctl -u cinema.service"
  sleep 1
done
say "cinema ${digest:0:12} answers on port $port"
# The agent comes last, and its failure does not stop the boot: an API without its logs in CloudWatch still serves.
if dnf -q -y install amazon-cloudwatch-agent logrotate >/dev/null; then
  agent_config
  systemctl enable amazon-cloudwatch-agent.service
  systemctl restart amazon-cloudwatch-agent.service || say "the CloudWatch agent does not start; see journalctl"
else
  say "the CloudWatch agent cannot be installed; the log stays in /var/log/cinema/api.log"
fi
