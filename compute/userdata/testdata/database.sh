#!/bin/bash
# Installs and starts the Cinema database
set -euo pipefail
readonly bucket=cinema-artifacts-1a2b3c4
readonly region=us-east-1
readonly volume=vol-0123456789abcdef0
readonly package_key=packages/mongodb-linux-aarch64-amazon2023-8.0.15.tgz
readonly package_digest=fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210
readonly artifact_key=releases/0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef/cinema-db
readonly digest=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
readonly host=mongo-b.cinema.internal
readonly mongod_uid=27017
readonly settings=$'AWS_REGION="us-east-1"\nCREDENTIALS_URI="s3://cinema-artifacts-1a2b3c4/credentials/api.json"\nCREDENTIALS_KMS_KEY="arn:aws:kms:us-east-1:123456789012:key/01234567-89ab-cdef-0123-456789abcdef"\nMONGODB_VOLUME="/data"\nMONGODB_HOST="mongo-b.cinema.internal"\nMONGODB_ZONE="us-east-1b"\nMONGODB_VOLUME_ID="vol-0123456789abcdef0"\n'
readonly role=database-us-east-1b
readonly status_key=status/database-us-east-1b.json
readonly starting=starting
readonly fetching=fetching
readonly waiting='waiting for the volume'
readonly installing=installing
readonly initializing=initializing
readonly ready=ready
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
put 0644 /etc/sysctl.d/90-mongod.conf <<'END'
# https://www.mongodb.com/docs/v8.0/administration/production-notes/
vm.swappiness = 1
# At least two maps for each connection that LimitNOFILE allows.
vm.max_map_count = 262144
net.ipv4.tcp_keepalive_time = 120
# https://www.mongodb.com/docs/v8.0/administration/tcmalloc-performance/
vm.overcommit_memory = 1
END
put 0644 /etc/tmpfiles.d/mongod.conf <<'END'
# https://www.mongodb.com/docs/v8.0/administration/tcmalloc-performance/
w /sys/kernel/mm/transparent_hugepage/enabled - - - - always
w /sys/kernel/mm/transparent_hugepage/defrag - - - - defer+madvise
w /sys/kernel/mm/transparent_hugepage/khugepaged/max_ptes_none - - - - 0
END
put 0644 /etc/systemd/system/mongod.service <<'END'
[Unit]
Description=MongoDB
Wants=network-online.target
After=network-online.target
RequiresMountsFor=/data
StartLimitIntervalSec=0

[Service]
Type=exec
User=mongod
Group=mongod
# Runs as root at each start: it reads the cluster's secrets, which a new member waits for, and writes the configuration,
# the key file and the certificates.
ExecStartPre=+/opt/cinema/bin/cinema-db prepare -timeout 2m
ExecStart=/opt/mongodb/bin/mongod --config /etc/mongod.conf
# A primary hands over before systemd sends SIGTERM, at a shutdown of the host too: the network is still up then. Where
# mongod has ended by itself, MAINPID is not set.
ExecStop=-+/opt/cinema/bin/cinema-db stepdown -timeout 30s
EnvironmentFile=/etc/cinema/db.env
# Lets TCMalloc use per-CPU caches.
Environment=GLIBC_TUNABLES=glibc.pthread.rseq=0
Restart=always
RestartSec=5
TimeoutStartSec=150
# A clean shutdown writes a checkpoint first.
TimeoutStopSec=300
# https://www.mongodb.com/docs/v8.0/reference/ulimit/
LimitFSIZE=infinity
LimitCPU=infinity
LimitAS=infinity
LimitMEMLOCK=infinity
LimitNOFILE=64000
LimitNPROC=64000
TasksMax=infinity
UMask=0077
CapabilityBoundingSet=
LockPersonality=yes
NoNewPrivileges=yes
PrivateDevices=yes
PrivateTmp=yes
ProtectControlGroups=yes
ProtectHome=yes
ProtectHostname=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectSystem=strict
# The hyphen is for the first start: systemd 252 checks the folder before `prepare` has created it.
ReadWritePaths=-/data/db
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native

