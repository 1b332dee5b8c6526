package review

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"cinema-database/internal/plan"
)

// costLine is one line of the estimate.
type costLine struct {
	Group string // what the line belongs to, e.g. "Compute"
	// Key is the same for what a line is about, however much of it there is: two estimates are compared by it.
	Key      string
	What     string
	Quantity string
	Price    string
	Source   string
	USD      float64
	// Unknown is the reason why there is no amount; USD is then 0.
	Unknown string
	// Assumption is the assumed usage, "" where the amount depends on the plan alone.
	Assumption string
}

// estimate is the cost of a stack for hoursPerMonth.
type estimate struct {
	Lines []costLine
	USD   float64
	// Fixed is the part of USD that does not depend on usage.
	Fixed float64
	// Unknown lists the costs that USD does not include.
	Unknown []string
	// Maximum states the extra cost of Auto Scaling groups and services at their maximum sizes.
	Maximum string
}

// maximum adds a sentence to Maximum.
func (e *estimate) maximum(format string, args ...any) {
	e.Maximum = strings.TrimPrefix(e.Maximum+". "+fmt.Sprintf(format, args...), ". ")
}

// add adds a line and returns it. Its key is its text; a text with a number in it needs another key.
func (e *estimate) add(group, what string, quantity float64, unit string, p price, assumption string) *costLine {
	line := costLine{
		Group: group, Key: what, What: what, Price: unitPrice(p.USD) + " per " + p.Unit, Source: p.Source,
		USD: quantity * p.USD, Assumption: assumption,
	}
	line.Quantity = amount(quantity) + " " + unit
	e.Lines = append(e.Lines, line)
	e.USD += line.USD
	if assumption == "" {
		e.Fixed += line.USD
	}
	return &e.Lines[len(e.Lines)-1]
}

// unitPrice formats a price with all of its digits, and at least two decimals.
func unitPrice(f float64) string {
	s := amount(f)
	if whole, cents, ok := strings.Cut(s, "."); !ok || len(cents) < 2 {
		return "$" + whole + "." + (cents + "00")[:2]
	}
	return "$" + s
}

// amount formats a number: two decimals at most from 1 to 100, none above.
func amount(f float64) string {
	s := strings.TrimRight(strings.TrimRight(fmt.Sprintf("%.10f", f), "0"), ".")
	if i := strings.IndexByte(s, '.'); i < 0 || f >= 100 {
		s = fmt.Sprintf("%.0f", f)
		for i := len(s) - 3; i > 0; i -= 3 {
			s = s[:i] + "," + s[i:]
		}
	} else if f >= 1 {
		s = strings.TrimRight(strings.TrimRight(fmt.Sprintf("%.2f", f), "0"), ".")
	}
	return s
}

// hosts adds the cost of identical instances: compute, root volume, detailed monitoring.
func (e *estimate) hosts(what, typ string, count, rootGB float64, monitored bool) {
	hourly, known := instancePrices[typ]
	if !known {
		why := fmt.Sprintf("the price of %s is not in the price list", typ)
		e.Lines = append(e.Lines, costLine{Group: "Compute", Key: what, What: what, Quantity: amount(count) + " × " + typ, Unknown: why, Source: ec2Page})
		e.Unknown = append(e.Unknown, what+": "+why)
	} else {
		e.add("Compute", fmt.Sprintf("%s: %s × %s", what, amount(count), typ), count*hoursPerMonth, "instance-hours", price{hourly, "hour", ec2Page}, "").Key = what
	}
	if rootGB > 0 {
		e.add("Compute", what+": root volume", count*rootGB, "GB", volumePrice, "")
	}
	if monitored {
		e.add("Compute", what+": detailed monitoring", count*detailedMetrics, "metrics", metricPrice, "")
	}
}

