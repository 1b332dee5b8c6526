package review

// On-demand prices of us-east-1 in US dollars, without tax and before free tiers, as AWS listed them in June 2026. Each
// price names the page that lists it. To update a price, change pricesAsOf too.
const (
	pricesRegion = "us-east-1"
	pricesAsOf   = "June 2026"
	// hoursPerMonth is AWS's convention: 365 × 24 / 12.
	hoursPerMonth = 730
)

// price is the price of one unit.
type price struct {
	USD    float64
	Unit   string
	Source string // the AWS page that lists it
}

// instancePrices are per hour, Linux, shared tenancy.
// Source: https://aws.amazon.com/ec2/pricing/on-demand/
var instancePrices = map[string]float64{
	"t4g.nano": 0.0042, "t4g.micro": 0.0084, "t4g.small": 0.0168, "t4g.medium": 0.0336, "t4g.large": 0.0672, "t4g.xlarge": 0.1344, "t4g.2xlarge": 0.2688,
	"t3.nano": 0.0052, "t3.micro": 0.0104, "t3.small": 0.0208, "t3.medium": 0.0416, "t3.large": 0.0832, "t3.xlarge": 0.1664, "t3.2xlarge": 0.3328,
	"t3a.nano": 0.0047, "t3a.micro": 0.0094, "t3a.small": 0.0188, "t3a.medium": 0.0376, "t3a.large": 0.0752, "t3a.xlarge": 0.1504, "t3a.2xlarge": 0.3008,
	"m6g.medium": 0.0385, "m6g.large": 0.077, "m6g.xlarge": 0.154, "m6g.2xlarge": 0.308, "m6g.4xlarge": 0.616,
	"m7g.medium": 0.0408, "m7g.large": 0.0816, "m7g.xlarge": 0.1632, "m7g.2xlarge": 0.3264, "m7g.4xlarge": 0.6528,
	"m6i.large": 0.096, "m6i.xlarge": 0.192, "m6i.2xlarge": 0.384, "m6i.4xlarge": 0.768,
	"m7i.large": 0.1008, "m7i.xlarge": 0.2016, "m7i.2xlarge": 0.4032,
	"c6g.medium": 0.034, "c6g.large": 0.068, "c6g.xlarge": 0.136, "c6g.2xlarge": 0.272, "c6g.4xlarge": 0.544,
	"c7g.medium": 0.0363, "c7g.large": 0.0725, "c7g.xlarge": 0.145, "c7g.2xlarge": 0.29,
	"c6i.large": 0.085, "c6i.xlarge": 0.17, "c6i.2xlarge": 0.34, "c6i.4xlarge": 0.68,
	"r6g.large": 0.1008, "r6g.xlarge": 0.2016, "r6g.2xlarge": 0.4032, "r6g.4xlarge": 0.8064,
	"r7g.large": 0.1071, "r7g.xlarge": 0.2142, "r7g.2xlarge": 0.4284,
	"r6i.large": 0.126, "r6i.xlarge": 0.252, "r6i.2xlarge": 0.504,
}

// hostSize is what an instance has for tasks.
type hostSize struct {
	cpus, gb float64
	// interfaces is the number of network interfaces: the instance's own, and one for each task.
	interfaces int
}

// hostSizes are by family, without its generation, and size.
// Source: https://docs.aws.amazon.com/ec2/latest/instancetypes/
var hostSizes = map[string]map[string]hostSize{
	"t": {"nano": {2, 0.5, 2}, "micro": {2, 1, 2}, "small": {2, 2, 3}, "medium": {2, 4, 3}, "large": {2, 8, 3}, "xlarge": {4, 16, 4}, "2xlarge": {8, 32, 4}},
	"m": {"medium": {1, 4, 2}, "large": {2, 8, 3}, "xlarge": {4, 16, 4}, "2xlarge": {8, 32, 4}, "4xlarge": {16, 64, 8}},
	"c": {"medium": {1, 2, 2}, "large": {2, 4, 3}, "xlarge": {4, 8, 4}, "2xlarge": {8, 16, 4}, "4xlarge": {16, 32, 8}},
	"r": {"medium": {1, 8, 2}, "large": {2, 16, 3}, "xlarge": {4, 32, 4}, "2xlarge": {8, 64, 4}, "4xlarge": {16, 128, 8}},
}

