package review

import (
	"fmt"
	"slices"
	"strings"

	"cinema-database/internal/plan"
)

// costLine is one line of the estimate.
type costLine struct {
	Group    string // what the line belongs to, e.g. "Compute"
	What     string
	Quantity string
	Price    string
	Source   string
	USD      float64
	// Unknown says why there is no figure; USD is then 0.
	Unknown string
	// Assumption says what the line's use is taken to be, "" where it follows from the plan alone.
	Assumption string
}

// estimate is what a stack costs for 730 hours.
type estimate struct {
	Lines []costLine
	USD   float64
	// Fixed is the part that follows from the plan alone, whatever the use.
	Fixed float64
	// Unknown are what should be in the sum and is not.
	Unknown []string
	// Above says what the group costs more at its largest.
	Above string
}

func (e *estimate) add(group, what string, quantity float64, unit string, p price, assumption string) {
	line := costLine{
		Group: group, What: what, Price: unitPrice(p.USD) + " per " + p.Unit, Source: p.Source,
		USD: quantity * p.USD, Assumption: assumption,
	}
	line.Quantity = amount(quantity) + " " + unit
	e.Lines = append(e.Lines, line)
	e.USD += line.USD
	if assumption == "" {
		e.Fixed += line.USD
	}
}

// unitPrice writes a price with all of its digits, two at least.
func unitPrice(f float64) string {
	s := amount(f)
	if whole, cents, ok := strings.Cut(s, "."); !ok || len(cents) < 2 {
		return "$" + whole + "." + (cents + "00")[:2]
	}
	return "$" + s
}

// amount writes a number with no more digits than it has.
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

// hosts adds a count of like instances: compute, root volume, detailed monitoring.
func (e *estimate) hosts(what, typ string, count, rootGB float64, monitored bool) {
	hourly, known := instancePrices[typ]
	if !known {
		why := fmt.Sprintf("no price of %s is kept here", typ)
		e.Lines = append(e.Lines, costLine{Group: "Compute", What: what, Quantity: amount(count) + " × " + typ, Unknown: why, Source: ec2Page})
		e.Unknown = append(e.Unknown, what+": "+why)
	} else {
		e.add("Compute", fmt.Sprintf("%s: %s × %s", what, amount(count), typ), count*hoursPerMonth, "instance-hours", price{hourly, "hour", ec2Page}, "")
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
			e.Unknown = append(e.Unknown, r.Name+": no launch template of this stack")
			continue
		}
		least, most := number(r.Inputs, "minSize"), number(r.Inputs, "maxSize")
		root := 0.0
		for _, d := range objects(t.Inputs, "blockDeviceMappings") {
			root += number(d, "ebs.volumeSize")
		}
		before := e.Fixed
		e.hosts(r.Name, t.Text("instanceType"), least, root, boolean(t.Inputs, "monitoring.enabled"))
		if least > 0 && most > least {
			more := (e.Fixed - before) / least * (most - least)
			e.Above = fmt.Sprintf("%s is counted at its least, %s; at its most, %s, it adds %s", r.Name,
				amount(least), amount(most), dollars(more))
		}
	}
	for _, r := range v.ByType(volumeType) {
		e.add("Data", r.Name+": volume", number(r.Inputs, "size"), "GB", volumePrice, "")
		if n := number(r.Inputs, "iops") - baselineIOPS; n > 0 {
			e.add("Data", r.Name+": IOPS above 3,000", n, "IOPS", iopsPrice, "")
		}
		if n := number(r.Inputs, "throughput") - baselineMBPerSec; n > 0 {
			e.add("Data", r.Name+": throughput above 125 MB/s", n, "MB/s", throughputPrice, "")
		}
		if len(v.ByType("aws:backup/plan:Plan")) > 0 {
			e.add("Data", r.Name+": backups", number(r.Inputs, "size"), "GB", backupPrice, "one full copy of a full volume; what changes between copies is not counted")
		}
	}
	for _, r := range v.ByType(bucketType) {
		gb, why := assumedBucketGB, fmt.Sprintf("%s GB kept", amount(assumedBucketGB))
		if v.pictures(r) {
			gb, why = assumedPicturesGB, fmt.Sprintf("%s GB of pictures kept, all in the standard class", amount(assumedPicturesGB))
		}
		e.add("Data", r.Name, gb, "GB", bucketPrice, why)
		if v.pictures(r) {
			e.add("Data", r.Name+": requests that write", 2*assumedPictures/1000, "× 1,000", putPrice, amount(assumedPictures)+" pictures a month, each with a thumbnail")
			e.add("Data", r.Name+": requests that read", 100*assumedPictures/1000, "× 1,000", getPrice, "each picture shown 100 times")
		}
	}
	for _, r := range v.ByType(keyType) {
		e.add("Data", r.Name+": key", 1, "key", keyPrice, "")
	}
	nats := v.ByType(natType)
	if n := float64(len(nats)); n > 0 {
		e.add("Network", counted(len(nats), "NAT gateway"), n*hoursPerMonth, "hours", natPrice, "")
		e.add("Network", "NAT gateways: data", assumedNATGB, "GB", natDataPrice, amount(assumedNATGB)+" GB a month through all of them: S3 has endpoints of its own")
	}
	addresses := len(v.ByType(addressType))
	for _, b := range balancers {
		if !boolean(b.Inputs, "internal") {
			addresses += len(list(b.Inputs, "subnets"))
		}
	}
	if addresses > 0 {
		e.add("Network", counted(addresses, "public IPv4 address")+", the load balancer's included", float64(addresses)*hoursPerMonth, "hours", addressPrice, "")
	}
	for _, b := range balancers {
		e.add("Network", b.Name+": load balancer", hoursPerMonth, "hours", balancerPrice, "")
		e.add("Network", b.Name+": capacity", assumedLCU*hoursPerMonth, "LCU-hours", lcuPrice,
			fmt.Sprintf("%s requests a second, each on a connection of its own", amount(assumedRequestsPerSec)))
		e.add("Network", "Data to the internet", assumedOutGB, "GB", transferPrice, amount(assumedOutGB)+" GB a month")
	}
	for _, z := range v.ByType("aws:route53/zone:Zone") {
		e.add("Network", z.Name+": hosted zone", 1, "zone", zonePrice, "")
	}
	for _, r := range v.ByType(endpointType) {
		if r.Text("vpcEndpointType") == "Gateway" {
			continue // free of charge
		}
		e.unpriced("Network", r.Name, "interface endpoints have no price here")
	}
	v.estimateFunctions(&e)
	v.estimateWatching(&e)
	v.estimateRest(&e)
	return e
}