func (v *view) estimate() estimate {
	var e estimate
	balancers := v.ByType(balancerType)
	for _, r := range v.ByType(instanceType) {
		e.hosts(r.Name, r.Text("instanceType"), 1, number(r.Inputs, "rootBlockDevice.volumeSize"), boolean(r.Inputs, "monitoring"))
	}
	for _, r := range v.ByType(scalingType) {
		t := v.template(r)
		if t == nil {
			e.Unknown = append(e.Unknown, r.Name+": the launch template is not in this stack")
			continue
		}
		minSize, maxSize := number(r.Inputs, "minSize"), number(r.Inputs, "maxSize")
		root := 0.0
		for _, d := range objects(t.Inputs, "blockDeviceMappings") {
			root += number(d, "ebs.volumeSize")
		}
		at := "minimum size"
		if slices.Contains(v.containerHosts(), r) {
			minSize, at = v.hostsOfTasks(&e, r.Name, t.Text("instanceType"), minSize, maxSize), "size for the least number of tasks"
		}
		before := e.Fixed
		e.hosts(r.Name, t.Text("instanceType"), minSize, root, boolean(t.Inputs, "monitoring.enabled"))
		if minSize > 0 && maxSize > minSize {
			more := (e.Fixed - before) / minSize * (maxSize - minSize)
			e.maximum("The estimate counts %s at its %s, %s; its maximum size, %s, adds %s", r.Name, at,
				amount(minSize), amount(maxSize), dollars(more))
		}
	}
	v.estimateServices(&e)
	for _, r := range v.ByType(volumeType) {
		e.add("Data", r.Name+": volume", number(r.Inputs, "size"), "GB", volumePrice, "")
		if n := number(r.Inputs, "iops") - baselineIOPS; n > 0 {
			e.add("Data", r.Name+": IOPS above 3,000", n, "IOPS", iopsPrice, "")
		}
		if n := number(r.Inputs, "throughput") - baselineMBPerSec; n > 0 {
			e.add("Data", r.Name+": throughput above 125 MB/s", n, "MB/s", throughputPrice, "")
		}
		const oneCopy = "one full copy of a full volume, without incremental copies"
		for _, p := range v.ByType(backupPlanType) {
			if !slices.Contains(v.backedUp(p), r) {
				continue
			}
			e.add("Data", r.Name+": backups", number(r.Inputs, "size"), "GB", backupPrice, oneCopy)
			if slices.ContainsFunc(objects(p.Inputs, "rules"), func(rule resource.PropertyMap) bool { return len(objects(rule, "copyActions")) > 0 }) {
				e.add("Data", r.Name+": backups in another region", number(r.Inputs, "size"), "GB", backupPrice, oneCopy)
			}
		}
	}
	for _, r := range v.ByType(bucketType) {
		gb, why := assumedBucketGB, fmt.Sprintf("%s GB stored", amount(assumedBucketGB))
		source := v.copiedFrom(r)
		if v.holdsImages(r) || source != nil && v.holdsImages(source) {
			gb, why = assumedImagesGB, fmt.Sprintf("%s GB of images stored, all in S3 Standard", amount(assumedImagesGB))
		}
		e.add("Data", r.Name, gb, "GB", bucketPrice, why)
		if v.holdsImages(r) {
			e.add("Data", r.Name+": write requests", 2*assumedImages/1000, "× 1,000", putPrice, amount(assumedImages)+" images per month, each with a thumbnail")
			e.add("Data", r.Name+": read requests", 100*assumedImages/1000, "× 1,000", getPrice, "each image is read 100 times")
		}
		if source != nil && v.holdsImages(source) {
			e.add("Data", r.Name+": write requests", 2*assumedImages/1000, "× 1,000", putPrice, amount(assumedImages)+" images per month are copied, each with its thumbnail")
			e.add("Data", r.Name+": transfer between regions", assumedNewImagesGB, "GB", regionsPrice, amount(assumedNewImagesGB)+" GB of new images per month")
		}
	}
	for _, r := range v.ByType(keyType) {
		e.add("Data", r.Name+": key", 1, "key", keyPrice, "")
	}
	nats := v.ByType(natType)
	if n := float64(len(nats)); n > 0 {
		e.add("Network", counted(len(nats), "NAT gateway"), n*hoursPerMonth, "hours", natPrice, "").Key = "NAT gateways"
		e.add("Network", "NAT gateways: data", assumedNATGB, "GB", natDataPrice, amount(assumedNATGB)+" GB per month through all of them; S3 traffic uses a gateway endpoint")
	}
	if members := v.members(); len(members) > 1 {
		e.add("Network", v.component(members[0]).Name+": replication between zones", float64(len(members)-1)*assumedWritesGB, "GB", zonesPrice,
			amount(assumedWritesGB)+" GB of writes per month, which each other member copies")
	}
	addresses, including := len(v.ByType(addressType)), ""
	for _, b := range balancers {
		if !boolean(b.Inputs, "internal") {
			addresses += len(list(b.Inputs, "subnets")) // one in each
			including = ", including the load balancer"
		}
	}
	if addresses > 0 {
		e.add("Network", counted(addresses, "public IPv4 address")+including, float64(addresses)*hoursPerMonth, "hours", addressPrice, "").Key = "public IPv4 addresses"
	}
	for _, b := range balancers {
		e.add("Network", b.Name+": load balancer", hoursPerMonth, "hours", balancerPrice, "")
		e.add("Network", b.Name+": capacity", assumedLCU*hoursPerMonth, "LCU-hours", lcuPrice,
			fmt.Sprintf("%s requests per second, each on a new connection", amount(assumedRequestsPerSec)))
		if !boolean(b.Inputs, "internal") {
			e.add("Network", "Data to the internet", assumedOutGB, "GB", transferPrice, amount(assumedOutGB)+" GB per month")
		}
	}
	v.estimateEdge(&e)
	for _, z := range v.ByType(hostedZoneType) {
		e.add("Network", z.Name+": hosted zone", 1, "hosted zone", hostedZonePrice, "")
	}
	v.estimateEndpoints(&e)
	v.estimateFunctions(&e)
	v.estimateMonitoring(&e)
	v.estimateUnpriced(&e)
	return e
}