const (
	ec2Page        = "https://aws.amazon.com/ec2/pricing/on-demand/"
	ebsPage        = "https://aws.amazon.com/ebs/pricing/"
	vpcPage        = "https://aws.amazon.com/vpc/pricing/"
	balancerPage   = "https://aws.amazon.com/elasticloadbalancing/pricing/"
	s3Page         = "https://aws.amazon.com/s3/pricing/"
	lambdaPage     = "https://aws.amazon.com/lambda/pricing/"
	cloudwatchPage = "https://aws.amazon.com/cloudwatch/pricing/"
	cloudfrontPage = "https://aws.amazon.com/cloudfront/pricing/"
	firewallPage   = "https://aws.amazon.com/waf/pricing/"
	fargatePage    = "https://aws.amazon.com/fargate/pricing/"
	endpointPage   = "https://aws.amazon.com/privatelink/pricing/"
)

var (
	volumePrice      = price{0.08, "GB-month", ebsPage} // gp3, with 3,000 IOPS and 125 MB/s
	iopsPrice        = price{0.005, "IOPS-month", ebsPage}
	throughputPrice  = price{0.04, "MB/s-month", ebsPage}
	backupPrice      = price{0.05, "GB-month", "https://aws.amazon.com/backup/pricing/"}
	natPrice         = price{0.045, "hour", vpcPage}
	natDataPrice     = price{0.045, "GB", vpcPage}
	addressPrice     = price{0.005, "hour", vpcPage} // any public IPv4 address, in use or not
	balancerPrice    = price{0.0225, "hour", balancerPage}
	lcuPrice         = price{0.008, "LCU-hour", balancerPage}
	transferPrice    = price{0.09, "GB", ec2Page + "#Data_Transfer"}
	regionsPrice     = price{0.02, "GB", ec2Page + "#Data_Transfer"}  // from us-east-1 to another region
	zonesPrice       = price{0.02, "GB", ec2Page + "#Data_Transfer"}  // between availability zones: 0.01 in each direction
	edgeDataPrice    = price{0.085, "GB", cloudfrontPage}             // to viewers in the United States and in Europe
	edgeRequestPrice = price{0.01, "10,000 requests", cloudfrontPage} // HTTPS, from viewers in the United States
	aclPrice         = price{5, "web-ACL-month", firewallPage}
	aclRulePrice     = price{1, "rule-month", firewallPage} // a managed rule group is one rule
	aclRequestPrice  = price{0.60, "million requests", firewallPage}
	bucketPrice      = price{0.023, "GB-month", s3Page}
	putPrice         = price{0.005, "1,000 requests", s3Page}
	getPrice         = price{0.0004, "1,000 requests", s3Page}
	functionPriceARM = price{0.0000133334, "GB-second", lambdaPage}
	functionPriceX86 = price{0.0000166667, "GB-second", lambdaPage}
	invocationPrice  = price{0.20, "million requests", lambdaPage}
	keyPrice         = price{1, "key-month", "https://aws.amazon.com/kms/pricing/"}
	hostedZonePrice  = price{0.50, "hosted-zone-month", "https://aws.amazon.com/route53/pricing/"}
	queuePrice       = price{0.40, "million requests", "https://aws.amazon.com/sqs/pricing/"}
	logsPrice        = price{0.50, "GB ingested", cloudwatchPage}
	metricPrice      = price{0.30, "metric-month", cloudwatchPage}
	alarmPrice       = price{0.10, "alarm-month", cloudwatchPage}
	dashboardPrice   = price{3, "dashboard-month", cloudwatchPage}
	// Linux, with 20 GB of storage for each task.
	taskCPUPriceARM   = price{0.03238, "vCPU-hour", fargatePage}
	taskCPUPriceX86   = price{0.04048, "vCPU-hour", fargatePage}
	taskGBPriceARM    = price{0.00356, "GB-hour", fargatePage}
	taskGBPriceX86    = price{0.004445, "GB-hour", fargatePage}
	endpointPrice     = price{0.01, "hour", endpointPage} // of an interface endpoint in one availability zone
	endpointDataPrice = price{0.01, "GB", endpointPage}
	repositoryPrice   = price{0.10, "GB-month", "https://aws.amazon.com/ecr/pricing/"}
	// The metrics of Container Insights, by their dimensions. Source: CloudWatch user guide, "Amazon ECS Container Insights metrics".
	clusterMetrics   = 13.0
	serviceMetrics   = 15.0
	familyMetrics    = 10.0
	detailedMetrics  = 7.0 // metrics per instance with EC2's detailed monitoring
	edgeMetrics      = 8.0 // CloudFront's additional metrics of a distribution
	edgeFreeGB       = 1024.0
	edgeFreeRequests = 10e6
	baselineIOPS     = 3000.0
	baselineMBPerSec = 125.0
)

