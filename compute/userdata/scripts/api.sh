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
# The agent comes last: an API without its logs in CloudWatch still serves.
pause=50
dnf -q -y install amazon-cloudwatch-agent logrotate >/dev/null ||
  die "the CloudWatch agent and logrotate cannot be installed; the log stays in /var/log/cinema/api.log: $(why)"
agent_config
systemctl enable amazon-cloudwatch-agent.service logrotate.timer
systemctl restart logrotate.timer
systemctl restart amazon-cloudwatch-agent.service || die "the CloudWatch agent does not start: $(why)"
rm "$state/$digest"
touch "$state/done"
