package awssim

import (
	"encoding/json"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

var computeKinds = map[string]kind{
	"aws:ec2/launchTemplate:LaunchTemplate": {
		prefix: "lt", arn: "ec2:{region}:{account}:launch-template/{id}", tagged: true, name: naming{property: "name", limit: 128},
		outputs: func(d *draft) {
			d.set("latestVersion", num(1))
			d.set("defaultVersion", num(1))
		},
		replace: []string{"name", "namePrefix"},
		moving:  []string{"latestVersion"},
		unique:  pick("name"),
	},
	"aws:ec2/instance:Instance": {
		prefix: "i", arn: "ec2:{region}:{account}:instance/{id}", tagged: true,
		outputs: func(d *draft) {
			subnet := d.find("subnetId")
			if z := text(subnet, "availabilityZone"); z != "" {
				d.set("availabilityZone", z)
			}
			d.set("availabilityZone", d.cloud.zones()[0])
			d.set("privateIp", d.privateIP("subnetId"))
			host := "ip-" + dashes(d.text("privateIp"))
			if d.cloud.region() == "us-east-1" {
				d.set("privateDns", host+".ec2.internal")
			} else {
				d.set("privateDns", d.expand(host+".{region}.compute.internal"))
			}
			if v, ok := subnet["mapPublicIpOnLaunch"]; ok && v.IsBool() {
				d.set("associatePublicIpAddress", v.BoolValue())
			}
			d.set("associatePublicIpAddress", false)
			if d.on("associatePublicIpAddress") {
				d.set("publicIp", d.publicIP())
				d.set("publicDns", d.publicDNS(d.text("publicIp")))
			} else {
				d.set("publicIp", "")
				d.set("publicDns", "")
			}
			d.set("primaryNetworkInterfaceId", d.ec2ID("eni", ""))
			d.set("instanceState", "running")
			d.set("instanceLifecycle", "")
			d.set("outpostArn", "")
			d.set("passwordData", "")
			d.set("spotInstanceRequestId", "")
			d.set("tenancy", "default")
			d.set("sourceDestCheck", true)
			d.set("disableApiTermination", false)
			if block := d.state["rootBlockDevice"]; block.IsObject() {
				root := block.ObjectValue().Copy()
				if !root.HasValue("volumeId") {
					root["volumeId"] = resource.NewProperty(d.ec2ID("vol", "root"))
				}
				d.state["rootBlockDevice"] = resource.NewProperty(root)
			}
		},
		replace: []string{"ami", "associatePublicIpAddress", "availabilityZone", "cpuCoreCount", "cpuOptions", "cpuThreadsPerCore",
			"ebsBlockDevices", "ebsOptimized", "enablePrimaryIpv6", "enclaveOptions", "ephemeralBlockDevices", "hibernation", "hostId",
			"instanceMarketOptions", "ipv6Addresses", "keyName", "launchTemplate.id", "launchTemplate.name", "networkInterfaces",
			"placementGroup", "placementPartitionNumber", "privateIp", "rootBlockDevice.encrypted",
			"rootBlockDevice.kmsKeyId", "securityGroups", "subnetId", "tenancy"},
		replaces: replacedUserData,
		needs:    need1("iamInstanceProfile", "aws:iam/instanceProfile:InstanceProfile"),
		keep: keepProtected("disableApiTermination", "OperationNotPermitted",
			"The instance '%s' may not be terminated. Modify its 'disableApiTermination' instance attribute and try again."),
	},
	"aws:ebs/volume:Volume": {
		prefix: "vol", arn: "ec2:{region}:{account}:volume/{id}", tagged: true,
		outputs: func(d *draft) {
			d.set("encrypted", false)
			d.set("type", "gp2")
			d.set("multiAttachEnabled", false)
			d.set("createTime", stamp)
			if d.text("type") == "gp3" {
				d.set("iops", num(3000))
				d.set("throughput", num(125))
			}
		},
		replace: []string{"availabilityZone", "encrypted", "kmsKeyId", "multiAttachEnabled", "outpostArn", "snapshotId"},
	},
	"aws:ec2/volumeAttachment:VolumeAttachment": {
		id: func(d *draft) string {
			return "vai-" + number(d.text("deviceName")+d.text("instanceId")+d.text("volumeId"), 10)
		},
		replace: []string{"deviceName", "instanceId", "volumeId"},
		unique:  pick("volumeId"),
		part:    "instanceId",
		refuse: func(a *Account, in Properties) error {
			volume, _ := a.find(text(in, "volumeId"))
			instance, ok := a.find(text(in, "instanceId"))
			if v, i := text(volume, "availabilityZone"), text(instance, "availabilityZone"); ok && v != i {
				return refusal("InvalidVolume.ZoneMismatch", "The volume '%s' (%s) is not in the same availability zone as instance '%s' (%s)",
					text(in, "volumeId"), v, text(in, "instanceId"), i)
			}
			return nil
		},
	},
	"aws:autoscaling/group:Group": {
		id:   same("name"),
		name: naming{property: "name", limit: 255},
		outputs: func(d *draft) {
			d.set("arn", d.expand("autoscaling:{region}:{account}:autoScalingGroup:"+uuid(d.hash("arn", 32))+":autoScalingGroupName/{name}"))
			if v, ok := d.state["minSize"]; ok {
				d.set("desiredCapacity", v)
			}
			d.set("defaultCooldown", num(300))
			d.set("healthCheckType", "EC2")
			d.set("healthCheckGracePeriod", num(300))
			d.set("predictedCapacity", num(0))
			d.set("warmPoolSize", num(0))
			d.set("serviceLinkedRoleArn", d.expand("iam::{account}:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"))
			var zones []resource.PropertyValue
			for _, id := range list(d.state, "vpcZoneIdentifiers") {
				if d.cloud.Find != nil {
					if s, ok := d.cloud.Find(id); ok {
						zones = append(zones, s["availabilityZone"])
					}
				}
			}
			d.set("availabilityZones", resource.NewProperty(zones))
		},
		replace: []string{"initialLifecycleHooks", "name", "namePrefix"},
		changes: []string{"launchTemplate"},
		unique:  pick("name"),
		needs:   []need{{"targetGroupArns", []string{"aws:lb/targetGroup:TargetGroup"}}},
		refuse:  refuseTemplateVersion, refuseUpdate: onUpdate(refuseTemplateVersion),
	},
	"aws:autoscaling/attachment:Attachment": {
		id:      func(d *draft) string { return d.text("autoscalingGroupName") + "-" + number(d.req.seed(), 26) },
		replace: []string{"autoscalingGroupName", "elb", "lbTargetGroupArn"},
		needs: []need{{"autoscalingGroupName", []string{"aws:autoscaling/group:Group"}},
			{"lbTargetGroupArn", []string{"aws:lb/targetGroup:TargetGroup"}}},
		missing: map[string]string{"autoscalingGroupName": "ValidationError", "lbTargetGroupArn": "ValidationError"},
		part:    "autoscalingGroupName",
	},
	"aws:autoscaling/policy:Policy": {
		id: same("name"), name: naming{property: "name", limit: 255},
		outputs: func(d *draft) {
			d.set("arn", d.expand("autoscaling:{region}:{account}:scalingPolicy:"+uuid(d.hash("arn", 32))+
				":autoScalingGroupName/"+d.text("autoscalingGroupName")+":policyName/{name}"))
			d.set("policyType", "SimpleScaling")
			d.set("enabled", true)
		},
		replace: []string{"autoscalingGroupName", "name"}, unique: pick("autoscalingGroupName", "name"),
		needs: need1("autoscalingGroupName", "aws:autoscaling/group:Group"), part: "autoscalingGroupName",
	},
	"aws:lambda/function:Function": {
		id: same("name"), arn: "lambda:{region}:{account}:function:{name}", tagged: true, name: naming{property: "name", limit: 64},
		outputs: func(d *draft) {
			arn := d.text("arn")
			d.set("invokeArn", d.expand("apigateway:{region}:lambda:path/2015-03-31/functions/"+arn+"/invocations"))
			d.set("version", "$LATEST")
			if d.on("publish") {
				d.state["version"] = resource.NewProperty("1")
			}
			d.set("qualifiedArn", arn+":"+d.text("version"))
			d.set("qualifiedInvokeArn", d.expand("apigateway:{region}:lambda:path/2015-03-31/functions/"+arn+":"+d.text("version")+"/invocations"))
			d.set("lastModified", stamp)
			d.set("codeSha256", d.hash("code", 44))
			d.set("sourceCodeHash", d.hash("code", 44))
			d.set("sourceCodeSize", num(4096))
			d.set("signingJobArn", "")
			d.set("signingProfileVersionArn", "")
			d.set("architectures", strs("x86_64"))
			d.set("memorySize", num(128))
			d.set("packageType", "Zip")
			d.set("timeout", num(3))
			d.set("reservedConcurrentExecutions", num(-1))
			d.set("loggingConfig", resource.NewProperty(Properties{
				"logFormat": resource.NewProperty("Text"), "logGroup": resource.NewProperty("/aws/lambda/" + d.text("name")),
			}))
		},
		replace: []string{"name", "packageType"},
		moving:  []string{"codeSha256", "lastModified"},
		needs:   need1("role", "aws:iam/role:Role"),
		unique:  pick("name"),
	},
	"aws:lambda/permission:Permission": {
		id: same("statementId"), name: naming{property: "statementId", limit: 100},
		replace: []string{"action", "eventSourceToken", "function", "functionUrlAuthType", "principal", "principalOrgId", "qualifier",
			"sourceAccount", "sourceArn", "statementId", "statementIdPrefix"},
		unique: pick("function", "statementId"), needs: need1("function", "aws:lambda/function:Function"), part: "function",
	},
	"aws:lambda/invocation:Invocation": {
		id: func(d *draft) string {
			return d.text("functionName") + "_$LATEST_" + hash(d.text("input")+d.req.seed(), 32)
		},
		outputs: func(d *draft) {
			d.set("result", answer(d.text("input")))
			d.set("qualifier", "$LATEST")
			d.set("lifecycleScope", "CREATE_ONLY")
			d.set("terraformKey", "tf")
		},
		replace: []string{"functionName", "input", "qualifier", "triggers"},
		needs:   need1("functionName", "aws:lambda/function:Function"), part: "functionName",
		moving: []string{"result"},
	},
	"aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig": {
		id:      same("functionName"),
		outputs: func(d *draft) { d.set("maximumRetryAttempts", num(2)) },
		replace: []string{"functionName", "qualifier"}, unique: pick("functionName", "qualifier"),
		needs: need1("functionName", "aws:lambda/function:Function"), part: "functionName",
	},
}

// refuseTemplateVersion refuses an Auto Scaling group with a version that its launch template does not have.
func refuseTemplateVersion(a *Account, in Properties) error {
	lt := in["launchTemplate"]
	if !lt.IsObject() {
		return nil
	}
	spec := lt.ObjectValue()
	state, ok := a.find(text(spec, "id"))
	if !ok {
		return nil // reported as a missing id
	}
	if v := text(spec, "version"); v != "" && !strings.HasPrefix(v, "$") {
		latest := state["latestVersion"]
		if n, err := json.Number(v).Int64(); err != nil || n < 1 || latest.IsNumber() && float64(n) > latest.NumberValue() {
			return refusal("ValidationError", "You must use a valid fully-formed launch template. Could not find launch template "+
				"version %s of %s", v, text(spec, "id"))
		}
	}
	return nil
}

// replacedUserData reports whether user data replaces an instance. The provider compares known values only: one that is
// unknown in a preview is planned as an update.
func replacedUserData(_, news Properties, path string) bool {
	v := news[resource.PropertyKey(path)]
	on := news["userDataReplaceOnChange"]
	return (path == "userData" || path == "userDataBase64") && !v.ContainsUnknowns() && on.IsBool() && on.BoolValue()
}

// stamp replaces every time that AWS reports, so that plans and states stay the same.
const stamp = "2025-01-01T00:00:00Z"

// answer returns the result of a simulated function: its input. No code runs.
func answer(input string) string {
	if json.Valid([]byte(input)) {
		return input
	}
	return "null"
}

// keepProtected refuses the deletion of a resource while a bool property protects it.
func keepProtected(property, code, format string) func(*Account, Resource) error {
	return func(_ *Account, r Resource) error {
		if v, ok := r.State[resource.PropertyKey(property)]; ok && v.IsBool() && v.BoolValue() {
			return refusal(code, format, r.ID)
		}
		return nil
	}
}