[Install]
WantedBy=multi-user.target data.mount
END
put 0644 /etc/systemd/system/cinema-db-.service.d/sandbox.conf <<'END'
# For every unit of cinema-db. Privileges and system calls are in each unit.
[Service]
LockPersonality=yes
MemoryDenyWriteExecute=yes
NoNewPrivileges=yes
PrivateDevices=yes
PrivateTmp=yes
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
END
put 0644 /etc/systemd/system/cinema-db-init.service <<'END'
[Unit]
Description=Set up MongoDB's replica set, users and API credentials
Wants=network-online.target
After=network-online.target mongod.service
# It stops with mongod, because it holds the lock that `prepare` waits for at the next start.
BindsTo=mongod.service
RequiresMountsFor=/data
StartLimitIntervalSec=0

[Service]
Type=oneshot
ExecStart=/opt/cinema/bin/cinema-db init -timeout 2m
EnvironmentFile=/etc/cinema/db.env
TimeoutStartSec=150
Restart=on-failure
RestartSec=10
UMask=0077
# It runs as root, the owner of the state, without root's privileges.
ReadWritePaths=/data/state
PrivateUsers=yes
CapabilityBoundingSet=
SystemCallFilter=@system-service
SystemCallFilter=~@privileged

[Install]
WantedBy=multi-user.target mongod.service
END
put 0644 /etc/systemd/system/cinema-db-agent.service <<'END'
[Unit]
Description=Keep MongoDB's replica set as the stack wants it, and report its state
Wants=network-online.target
After=network-online.target
RequiresMountsFor=/data
StartLimitIntervalSec=0

[Service]
Type=exec
# It does not depend on mongod, because it also reports that mongod is down.
ExecStart=/opt/cinema/bin/cinema-db agent
Restart=always
RestartSec=5
EnvironmentFile=/etc/cinema/db.env
UMask=0077
# It runs as root, the owner of the state, without root's privileges.
ReadWritePaths=/data/state
PrivateUsers=yes
CapabilityBoundingSet=
SystemCallFilter=@system-service
SystemCallFilter=~@privileged

[Install]
WantedBy=multi-user.target data.mount
END
put 0644 /etc/systemd/system/cinema-db-renew.service <<'END'
[Unit]
Description=Renew MongoDB's certificates
After=mongod.service
# The timer does not start a mongod that an operator has stopped.
Requisite=mongod.service
RequiresMountsFor=/data

[Service]
Type=oneshot
ExecStart=/opt/cinema/bin/cinema-db renew -timeout 1m
EnvironmentFile=/etc/cinema/db.env
TimeoutStartSec=120
UMask=0077
# It runs as root, the owner of the state, with the privileges to write files that belong to mongod.
ReadWritePaths=/data/state /data/run
CapabilityBoundingSet=CAP_CHOWN CAP_DAC_OVERRIDE CAP_FOWNER
SystemCallFilter=@system-service
END
put 0644 /etc/systemd/system/cinema-db-renew.timer <<'END'
[Unit]
Description=Check MongoDB's certificates daily

[Timer]
OnCalendar=daily
RandomizedDelaySec=1h
Persistent=yes

