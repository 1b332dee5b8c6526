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
readonly host=mongo.cinema.internal
readonly mongod_uid=27017
readonly settings=$'AWS_REGION="us-east-1"\nCREDENTIALS_URI="s3://cinema-artifacts-1a2b3c4/credentials/api.json"\nCREDENTIALS_KMS_KEY="arn:aws:kms:us-east-1:123456789012:key/01234567-89ab-cdef-0123-456789abcdef"\nMONGODB_VOLUME="/data"\nMONGODB_HOST="mongo.cinema.internal"\n'
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
# Runs as root at each start: it writes the configuration and the key file, and renews certificates in time.
ExecStartPre=+/opt/cinema/bin/cinema-db prepare
ExecStart=/opt/mongodb/bin/mongod --config /etc/mongod.conf
EnvironmentFile=/etc/cinema/db.env
# Lets TCMalloc use per-CPU caches.
Environment=GLIBC_TUNABLES=glibc.pthread.rseq=0
Restart=always
RestartSec=5
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
WantedBy=multi-user.target
END
put 0644 /etc/systemd/system/cinema-db-init.service <<'END'
[Unit]
Description=Set up MongoDB's replica set, users and API credentials
Wants=network-online.target
After=network-online.target mongod.service
# It stops with mongod, because it holds the lock that `prepare` waits for at the next start.
BindsTo=mongod.service
RequiresMountsFor=/data

[Service]
Type=oneshot
ExecStart=/opt/cinema/bin/cinema-db init
EnvironmentFile=/etc/cinema/db.env
TimeoutStartSec=660
Restart=on-failure
RestartSec=10
UMask=0077

[Install]
WantedBy=multi-user.target mongod.service
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
for tool in aws blkid blockdev ip mkfs.xfs tar wipefs; do
  command -v "$tool" >/dev/null || die "this image has no $tool; use the standard Amazon Linux 2023 image"
done

fetch "$package_key" "$work/mongodb.tgz"
verify "$package_key" "$work/mongodb.tgz" "$package_digest"
fetch "$artifact_key" "$work/cinema-db"
verify cinema-db "$work/cinema-db" "$digest"

# The volume may be attached long after the host has started. Its id, without the hyphen, is its serial number.
device=/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_${volume/-/}
for ((left = 120; ; left--)); do
  if [[ -b $device ]]; then break; fi
  ((left > 0)) || die "$volume is not attached after 10 minutes"
  sleep 5
done

# A volume is blank if it has no signature of any kind and starts with 1 MiB of zeros. Only a blank volume is formatted,
# and mkfs.xfs without -f checks for signatures again.
found=$(wipefs --no-act --noheadings --output TYPE "$device")
case $found in
xfs) say "$volume holds a file system; its data is kept" ;;
'')
  bytes=$(head -c 1048576 "$device" | tr -d '\0' | wc -c)
  ((bytes == 0)) || die "$volume holds data but no file system; it is not formatted"
  mkfs.xfs -q -L cinema-data "$device"
  say "$volume was blank; it is formatted"
  ;;
*) die "$volume holds ${found//$'\n'/, } rather than xfs; it is not formatted" ;;
esac
uuid=$(blkid --probe --output value --match-tag UUID "$device")

# Without its volume, the host still starts, so that operators can examine it, but mongod does not.
others=$(sed '\| /data |d' /etc/fstab)
put 0644 /etc/fstab <<END
$others
UUID=$uuid /data xfs noatime,nodev,noexec,nosuid,nofail,x-systemd.device-timeout=600s,x-systemd.growfs 0 0
END
# A read-ahead of 32 sectors of 512 bytes, the maximum that MongoDB recommends. udev sets it at every start.
put 0644 /etc/udev/rules.d/90-mongod.rules <<END
ACTION=="add|change", SUBSYSTEM=="block", ENV{DEVTYPE}=="disk", ATTRS{serial}=="${volume/-/}", ATTR{queue/read_ahead_kb}="16"
END
blockdev --setra 32 "$device"

# The data outlives the host, so its owner has the same user id on every host.
put 0644 /etc/sysusers.d/mongod.conf <<<"u mongod $mongod_uid \"MongoDB\" /data"
systemd-sysusers /etc/sysusers.d/mongod.conf

# The database's name resolves to this host without DNS: the replica set needs it before the DNS record exists.
read -r _ _ _ address _ < <(ip -4 -o address show scope global)
names=$(sed "\| $host\$|d" /etc/hosts)
put 0644 /etc/hosts <<END
$names
${address%/*} $host
END

tree=/opt/mongodb-${package_digest:0:12}
rm -rf "$tree.new"
mkdir "$tree.new"
tar -xzf "$work/mongodb.tgz" -C "$tree.new" --strip-components=1 --no-same-owner
"$tree.new/bin/mongod" --version >/dev/null || die "mongod of $package_key does not run on this image"
rm -rf "$tree"
mv -T "$tree.new" "$tree"
ln -sfn "$tree" /opt/mongodb.new
mv -fT /opt/mongodb.new /opt/mongodb
put 0755 /opt/cinema/bin/cinema-db <"$work/cinema-db"
put 0600 /etc/cinema/db.env <<<"$settings"
units

sysctl --quiet --load=/etc/sysctl.d/90-mongod.conf
systemd-tmpfiles --create /etc/tmpfiles.d/mongod.conf
mkdir -p /data
systemctl daemon-reload
systemctl start data.mount
[[ $(mountpoint -d /data) == "$(mountpoint -x "$device")" ]] || die "/data is not on $volume"

systemctl enable mongod.service cinema-db-init.service cinema-db-renew.timer
systemctl restart mongod.service
systemctl start cinema-db-renew.timer
systemctl start cinema-db-init.service || die "the database is not ready; see journalctl -u mongod.service -u cinema-db-init.service"
say "the database is ready as $host"
