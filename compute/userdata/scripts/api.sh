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
