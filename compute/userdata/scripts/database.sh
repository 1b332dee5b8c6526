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