// estimateEdge adds distributions and firewalls. CloudFront's free tier has no end, and is for the whole account. Data from the
// load balancer to CloudFront is free.
func (v *view) estimateEdge(e *estimate) {
	for _, d := range v.ByType(distributionType) {
		if front := v.front(); d != front {
			e.add("Network", d.Name+": data to viewers", 0, "GB", edgeDataPrice, "a distribution has no fixed price; its traffic is part of that of "+front.Name)
			continue
		}
		e.add("Network", d.Name+": data to viewers", max(0, assumedOutGB-edgeFreeGB), "GB", edgeDataPrice,
			fmt.Sprintf("%s GB per month, of which CloudFront's free tier covers the first %s GB", amount(assumedOutGB), amount(edgeFreeGB)))
		e.add("Network", d.Name+": requests", max(0, assumedRequests-edgeFreeRequests)/10e3, "× 10,000", edgeRequestPrice,
			fmt.Sprintf("%s requests per second, of which CloudFront's free tier covers the first %s per month", amount(assumedRequestsPerSec), amount(edgeFreeRequests)))
	}
	for _, acl := range v.ByType(firewallType) {
		rules := len(objects(acl.Inputs, "rules"))
		e.add("Network", acl.Name+": web ACL", 1, "web ACL", aclPrice, "")
		e.add("Network", acl.Name+": "+counted(rules, "rule"), float64(rules), "rules", aclRulePrice, "").Key = acl.Name + ": rules"
		e.add("Network", acl.Name+": requests", assumedRequests/1e6, "million", aclRequestPrice, amount(assumedRequestsPerSec)+" requests per second")
	}
}

// hostsOfTasks is how many container hosts the least number of tasks needs: each task has a network interface of its own
// (ECS developer guide, "awsvpc network mode").
func (v *view) hostsOfTasks(e *estimate, group, typ string, least, most float64) float64 {
	family, size, _ := strings.Cut(typ, ".")
	host, known := hostSizes[family[:min(len(family), 1)]][size]
	if !known {
		e.unpriced("Compute", group+": instances for the tasks", "the size of "+typ+" is not in the price list")
		return least
	}
	tasks, cpus, gb := 0.0, 0.0, 0.0
	for _, s := range v.services() {
		if !s.onFargate() {
			c, m := s.size()
			tasks, cpus, gb = tasks+float64(s.least), cpus+c*float64(s.least), gb+m*float64(s.least)
		}
	}
	return min(most, math.Ceil(max(least, tasks/float64(host.interfaces-1), cpus/host.cpus, gb/host.gb)))
}