// The assumed usage per month.
const (
	assumedRequestsPerSec = 4.0   // of the API, on average
	assumedOutGB          = 100.0 // from the load balancer or the distribution to the internet
	assumedNATGB          = 10.0  // through all NAT gateways; S3 traffic uses a gateway endpoint
	assumedImages         = 10000.0
	assumedImagesGB       = 100.0 // stored
	assumedNewImagesGB    = 10.0  // of each month, with thumbnails
	assumedWritesGB       = 5.0   // to the database
	assumedBucketGB       = 5.0   // in each bucket without images
	assumedFlowLogsGB     = 2.0
	assumedLogsGB         = 0.2 // in each log group that is not a flow log's
	assumedSeconds        = 1.0 // of Lambda run time for each image
	assumedRepositoryGB   = 1.0 // of container images in each repository
	assumedEndpointGB     = 1.0 // through all interface endpoints; layers of images use the gateway endpoint for S3
)

// assumedRequests is the same as assumedRequestsPerSec, per month.
const assumedRequests = assumedRequestsPerSec * 3600 * hoursPerMonth

// assumedLCU is the load balancer's capacity units for that traffic: one for each 25 new connections per second or 1 GB
// per hour, whichever is more.
var assumedLCU = max(assumedRequestsPerSec/25, assumedOutGB/hoursPerMonth)

// freePrefixes are the prefixes of the types that have no charge of their own.
var freePrefixes = []string{
	"aws:acm/", "aws:appautoscaling/", "aws:autoscaling/", "aws:budgets/", "aws:cloudfront/originAccessControl:", "aws:cloudfront/responseHeadersPolicy:",
	"aws:cloudfront/vpcOrigin:", "aws:cloudwatch/event", "aws:cloudwatch/logDelivery", "aws:cloudwatch/logMetricFilter:", "aws:cloudwatch/logResourcePolicy:",
	"aws:ec2/defaultSecurityGroup:", "aws:ec2/flowLog:", "aws:ec2/internetGateway:", "aws:ec2/launchTemplate:", "aws:ec2/networkAcl:",
	"aws:ec2/route:", "aws:ec2/routeTable:", "aws:ec2/routeTableAssociation:", "aws:ec2/securityGroup", "aws:ec2/subnet:",
	"aws:ec2/volumeAttachment:", "aws:ec2/vpc:", "aws:ecr/lifecyclePolicy:", "aws:ecs/",
	"aws:iam/", "aws:kms/alias:", "aws:lambda/functionEventInvokeConfig:",
	"aws:lambda/invocation:", "aws:lambda/permission:", "aws:lb/listener", "aws:lb/targetGroup", "aws:route53/record:",
	"aws:s3/bucket", "aws:sns/", "aws:sqs/queuePolicy:", "aws:backup/selection:", "aws:backup/vault", "aws:vpc/securityGroup",
	"aws:wafv2/webAclLoggingConfiguration:", "pulumi:index:Stash",
}
