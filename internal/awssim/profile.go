package awssim

import (
	"regexp"
	"strconv"
	"strings"
)

// profile is what an account has besides what a program creates in it.
type profile struct {
	quotas          map[string]int // by "<service>/<code>" of Service Quotas
	addresses, vpcs []string       // ids
}

// established is an account with AWS's default quotas; in new, as AWS opens accounts, others use most of them.
var (
	established = profile{
		quotas: map[string]int{"ec2/L-0263D0A3": 5, "vpc/L-F678F1CE": 5, "vpc/L-0EA8095F": 60, "lambda/L-B99A9384": 1000, "ec2/L-1216C47A": 64, "ec2/L-DB2E81BA": 64, "ec2/L-7295265B": 64},
		vpcs:   others("vpc", 1),
	}
	opened = profile{
		quotas:    map[string]int{"ec2/L-0263D0A3": 5, "vpc/L-F678F1CE": 5, "vpc/L-0EA8095F": 60, "lambda/L-B99A9384": 10, "ec2/L-1216C47A": 5, "ec2/L-DB2E81BA": 0, "ec2/L-7295265B": 0},
		addresses: others("eipalloc", 4),
		vpcs:      others("vpc", 5),
	}
)

// enabledRegions are those that need no opt-in, and one that the account has enabled.
var enabledRegions = []string{
	"ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-southeast-1", "ap-southeast-2", "ca-central-1", "eu-central-1",
	"eu-north-1", "eu-south-1", "eu-west-1", "eu-west-2", "eu-west-3", "sa-east-1", "us-east-1", "us-east-2", "us-west-1", "us-west-2",
}

func (c Cloud) profile() profile {
	if c.NewAccount {
		return opened
	}
	return established
}

// others returns ids of resources that no program of this account made.
func others(prefix string, n int) (ids []string) {
	for i := range n {
		ids = append(ids, prefix+"-0"+hash("others|"+strconv.Itoa(i), 16))
	}
	return ids
}

// xen matches the instance types whose hypervisor is Xen (EC2 user guide, "Instances built on the Nitro System", lists the others).
var xen = regexp.MustCompile(`^(c1|c3|c4|cc2|cr1|d2|f1|g2|g3|g3s|h1|hs1|i2|i3|m1|m2|m3|m4|p2|p3|r3|r4|t1|t2|x1|x1e)\.`)

// sizes are the numbers of vCPUs that instance types have.
var sizes = []int{2, 4, 8, 12, 16, 24, 32, 36, 40, 48, 64, 72, 96, 128, 192, 224, 384, 448}

// vcpus returns how many vCPUs an instance type has, as most families do: t2 and a medium Graviton have fewer.
func vcpus(instanceType string) int {
	_, size, _ := strings.Cut(instanceType, ".")
	if n, ok := strings.CutSuffix(size, "xlarge"); ok {
		if n == "" {
			return 4
		}
		if count, err := strconv.Atoi(n); err == nil {
			return 4 * count
		}
	}
	return 2
}
