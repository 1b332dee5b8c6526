package awssim

var eventKinds = map[string]kind{
	"aws:sqs/queue:Queue": {
		id: func(d *draft) string {
			return d.expand("https://sqs.{region}.amazonaws.com/{account}/{name}")
		},
		arn: "sqs:{region}:{account}:{name}", tagged: true, name: autoName{property: "name", max: 80},
		outputs: func(d *draft) {
			d.set("url", d.id)
			d.set("messageRetentionSeconds", num(345600))
			d.set("visibilityTimeoutSeconds", num(30))
			d.set("maxMessageSize", num(262144))
			d.set("delaySeconds", num(0))
			d.set("receiveWaitTimeSeconds", num(0))
			d.set("sqsManagedSseEnabled", d.text("kmsMasterKeyId") == "")
		},
		replace: []string{"fifoQueue", "name", "namePrefix"}, unique: pick("name"),
	},
	"aws:sqs/queuePolicy:QueuePolicy": {id: same("queueUrl"), replace: []string{"queueUrl"}, unique: pick("queueUrl")},
	"aws:sns/topic:Topic": {
		id: arnID("sns:{region}:{account}:{name}"), tagged: true, name: autoName{property: "name", max: 256},
		outputs: func(d *draft) {
			d.set("arn", d.id)
			d.set("owner", AccountID)
			d.set("beginningArchiveTime", "")
		},
		replace: []string{"fifoTopic", "name", "namePrefix"}, unique: pick("name"),
	},
	"aws:sns/topicPolicy:TopicPolicy": {id: same("arn"), outputs: owned("owner"), replace: []string{"arn"}, unique: pick("arn")},
	"aws:sns/topicSubscription:TopicSubscription": {
		id: func(d *draft) string { return d.text("topic") + ":" + uuid(d.hash("id", 32)) },
		outputs: func(d *draft) {
			d.set("arn", d.id)
			d.set("ownerId", AccountID)
			d.set("pendingConfirmation", d.text("protocol") == "email")
			d.set("confirmationWasAuthenticated", d.text("protocol") != "email")
		},
		replace: []string{"endpoint", "protocol", "topic"}, unique: pick("topic", "protocol", "endpoint"),
		needs: need1("topic", "aws:sns/topic:Topic"), part: "topic",
	},
	"aws:cloudwatch/eventRule:EventRule": {
		id: same("name"), tagged: true, name: autoName{property: "name", max: 64},
		outputs: func(d *draft) {
			d.set("eventBusName", "default")
			d.set("arn", d.expand("events:{region}:{account}:rule/{name}"))
			d.set("state", "ENABLED")
		},
		replace: []string{"eventBusName", "name", "namePrefix"}, unique: pick("eventBusName", "name"),
	},
	"aws:cloudwatch/eventTarget:EventTarget": {
		id: func(d *draft) string {
			if d.text("targetId") == "" {
				d.set("targetId", "terraform-"+d.hash("target", 26))
			}
			return d.text("rule") + "-" + d.text("targetId")
		},
		outputs: func(d *draft) { d.set("eventBusName", "default") },
		replace: []string{"eventBusName", "rule", "targetId"}, unique: pick("rule", "targetId", "arn"),
		needs: need1("rule", "aws:cloudwatch/eventRule:EventRule"),
	},
}

// owned fills a property with the account's number.
func owned(property string) func(*draft) { return func(d *draft) { d.set(property, AccountID) } }