[Install]
WantedBy=timers.target
END
}
report() {
  local error=${1//[\"\\]/\'}
  printf '{"role":"%s","instance":"%s","phase":"%s","version":"%s","digest":"%s","error":"%s","fatal":%s' "$role" \
    "$(cat /var/lib/cloud/data/instance-id)" "$phase" "$version" "$digest" "${error:0:500}" "$2" >"$run/status.new"
  mv -fT "$run/status.new" "$run/status"
  publish >/dev/null 2>&1 &
}

publish() {
  exec 9>"$run/lock"
  flock 9
  cp "$run/status" "$run/publishing"
  if cmp -s "$run/publishing" "$run/published"; then return; fi
  printf '%s,"time":"%(%FT%TZ)T"}\n' "$(cat "$run/publishing")" -1 >"$run/body"
  if AWS_MAX_ATTEMPTS=1 timeout 60 aws s3api put-object --bucket "$bucket" --key "$status_key" --body "$run/body" \
    --content-type application/json --cli-connect-timeout 10 --cli-read-timeout 20; then
    mv -fT "$run/publishing" "$run/published"
  fi
}

enter() {
  phase=$1
  : >"$run/stderr"
  if [[ ! -e $run/$phase ]]; then
    touch "$run/$phase"
    report '' false
  fi
}

version=${package_key##*-}
version=${version%.tgz}
enter "$starting"
for tool in aws blkid blockdev flock ip mkfs.xfs tar wipefs; do
  command -v "$tool" >/dev/null || fatal "this image has no $tool; use Amazon Linux 2023"
done

tree=/opt/mongodb-${package_digest:0:12}
if [[ ! -d $tree ]] || ! matches "$state/$digest" "$digest"; then
  enter "$fetching"
  if [[ ! -d $tree ]]; then fetch "$package_key" "$package_digest" "$package_key"; fi
  fetch "$artifact_key" "$digest" cinema-db
fi

device=/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_${volume/-/}
enter "$waiting"
[[ -b $device ]] || die "$volume is not attached"

found=$(wipefs --no-act --noheadings --output TYPE "$device")
case $found in
xfs) note "$volume holds a file system; its data is kept" ;;
'')
  bytes=$(head -c 1048576 "$device" | tr -d '\0' | wc -c)
  ((bytes == 0)) || fatal "$volume holds data but no file system; it is not formatted"
  mkfs.xfs -q -L cinema-data "$device"
  note "$volume was blank; it is formatted"
  ;;
*) fatal "$volume holds ${found//$'\n'/, } rather than xfs; it is not formatted" ;;
esac
uuid=$(blkid --probe --output value --match-tag UUID "$device")

enter "$installing"
others=$(sed '\| /data |d' /etc/fstab)
put 0644 /etc/fstab <<END
$others
UUID=$uuid /data xfs noatime,nodev,noexec,nosuid,nofail,x-systemd.device-timeout=30s 0 0
END
put 0644 /etc/udev/rules.d/90-mongod.rules <<END
ACTION=="add|change", SUBSYSTEM=="block", ENV{DEVTYPE}=="disk", ATTRS{serial}=="${volume/-/}", ATTR{queue/read_ahead_kb}="16", ENV{SYSTEMD_WANTS}+="data.mount"
END
blockdev --setra 32 "$device"

put 0644 /etc/sysusers.d/mongod.conf <<<"u mongod $mongod_uid \"MongoDB\" /data"
systemd-sysusers /etc/sysusers.d/mongod.conf

read -r _ _ _ address _ < <(ip -4 -o address show scope global)
names=$(sed "\| $host\$|d" /etc/hosts)
put 0644 /etc/hosts <<END
$names
${address%/*} $host
END

if [[ ! -d $tree ]]; then
  rm -rf "$tree.new"
  mkdir "$tree.new"
  tar -xzf "$state/$package_digest" -C "$tree.new" --strip-components=1 --no-same-owner
  "$tree.new/bin/mongod" --version >/dev/null || fatal "mongod of $package_key does not run on this image: $(why)"
  sync -f "$tree.new"
  mv -T "$tree.new" "$tree"
fi
rm -f "$state/$package_digest"
ln -sfn "$tree" /opt/mongodb.new
mv -fT /opt/mongodb.new /opt/mongodb
put 0755 /opt/cinema/bin/cinema-db <"$state/$digest"
put 0600 /etc/cinema/db.env <<<"$settings"
units

sysctl --quiet --load=/etc/sysctl.d/90-mongod.conf
systemd-tmpfiles --create /etc/tmpfiles.d/mongod.conf
mkdir -p /data
systemctl daemon-reload
systemctl start data.mount
[[ $(mountpoint -d /data) == "$(mountpoint -x "$device")" ]] || die "/data is not on $volume"
xfs_growfs -d /data >/dev/null || note "the file system of $volume does not grow: $(why)"

enter "$initializing"
begin() {
  systemctl start "$1" || die "$1 fails: $(journalctl --sync; journalctl -q -b -n 1 -o cat _SYSTEMD_UNIT="$1")"
}
systemctl enable mongod.service cinema-db-init.service cinema-db-agent.service cinema-db-renew.timer
mkdir -p /data/state
chmod 0700 /data/state
systemctl start cinema-db-agent.service cinema-db-renew.timer
begin mongod.service
begin cinema-db-init.service
note "the database is ready as $host"
enter "$ready"
report '' false
wait
