package review

import (
	"cmp"
	"slices"
	"strings"

	"cinema-database/internal/plan"
)

// operations is the group of what the stack has in its own region.
const operations = "Operations"

// put adds a node to the group of a region, "" for the VPC's.
func (t *topology) put(region string, n node) {
	name := operations
	if region != "" {
		name = "Region " + region
	}
	i := slices.IndexFunc(t.Groups, func(g group) bool { return g.Name == name })
	if i < 0 {
		i, t.Groups = len(t.Groups), append(t.Groups, group{Name: name})
	}
	t.Groups[i].Nodes = append(t.Groups[i].Nodes, n)
}

// placeGroups groups backups, notifications, repositories and logs. The buckets in other regions are in their groups already.
func (v *view) placeGroups(t *topology) {
	put := func(r *plan.Resource, n node) {
		n.ID, n.Name = id(r), r.Name
		t.put(v.elsewhere(r), n)
	}
	for _, b := range v.ByType(bucketType) {
		if source := v.copiedFrom(b); source != nil {
			t.Flows = append(t.Flows, flow{id(source), id(b), "copies", "copy"})
		}
	}
	v.placeVaults(t, put)
	for _, topic := range v.ByType(topicType) {
		n := node{Kind: "monitoring", Title: "Notifications"}
		alarms, events := 0, 0
		for _, a := range v.ByType(alarmType) {
			if slices.ContainsFunc(list(a.Inputs, "alarmActions"), func(arn string) bool { return v.byID[arn] == topic }) {
				alarms++
				n.With = append(n.With, a.Name)
			}
		}
		for _, e := range v.ByType("aws:cloudwatch/eventTarget:EventTarget") {
			if v.byID[e.Text("arn")] == topic {
				events++
			}
		}
		n.Notes = []string{"of " + counted(alarms, "alarm") + " and " + counted(events, "event rule")}
		for _, s := range v.ByType("aws:sns/topicSubscription:TopicSubscription") {
			if v.byID[s.Text("topic")] == topic {
				n.Notes = append(n.Notes, "by "+s.Text("protocol"))
			}
		}
		put(topic, n)
	}
	for _, r := range v.ByType(repositoryType) {
		n := node{Kind: "storage", Title: "Repository", Notes: []string{"container images of " + cmp.Or(serviceName(r.Name), r.Name)}}
		if r.Text("imageTagMutability") == "IMMUTABLE" {
			n.Notes = append(n.Notes, "tags cannot be overwritten")
		}
		put(r, n)
	}
	for _, l := range v.ByType(logGroupType) {
		kept := "kept forever"
		if days := int(number(l.Inputs, "retentionInDays")); days > 0 {
			kept = "kept " + counted(days, "day")
		}
		put(l, node{Kind: "monitoring", Title: "Logs", Notes: []string{kept}})
	}
	slices.SortStableFunc(t.Groups, func(a, b group) int { return strings.Compare(a.Name, b.Name) }) // Operations, then the regions
}

// placeVaults puts the backup vaults, with the plans that fill them.
func (v *view) placeVaults(t *topology, put func(*plan.Resource, node)) {
	for _, vault := range v.ByType(vaultType) {
		n := node{Kind: "storage", Title: "Backup vault"}
		for _, p := range v.ByType(backupPlanType) {
			var names []string
			for _, rule := range objects(p.Inputs, "rules") {
				target := v.byID[text(rule, "targetVaultName")]
				for _, c := range objects(rule, "copyActions") {
					if target != nil && v.byID[text(c, "destinationVaultArn")] == vault {
						t.Flows = append(t.Flows, flow{id(target), id(vault), "copies", "copy"})
					}
				}
				if target == vault {
					names = append(names, text(rule, "ruleName"))
					n.Notes = append(n.Notes, text(rule, "ruleName")+", kept "+counted(int(number(rule, "lifecycle.deleteAfter")), "day"))
				}
			}
			if len(names) == 0 {
				continue
			}
			for _, source := range v.backedUp(p) {
				t.Flows = append(t.Flows, flow{id(source), id(vault), strings.Join(names, ", "), "copy"})
			}
		}
		put(vault, n)
	}
}

// backedUp are the resources that a backup plan backs up.
func (v *view) backedUp(p *plan.Resource) (all []*plan.Resource) {
	for _, s := range v.ByType("aws:backup/selection:Selection") {
		if v.byID[s.Text("planId")] != p {
			continue
		}
		for _, arn := range list(s.Inputs, "resources") {
			if source := v.byID[arn]; source != nil {
				all = append(all, source)
			}
		}
	}
	return all
}

// logsIn describes the logs that a bucket receives.
func (v *view) logsIn(b *plan.Resource) []string {
	var notes []string
	buckets := 0
	for _, l := range v.ByType("aws:s3/bucketLoggingV2:BucketLoggingV2") {
		if v.byID[l.Text("targetBucket")] == b {
			buckets++
		}
	}
	if buckets > 0 {
		notes = append(notes, "access logs of "+counted(buckets, "bucket"))
	}
	for _, l := range v.ByType("aws:cloudwatch/logDeliveryDestination:LogDeliveryDestination") {
		if v.byID[l.Text("deliveryDestinationConfiguration.destinationResourceArn")] == b {
			notes = append(notes, "receives "+l.Name)
		}
	}
	return notes
}

// elsewhere is the region of a resource in another region than the VPC's, "" for one in the VPC's.
func (v *view) elsewhere(r *plan.Resource) string {
	if region := v.regions[r.Provider]; region != v.region {
		return region
	}
	return ""
}
