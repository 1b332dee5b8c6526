# report ERROR FATAL publishes the status; ERROR may be empty. It neither waits for S3 nor needs it.
report() {
  local error=${1//[\"\\]/\'}
  printf '{"role":"%s","instance":"%s","phase":"%s","version":"%s","digest":"%s","error":"%s","fatal":%s' "$role" \
    "$(cat /var/lib/cloud/data/instance-id)" "$phase" "$version" "$digest" "${error:0:500}" "$2" >"$run/status.new"
  mv -fT "$run/status.new" "$run/status"
  publish >/dev/null 2>&1 &
}

# publish uploads the newest status if it is not published yet. Uploads run one at a time.
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

# enter PHASE reports a phase the first time in this boot: later attempts pass through it again.
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

# The volume may be attached long after the host has started. Its id, without the hyphen, is its serial number.
device=/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_${volume/-/}
enter "$waiting"
[[ -b $device ]] || die "$volume is not attached"

# A volume is blank if it has no signature of any kind and starts with 1 MiB of zeros. Only a blank volume is formatted,
# and mkfs.xfs without -f checks for signatures again.
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
# Without its volume, the host still starts, so that operators can examine it, but mongod does not. x-systemd.growfs would
# delay the login until the volume is there.
others=$(sed '\| /data |d' /etc/fstab)
put 0644 /etc/fstab <<END
$others
UUID=$uuid /data xfs noatime,nodev,noexec,nosuid,nofail,x-systemd.device-timeout=30s 0 0
END
# A read-ahead of 32 sectors of 512 bytes, the maximum that MongoDB recommends. udev sets it at every start, and mounts a
# volume that is attached later.
put 0644 /etc/udev/rules.d/90-mongod.rules <<END
ACTION=="add|change", SUBSYSTEM=="block", ENV{DEVTYPE}=="disk", ATTRS{serial}=="${volume/-/}", ATTR{queue/read_ahead_kb}="16", ENV{SYSTEMD_WANTS}+="data.mount"
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
# begin starts a unit. The reason of a failure is the last line of the unit's own processes. The journal may not have it
# yet.
begin() {
  systemctl start "$1" || die "$1 fails: $(journalctl --sync; journalctl -q -b -n 1 -o cat _SYSTEMD_UNIT="$1")"
}
systemctl enable mongod.service cinema-db-init.service cinema-db-agent.service cinema-db-renew.timer
# The agent comes first, because its reports show why a new member needs long. Its sandbox needs the folder.
mkdir -p /data/state
chmod 0700 /data/state
systemctl start cinema-db-agent.service cinema-db-renew.timer
begin mongod.service
begin cinema-db-init.service
note "the database is ready as $host"
enter "$ready"
report '' false
wait