// estimateServices adds the tasks on Fargate, the repositories, and the metrics of clusters.
func (v *view) estimateServices(e *estimate) {
	running := float64(len(v.services()))
	for _, c := range v.ByType(clusterType) {
		if slices.ContainsFunc(objects(c.Inputs, "settings"), func(m resource.PropertyMap) bool {
			return text(m, "name") == "containerInsights" && text(m, "value") == "enabled"
		}) && running > 0 {
			e.add("Logs and alarms", c.Name+": metrics of Container Insights", clusterMetrics+(serviceMetrics+familyMetrics)*running, "metrics", metricPrice, "")
		}
	}
	for _, s := range v.services() {
		cpus, gb := s.size()
		if !s.onFargate() {
			continue // on hosts, which are priced
		}
		if cpus == 0 {
			e.unpriced("Compute", s.name+": tasks", "the size of its tasks is not in this stack")
			continue
		}
		cpuPrice, gbPrice := taskCPUPriceX86, taskGBPriceX86
		if s.definition.Text("runtimePlatform.cpuArchitecture") == "ARM64" {
			cpuPrice, gbPrice = taskCPUPriceARM, taskGBPriceARM
		}
		n, before := float64(s.least), e.Fixed
		e.add("Compute", fmt.Sprintf("%s: %s × %s vCPU", s.name, counted(s.least, "task"), amount(cpus)), n*cpus*hoursPerMonth, "vCPU-hours", cpuPrice, "").Key = s.name + ": vCPU"
		e.add("Compute", fmt.Sprintf("%s: %s × %s GB", s.name, counted(s.least, "task"), amount(gb)), n*gb*hoursPerMonth, "GB-hours", gbPrice, "").Key = s.name + ": memory"
		if s.least > 0 && s.most > s.least {
			e.maximum("The estimate counts %s at its minimum, %s; its maximum, %s, adds %s", s.name, counted(s.least, "task"), counted(s.most, "task"),
				dollars((e.Fixed-before)/n*float64(s.most-s.least)))
		}
	}
	for _, r := range v.ByType(repositoryType) {
		e.add("Data", r.Name+": repository", assumedRepositoryGB, "GB", repositoryPrice, amount(assumedRepositoryGB)+" GB of container images stored")
	}
}

// estimateEndpoints adds the interface endpoints. Gateway endpoints have no charge.
func (v *view) estimateEndpoints(e *estimate) {
	endpoints, interfaces := 0, 0
	for _, r := range v.ByType(endpointType) {
		switch r.Text("vpcEndpointType") {
		case "Gateway":
		case "Interface":
			endpoints++
			interfaces += len(list(r.Inputs, "subnetIds")) // one in each zone
		default:
			e.unpriced("Network", r.Name, "endpoints of this type are not in the price list")
		}
	}
	if endpoints == 0 {
		return
	}
	e.add("Network", fmt.Sprintf("%s, %s", counted(endpoints, "interface endpoint"), counted(interfaces, "network interface")), float64(interfaces)*hoursPerMonth, "hours",
		endpointPrice, "").Key = "interface endpoints"
	e.add("Network", "interface endpoints: data", assumedEndpointGB, "GB", endpointDataPrice,
		amount(assumedEndpointGB)+" GB per month through all of them; the layers of images come through the gateway endpoint for S3")
}

func (v *view) estimateFunctions(e *estimate) {
	onImages := map[string]bool{}
	for _, n := range v.ByType(notifyType) {
		for _, f := range objects(n.Inputs, "lambdaFunctions") {
			if fn := v.byID[text(f, "lambdaFunctionArn")]; fn != nil {
				onImages[fn.Name] = true
			}
		}
	}
	for _, f := range v.ByType(functionType) {
		p := functionPriceX86
		if slices.Contains(list(f.Inputs, "architectures"), "arm64") {
			p = functionPriceARM
		}
		gb := number(f.Inputs, "memorySize") / 1024
		if !onImages[f.Name] {
			e.add("Functions", f.Name, 60*gb, "GB-seconds", p, "one call per month, 60 seconds")
			continue
		}
		why := fmt.Sprintf("%s images per month, %s second each", amount(assumedImages), amount(assumedSeconds))
		e.add("Functions", f.Name+": duration", assumedImages*assumedSeconds*gb, "GB-seconds", p, why)
		e.add("Functions", f.Name+": calls", assumedImages/1e6, "million", invocationPrice, amount(assumedImages)+" images per month")
	}
	for _, q := range v.ByType(queueType) {
		e.add("Functions", q.Name+": queue", 0, "requests", queuePrice, "no failures")
	}
}

