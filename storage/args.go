package storage

import (
	"fmt"
	"slices"
	"strings"

	"cinema-database/app/contract"
	"cinema-database/internal/environment"
	"cinema-database/internal/problem"
)

// Args are the environment of the buckets, the retention of access logs, and the artifacts.
type Args struct {
	environment.Environment
	// LogRetentionDays until access logs expire, at least 1.
	LogRetentionDays int
	// EdgeLogsFrom is the region from which the access logs of the edge come, empty without the edge.
	EdgeLogsFrom string
	// Artifacts are uploaded to the artifacts bucket, each binary once.
	Artifacts []Artifact
}

func (a *Args) check() error {
	l := problem.In("storage: ")
	if len(a.Account) != 12 || strings.Trim(a.Account, "0123456789") != "" {
		l.Add("account", a.Account, "is not an AWS account", "write its twelve digits")
	}
	if a.LogRetentionDays < 1 {
		l.Add("logRetentionDays", a.LogRetentionDays, "would keep no access log", "keep them for one day or more")
	}
	var names []string
	for i, artifact := range a.Artifacts {
		at := fmt.Sprintf("artifacts[%d]", i)
		if artifact.Binary == nil {
			l.Add(at, "", "has no binary", "name one of "+strings.Join(contract.Names(), ", "))
			continue
		}
		if slices.Contains(names, artifact.Name) {
			l.Add(at, artifact.Name, "appears twice", "remove one")
		}
		names = append(names, artifact.Name)
	}
	return l.Err()
}
