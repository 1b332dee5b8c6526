package userdata

import (
	"encoding/json"
	"strconv"
)

// APIParams are the values of an API host's script.
type APIParams struct {
	// Artifacts is the name of the artifacts bucket.
	Artifacts string
	// Digest is the SHA-256 of the binary `cinema`, 64 hex digits. It lies at releases/<digest>/cinema.
	Digest string
	// Credentials is the credentials object's address, e.g. s3://cinema-artifacts/credentials/api.json.
	Credentials string
	// Images is the name of the images bucket.
	Images string
	// Region is the AWS region of both buckets, e.g. us-east-1.
	Region string
	// Port is the TCP port of the API, from 1024 to 65535: the process has no capability to bind a lower one.
	Port int
	// AllowedOrigin is the one origin that browsers may call from, e.g. https://cinema.example; empty allows none.
	AllowedOrigin string
	// Stack names the stack in the metrics that the API publishes.
	Stack string
	// LogGroup is where the CloudWatch agent sends the API's log, by name.
	LogGroup string
}

// Longest is p with every empty field that a preview may not know filled with a value of the greatest length, to
// learn what size the script can reach.
func (p APIParams) Longest() APIParams {
	orLongest(&p.Artifacts, longestBucket)
	orLongest(&p.Images, longestBucket)
	orLongest(&p.Digest, longestDigest)
	orLongest(&p.Region, longestRegion)
	orLongest(&p.Credentials, longestObject)
	orLongest(&p.Stack, func() string { return filler(letters, stackMax) })
	orLongest(&p.LogGroup, func() string { return filler(letters, logGroupMax) })
	orLongest(&p.AllowedOrigin, func() string { return "https://" + longestHost() + ":65535" })
	return p
}

func (p APIParams) check() error {
	l := problems("API")
	checkBucket(l, "Artifacts", p.Artifacts)
	checkDigest(l, "Digest", p.Digest)
	checkObject(l, "Credentials", p.Credentials)
	checkBucket(l, "Images", p.Images)
	checkRegion(l, "Region", p.Region)
	if p.Port < 1024 || p.Port > 65535 {
		l.Add("Port", p.Port, "is not a port that the API may bind", "use a number from 1024 to 65535")
	}
	if p.AllowedOrigin != "" && !isOrigin(p.AllowedOrigin) {
		l.Add("AllowedOrigin", p.AllowedOrigin, "is not an origin", "use a scheme and a host alone, such as https://cinema.example")
	}
	if !stackName.MatchString(p.Stack) || len(p.Stack) > stackMax {
		l.Add("Stack", p.Stack, "is not a stack's name", "use letters, digits, - _ and .")
	}
	if !logGroupName.MatchString(p.LogGroup) || len(p.LogGroup) > logGroupMax {
		l.Add("LogGroup", p.LogGroup, "is not a log group's name", "write it like api-logs-0123abc")
	}
	return l.Err()
}

// API is the script of an API host: it installs the release p.Digest as /opt/cinema/bin/cinema and runs
// `cinema serve` as cinema.service. It ends when the API answers on p.Port. Every problem with p is named at once;
// a script that EC2 would not take is refused.
func API(p APIParams) (Script, error) {
	if err := p.check(); err != nil {
		return Script{}, err
	}
	settings := environment(
		assignment{"CREDENTIALS_URI", p.Credentials},
		assignment{"AWS_UPLOAD_BUCKET_NAME", p.Images},
		assignment{"AWS_REGION", p.Region},
		assignment{"PORT", strconv.Itoa(p.Port)},
		assignment{"ALLOWED_ORIGIN", p.AllowedOrigin},
		assignment{"BEHIND_PROXY", "true"},
		assignment{"STACK", p.Stack},
	)
	var b builder
	b.head("Installs and starts the cinema API, release "+p.Digest[:12],
		assignment{"bucket", p.Artifacts},
		assignment{"region", p.Region},
		assignment{"release_digest", p.Digest},
		assignment{"port", strconv.Itoa(p.Port)},
		assignment{"settings", settings},
	)
	b.script("common.sh")
	b.function("units", putFile("0644", "/etc/systemd/system/cinema.service", "cinema.service")+
		putFile("0644", "/etc/logrotate.d/cinema", "logrotate.conf"))
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

// agentConfig tells the CloudWatch agent to send the API's log, a stream for each instance.
func agentConfig(logGroup string) string {
	type object = map[string]any
	data, err := json.MarshalIndent(object{"logs": object{"logs_collected": object{"files": object{"collect_list": []object{{
		"file_path": "/var/log/cinema/api.log", "log_group_name": logGroup, "log_stream_name": "{instance_id}",
	}}}}}}, "", " ")
	if err != nil {
		panic(err) // strings alone
	}
	return string(data) + "\n"
}
