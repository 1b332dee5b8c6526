package awssim

var eventKinds = map[string]kind{
	"aws:sqs/queue:Queue": {
		id: func(d *draft) string {
			return d.expand("https://sqs.{region}.amazonaws.com/{account}/{name}")
		},
		arn: "sqs:{region}:{account}:{name}", tagged: true, name: naming{property: "name", limit: 80},
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
	"aws:sns/topic:Topic": {
		id: arnID("sns:{region}:{account}:{name}"), tagged: true, name: naming{property: "name", limit: 256},
		outputs: func(d *draft) {
			d.set("arn", d.id)
			d.set("owner", AccountID)
			d.set("beginningArchiveTime", "")
		},
		replace: []string{"fifoTopic", "name", "namePrefix"}, unique: pick("name"),
	},
	"aws:sns/topicPolicy:TopicPolicy": {id: same("arn"), outputs: func(d *draft) { d.set("owner", AccountID) }, replace: []string{"arn"}, unique: pick("arn")},
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
}