func (v *view) estimateMonitoring(e *estimate) {
	flows := map[string]bool{}
	for _, f := range v.ByType(flowLogType) {
		if g := v.byID[f.Text("logDestination")]; g != nil {
			flows[g.Name] = true
		}
	}
	for _, g := range v.ByType(logGroupType) {
		gb := assumedLogsGB
		if flows[g.Name] {
			gb = assumedFlowLogsGB
		}
		e.add("Logs and alarms", g.Name+": logs", gb, "GB", logsPrice, amount(gb)+" GB per month")
	}
	if n := len(v.ByType(alarmType)); n > 0 {
		e.add("Logs and alarms", counted(n, "alarm"), float64(n), "alarms", alarmPrice, "").Key = "alarms"
	}
	for _, s := range v.ByType(subscriptionType) {
		if text(s.Inputs, "monitoringSubscription.realtimeMetricsSubscriptionConfig.realtimeMetricsSubscriptionStatus") == "Enabled" {
			e.add("Logs and alarms", s.Name+": additional metrics of CloudFront", edgeMetrics, "metrics", metricPrice, "")
		}
	}
	if n := len(v.ByType(dashboardType)); n > 0 {
		e.add("Logs and alarms", counted(n, "dashboard"), float64(n), "dashboards", dashboardPrice, "").Key = "dashboards"
	}
}

// priced are the types that the estimate includes.
var priced = []string{
	instanceType, scalingType, volumeType, bucketType, keyType, natType, addressType, balancerType, distributionType, firewallType, hostedZoneType,
	endpointType, functionType, subscriptionType, queueType, logGroupType, alarmType, dashboardType, backupPlanType,
	repositoryType, clusterType, ecsServiceType,
}

// estimateUnpriced lists the types that may have a cost and are not in the estimate.
func (v *view) estimateUnpriced(e *estimate) {
	counts := map[string]int{}
	var types []string
	for _, r := range v.Resources {
		if !r.Custom || slices.Contains(priced, r.Type) || slices.ContainsFunc(freePrefixes, func(p string) bool { return strings.HasPrefix(r.Type, p) }) {
			continue
		}
		if counts[r.Type]++; counts[r.Type] == 1 {
			types = append(types, r.Type)
		}
	}
	slices.Sort(types)
	for _, t := range types {
		e.unpriced("Not estimated", fmt.Sprintf("%d × %s", counts[t], t), "this type is not in the price list")
	}
}

func (e *estimate) unpriced(group, what, why string) {
	e.Lines = append(e.Lines, costLine{Group: group, Key: what, What: what, Unknown: why})
	e.Unknown = append(e.Unknown, what+": "+why)
}

// holdsImages reports whether uploads to a bucket invoke a function.
func (v *view) holdsImages(bucket *plan.Resource) bool {
	return slices.ContainsFunc(v.ByType(notifyType), func(n *plan.Resource) bool {
		return v.byID[n.Text("bucket")] == bucket && len(objects(n.Inputs, "lambdaFunctions")) > 0
	})
}

// copiedFrom is the bucket whose objects are copied to another bucket, nil for none.
func (v *view) copiedFrom(bucket *plan.Resource) *plan.Resource {
	for _, c := range v.ByType(replicationType) {
		for _, rule := range objects(c.Inputs, "rules") {
			if v.byID[text(rule, "destination.bucket")] == bucket {
				return v.byID[c.Text("bucket")]
			}
		}
	}
	return nil
}

// template is the launch template of an Auto Scaling group.
func (v *view) template(group *plan.Resource) *plan.Resource {
	return v.byID[group.Text("launchTemplate.id")]
}

// dollars formats an amount with cents. An amount below half a cent is "< $0.01".
func dollars(f float64) string {
	sign := ""
	if f < 0 {
		sign, f = "−", -f
	}
	if f > 0 && f < 0.005 {
		return sign + "< $0.01"
	}
	s := fmt.Sprintf("%.2f", f)
	whole, cents, _ := strings.Cut(s, ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	return sign + "$" + whole + "." + cents
}

func counted(n int, what string) string {
	switch {
	case n == 1:
		return "1 " + what
	case strings.HasSuffix(what, "s"):
		return fmt.Sprintf("%d %ses", n, what)
	}
	return fmt.Sprintf("%d %ss", n, what)
}
