package userdata

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"cinema-database/app/contract"
)

// APIParams are the values of an API host's script.
type APIParams struct {
	// Artifacts is the name of the artifacts bucket.
	Artifacts string
	// Digest is the SHA-256 of contract.Cinema, 64 hex digits. It is part of the binary's key (contract.ExecutableKey).
	Digest string
	// Credentials is the URI of the credentials object, s3://bucket/key.
	Credentials string
	// Images is the name of the images bucket.
	Images string
	// Region is the AWS region of both buckets, e.g. us-east-1.
	Region string
	// Port is the TCP port of the API, from 1024 to 65535: the process has no capability to bind a lower one.
	Port int
	// AllowedOrigins are the other origins that browsers may call from, e.g. https://cinema.example (contract.IsOrigin).
	AllowedOrigins []string
	// Proxies is how many proxies every request comes through: 1 for the load balancer, 2 with the edge before it.
	Proxies int
	// Stack names the stack in the metrics that the API publishes.
	Stack string
	// LogGroup is the name of the log group that the CloudWatch agent writes the API's log to.
	LogGroup string
}

// Longest returns p with a value of the greatest length in every empty field that may be unknown in a preview. Its
// script is as large as the script of p can become.
func (p APIParams) Longest() APIParams {
	orLongest(&p.Artifacts, longestBucket)
	orLongest(&p.Images, longestBucket)
	orLongest(&p.Digest, longestDigest)
	orLongest(&p.Region, longestRegion)
	orLongest(&p.Credentials, longestCredentials)
	orLongest(&p.Stack, func() string { return filler(letters, stackMax) })
	orLongest(&p.LogGroup, func() string { return filler(letters, logGroupMax) })
	return p
}

func (p APIParams) check() error {
	l := problems("API")
	checkBucket(l, "Artifacts", p.Artifacts)
	checkDigest(l, "Digest", p.Digest)
	checkCredentials(l, "Credentials", p.Credentials)
	checkBucket(l, "Images", p.Images)
	checkRegion(l, "Region", p.Region)
	if p.Port < 1024 || p.Port > 65535 {
		l.Add("Port", p.Port, "is not a port that the API may bind", "use a number from 1024 to 65535")
	}
	for i, origin := range p.AllowedOrigins {
		if !contract.IsOrigin(origin) {
			l.Add(fmt.Sprintf("AllowedOrigins[%d]", i), origin, "is not an origin", "use only a scheme, a host and a port that is not the default, such as https://cinema.example")
		}
	}
	if p.Proxies < 1 || p.Proxies > contract.MaxProxies {
		l.Add("Proxies", p.Proxies, "is not the number of proxies before the API", "use 1 for the load balancer, 2 with the edge before it")
	}
	if !stackName.MatchString(p.Stack) || len(p.Stack) > stackMax {
		l.Add("Stack", p.Stack, "is not a stack name", "use letters, digits, - _ and .")
	}
	if !logGroupName.MatchString(p.LogGroup) || len(p.LogGroup) > logGroupMax {
		l.Add("LogGroup", p.LogGroup, "is not a log group name", "write it like api-logs-0123abc")
	}
	return l.Err()
}

// API returns the script of an API host. The script installs the binary p.Digest as /opt/cinema/bin/cinema, runs
// `cinema serve` as cinema.service, and ends when the API answers on p.Port and the CloudWatch agent runs. A reboot needs
// no setup. The error lists every problem with p, or says that the script is too large for EC2.
func API(p APIParams) (Script, error) {
	if err := p.check(); err != nil {
		return Script{}, err
	}
	settings := []assignment{
		{contract.EnvCredentialsURI, p.Credentials},
		{contract.EnvImagesBucket, p.Images},
		{contract.EnvRegion, p.Region},
		{contract.EnvPort, strconv.Itoa(p.Port)},
		{contract.EnvProxies, strconv.Itoa(p.Proxies)},
		{contract.EnvStack, p.Stack},
	}
	if len(p.AllowedOrigins) > 0 {
		settings = append(settings, assignment{contract.EnvAllowedOrigins, strings.Join(p.AllowedOrigins, " ")})
	}
	var b builder
	b.head("Installs and starts the Cinema API, binary "+p.Digest[:12],
		assignment{"bucket", p.Artifacts},
		assignment{"region", p.Region},
		assignment{"artifact_key", contract.ExecutableKey(contract.Cinema, p.Digest)},
		assignment{"digest", p.Digest},
		assignment{"port", strconv.Itoa(p.Port)},
		assignment{"health_path", contract.HealthPath},
		assignment{"settings", environment(settings...)},
	)
	b.setup()
	b.function("units", putFile("0644", "/etc/systemd/system/cinema.service", "cinema.service")+
		putFile("0644", "/etc/logrotate.d/cinema", "logrotate.conf")+
		putFile("0644", "/etc/systemd/system/logrotate.timer.d/cinema.conf", "logrotate.timer.conf"))
	b.function("agent_config", putText("0644", agentConfigPath, agentConfig(p.LogGroup)))
	b.script("api.sh")
	s := Script{Text: b.text.String(), name: "API"}
	if b.err != nil {
		return Script{}, b.err
	}
	return s, s.Check()
}

// agentConfigPath is where the CloudWatch agent looks for its configuration.
const agentConfigPath = "/opt/aws/amazon-cloudwatch-agent/etc/amazon-cloudwatch-agent.json"

// agentConfig makes the CloudWatch agent send the API's log to one stream for each instance.
func agentConfig(logGroup string) string {
	type object = map[string]any
	data, err := json.MarshalIndent(object{"logs": object{"logs_collected": object{"files": object{"collect_list": []object{{
		"file_path": "/var/log/cinema/api.log", "log_group_name": logGroup, "log_stream_name": "{instance_id}",
	}}}}}}, "", " ")
	if err != nil {
		panic(err) // cannot happen: maps of strings
	}
	return string(data) + "\n"
}