func (v *view) estimateFunctions(e *estimate) {
	onPictures := map[string]bool{}
	for _, n := range v.ByType(notifyType) {
		for _, f := range objects(n.Inputs, "lambdaFunctions") {
			if fn := v.byID[text(f, "lambdaFunctionArn")]; fn != nil {
				onPictures[fn.Name] = true
			}
		}
	}
	for _, f := range v.ByType(functionType) {
		p := functionPriceX86
		if slices.Contains(list(f.Inputs, "architectures"), "arm64") {
			p = functionPriceARM
		}
		gb := number(f.Inputs, "memorySize") / 1024
		if !onPictures[f.Name] {
			e.add("Functions", f.Name, 60*gb, "GB-seconds", p, "called once in a month, for a minute")
			continue
		}
		why := fmt.Sprintf("%s pictures a month, %s second each", amount(assumedPictures), amount(assumedSeconds))
		e.add("Functions", f.Name+": work", assumedPictures*assumedSeconds*gb, "GB-seconds", p, why)
		e.add("Functions", f.Name+": calls", assumedPictures/1e6, "million", invocationPrice, amount(assumedPictures)+" pictures a month")
	}
	for _, q := range v.ByType(queueType) {
		e.add("Functions", q.Name+": queue", 0, "requests", queuePrice, "nothing fails")
	}
}

func (v *view) estimateWatching(e *estimate) {
	flows := map[string]bool{}
	for _, f := range v.ByType("aws:ec2/flowLog:FlowLog") {
		if g := v.byID[f.Text("logDestination")]; g != nil {
			flows[g.Name] = true
		}
	}
	for _, g := range v.ByType("aws:cloudwatch/logGroup:LogGroup") {
		gb := assumedLogsGB
		if flows[g.Name] {
			gb = assumedFlowLogsGB
		}
		e.add("Logs and alarms", g.Name+": logs", gb, "GB", logsPrice, amount(gb)+" GB a month")
	}
	if n := len(v.ByType("aws:cloudwatch/metricAlarm:MetricAlarm")); n > 0 {
		e.add("Logs and alarms", counted(n, "alarm"), float64(n), "alarms", alarmPrice, "")
	}
	if n := len(v.ByType("aws:cloudwatch/dashboard:Dashboard")); n > 0 {
		e.add("Logs and alarms", counted(n, "dashboard"), float64(n), "dashboards", dashboardPrice, "")
	}
}

// priced are the types that estimate has lines for.
var priced = []string{
	instanceType, scalingType, volumeType, bucketType, keyType, natType, addressType, balancerType, "aws:route53/zone:Zone", endpointType,
	functionType, queueType, "aws:cloudwatch/logGroup:LogGroup", "aws:cloudwatch/metricAlarm:MetricAlarm", "aws:cloudwatch/dashboard:Dashboard",
	"aws:backup/plan:Plan",
}

// estimateRest names what may cost something and has no line.
func (v *view) estimateRest(e *estimate) {
	counts := map[string]int{}
	var types []string
	for _, r := range v.Resources {
		if !r.Custom || slices.Contains(priced, r.Type) || slices.ContainsFunc(free, func(f string) bool { return strings.HasPrefix(r.Type, f) }) {
			continue
		}
		if counts[r.Type]++; counts[r.Type] == 1 {
			types = append(types, r.Type)
		}
	}
	slices.Sort(types)
	for _, t := range types {
		e.unpriced("Not estimated", fmt.Sprintf("%d × %s", counts[t], t), "no price of this type is kept here")
	}
}

func (e *estimate) unpriced(group, what, why string) {
	e.Lines = append(e.Lines, costLine{Group: group, What: what, Unknown: why})
	e.Unknown = append(e.Unknown, what+": "+why)
}

// pictures says whether uploads in a bucket call a function.
func (v *view) pictures(bucket *plan.Resource) bool {
	return slices.ContainsFunc(v.ByType(notifyType), func(n *plan.Resource) bool {
		return v.byID[n.Text("bucket")] == bucket && len(objects(n.Inputs, "lambdaFunctions")) > 0
	})
}

// template is the launch template that a group's instances are made from.
func (v *view) template(group *plan.Resource) *plan.Resource {
	return v.byID[group.Text("launchTemplate.id")]
}

// dollars writes an amount with cents; less than half a cent is said to be so.
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
