package edge

import "slices"

// withoutVPCOrigins are the ids of the availability zones that VPC origins do not support, in regions that have them
// (CloudFront developer guide, "Restrict access with VPC origins"). In the older regions each account has other names for
// the zones; the ids are the same everywhere.
var withoutVPCOrigins = []string{"apne1-az3", "apne2-az1", "cac1-az3", "use1-az3", "usw1-az2"}

// MissingIn lists what the edge needs and the availability zone with that id does not offer.
func (s Settings) MissingIn(zoneID string) []string {
	if s.On() && slices.Contains(withoutVPCOrigins, zoneID) {
		return []string{"CloudFront's VPC origins"}
	}
	return nil
}
