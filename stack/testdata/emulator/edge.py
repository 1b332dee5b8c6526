"""The edge in front of the stack: what AWS does that the emulator lacks.

- CloudFront: it keeps a distribution's config as given, with AWS's defaults; VPC origins, response headers policies and
  monitoring subscriptions exist; ETags are checked; what a distribution refers to must exist, and cannot be deleted while it does.
- WAF: the scope CLOUDFRONT is for us-east-1; a web ACL in use stays; a log's destination is checked.
- Log deliveries: they can be changed; the order of deletion, CloudFront's region and S3 paths, and the bucket's policy are as in AWS.
- EC2: a prefix list counts as its weight in a security group's rules.
- S3: a bucket that blocks public policies refuses one.
"""
import json
import re
import uuid
from copy import deepcopy
from datetime import datetime, timezone

import moto.cloudfront.models as cloudfront
from moto.cloudfront.exceptions import CloudFrontException, DomainNameNotAnS3Bucket, NoSuchDistribution, OriginDoesNotExist
from moto.cloudfront.responses import CloudFrontResponse
from moto.cloudfront.urls import url_paths
from moto.core.responses import ActionResult, EmptyResult
from moto.ec2.exceptions import RulesPerSecurityGroupLimitExceededError
from moto.ec2.models.security_groups import SecurityGroupBackend
from moto.logs.exceptions import ConflictException, ResourceNotFoundException, ValidationException
from moto.logs.models import LogsBackend
from moto.logs.responses import LogsResponse
from moto.s3.exceptions import S3ClientError
from moto.s3.models import S3Backend
from moto.wafv2.exceptions import WAFNonexistentItemException, WAFv2ClientError
from moto.wafv2.models import GLOBAL_REGION, WAFV2Backend
from moto.wafv2.responses import WAFV2Response

GLOBAL = "us-east-1"  # the region of CloudFront's certificates, web ACLs, logs and metrics


def wrap(owner, name):
    """Replaces a method by one that gets the original as its first argument."""
    def replace(method):
        original = getattr(owner, name)
        setattr(owner, name, lambda *args, **kwargs: method(original, *args, **kwargs))
        return method

    return replace


def merged(given, defaults):
    """The given values over the defaults, in nested dicts too."""
    given, result = given or {}, deepcopy(defaults)
    for key, value in given.items():
        result[key] = merged(value, defaults[key]) if isinstance(value, dict) and isinstance(defaults.get(key), dict) else value
    return result


# --- CloudFront: distributions ----------------------------------------------------------------------

CACHE_POLICIES = {
    "658327ea-f89d-4fab-a63d-7e88639e58f6",  # CachingOptimized
    "4135ea2d-6df8-44a3-9df3-4b5a84be39ad",  # CachingDisabled
    "83da9c7e-98b4-4e11-a168-04f0df8e2c65",  # UseOriginCacheControlHeaders
    "4cc15a8a-d715-48a4-82b8-cc0b614638fe",  # UseOriginCacheControlHeaders-QueryStrings
}
ORIGIN_REQUEST_POLICIES = {
    "216adef6-5c7f-47e4-b989-5492eafa07d3",  # AllViewer
    "b689b0a8-53d0-40ab-baf2-68738e2966ac",  # AllViewerExceptHostHeader
    "33f36d7e-f396-46d9-90e0-52428a34d9dc",  # AllViewerAndCloudFrontHeaders-2022-06
}
RESPONSE_HEADERS_POLICIES = {"67f7725c-6f97-4210-82d7-5512b31e9d03"}  # SecurityHeadersPolicy

NONE = {"Quantity": 0}
DISTRIBUTION = {
    "Aliases": NONE, "DefaultRootObject": "", "OriginGroups": NONE, "CacheBehaviors": NONE, "CustomErrorResponses": NONE, "Comment": "",
    "Logging": {"Enabled": False, "IncludeCookies": False, "Bucket": "", "Prefix": ""}, "PriceClass": "PriceClass_All", "WebACLId": "",
    "Restrictions": {"GeoRestriction": {"RestrictionType": "none", "Quantity": 0}}, "HttpVersion": "http2", "IsIPV6Enabled": True,
    "ContinuousDeploymentPolicyId": "", "Staging": False,
}
ORIGIN = {
    "OriginPath": "", "CustomHeaders": NONE, "ConnectionAttempts": 3, "ConnectionTimeout": 10, "OriginShield": {"Enabled": False},
    "OriginAccessControlId": "",
}
BEHAVIOR = {
    "TrustedSigners": {"Enabled": False, "Quantity": 0}, "TrustedKeyGroups": {"Enabled": False, "Quantity": 0}, "SmoothStreaming": False,
    "Compress": False, "LambdaFunctionAssociations": NONE, "FunctionAssociations": NONE, "FieldLevelEncryptionId": "",
    "GrpcConfig": {"Enabled": False},
    "AllowedMethods": {"Quantity": 2, "Items": ["HEAD", "GET"], "CachedMethods": {"Quantity": 2, "Items": ["HEAD", "GET"]}},
}
# Without a certificate of its own a distribution has this, whatever minimum version was asked for.
DEFAULT_CERTIFICATE = {
    "CloudFrontDefaultCertificate": True, "SSLSupportMethod": "vip", "MinimumProtocolVersion": "TLSv1", "CertificateSource": "cloudfront",
}


def fail(code, message):
    raise CloudFrontException(code, message)


def check_etag(entity, if_match):
    if not if_match:
        fail("InvalidIfMatchVersion", "The If-Match version is missing or not valid for the resource.")
    if if_match != entity.etag:
        fail("PreconditionFailed", "The request failed because it didn't meet the preconditions in one or more request-header fields.")


class Config(dict):
    """A distribution's config as it was given, with what AWS adds."""

    def __init__(self, given):
        super().__init__(merged(given, DISTRIBUTION))
        for origin in self["Origins"]["Items"]:
            if "VpcOriginConfig" in origin:
                origin["VpcOriginConfig"] = merged(origin["VpcOriginConfig"], {"OriginReadTimeout": 30, "OriginKeepaliveTimeout": 5})
        self["Origins"]["Items"] = [merged(o, ORIGIN) for o in self["Origins"]["Items"]]
        self["DefaultCacheBehavior"] = merged(self["DefaultCacheBehavior"], BEHAVIOR)
        if self["CacheBehaviors"].get("Items"):
            self["CacheBehaviors"]["Items"] = [merged(b, BEHAVIOR) for b in self["CacheBehaviors"]["Items"]]
        certificate = self.get("ViewerCertificate") or {}
        arn = certificate.get("ACMCertificateArn")
        self["ViewerCertificate"] = {
            **certificate, "CloudFrontDefaultCertificate": False, "Certificate": arn, "CertificateSource": "acm",
        } if arn else dict(DEFAULT_CERTIFICATE)

    @property
    def caller_reference(self):
        return self["CallerReference"]

    def behaviors(self):
        return [self["DefaultCacheBehavior"], *self["CacheBehaviors"].get("Items", [])]

    def vpc_origins(self):
        return {o["VpcOriginConfig"]["VpcOriginId"] for o in self["Origins"]["Items"] if "VpcOriginConfig" in o}

    def check(self, backend, own=None):
        origins = self["Origins"]["Items"]
        if {b["TargetOriginId"] for b in self.behaviors()} - {o["Id"] for o in origins}:
            raise OriginDoesNotExist
        for origin in origins:
            control = origin["OriginAccessControlId"]
            if control and control not in backend.origin_access_controls:
                fail("InvalidOriginAccessControl", f"The origin access control {control} does not exist.")
            if "S3OriginConfig" in origin and not re.search(r"\.s3[.-].*amazonaws\.com$", origin["DomainName"]):
                raise DomainNameNotAnS3Bucket
            if len({"S3OriginConfig", "CustomOriginConfig", "VpcOriginConfig"} & set(origin)) != 1:
                fail("InvalidArgument", f"The origin {origin['Id']} needs one of S3OriginConfig, CustomOriginConfig and VpcOriginConfig.")
        for vpc_origin in self.vpc_origins() - set(backend.vpc_origins):
            fail("EntityNotFound", f"The VPC origin {vpc_origin} was not found.")
        for b in self.behaviors():
            if b.get("CachePolicyId") and b["CachePolicyId"] not in CACHE_POLICIES:
                fail("NoSuchCachePolicy", "The cache policy does not exist.")
            if b.get("CachePolicyId") and "ForwardedValues" in b:
                fail("InvalidArgument", "The parameter ForwardedValues cannot be used when a cache policy is associated to the cache behavior.")
            if b.get("OriginRequestPolicyId") and b["OriginRequestPolicyId"] not in ORIGIN_REQUEST_POLICIES:
                fail("NoSuchOriginRequestPolicy", "The origin request policy does not exist.")
            if b.get("OriginRequestPolicyId") and not b.get("CachePolicyId"):
                fail("InvalidArgument", "An origin request policy needs a cache policy.")
            if b.get("ResponseHeadersPolicyId") and b["ResponseHeadersPolicyId"] not in RESPONSE_HEADERS_POLICIES | set(backend.headers_policies):
                fail("NoSuchResponseHeadersPolicy", "The response headers policy does not exist.")
        if self["DefaultRootObject"].startswith("/"):
            fail("InvalidDefaultRootObject", "The default root object file name is too big or contains an invalid character.")
        self.check_web_acl(backend)
        self.check_aliases(backend, own)

    def check_web_acl(self, backend):
        from moto.wafv2.models import wafv2_backends

        arn = self["WebACLId"]
        if arn and arn not in wafv2_backends[backend.account_id][GLOBAL_REGION].wacls:
            fail("InvalidWebACLId", "The web ACL ID that you specified is not valid: it must be one of scope CLOUDFRONT that exists.")

    def check_aliases(self, backend, own):
        from moto.acm.models import acm_backends

        aliases, arn = self["Aliases"].get("Items", []), self["ViewerCertificate"].get("ACMCertificateArn")
        for other in backend.distributions.values():
            taken = set(aliases) & set(other.distribution_config["Aliases"].get("Items", []))
            if other is not own and taken:
                fail("CNAMEAlreadyExists", f"One or more of the CNAMEs you provided are already associated with a different resource: {taken}")
        if aliases and not arn:
            fail("InvalidViewerCertificate", "To add an alternate domain name (CNAME) to a CloudFront distribution, you must attach a trusted certificate "
                 "that validates your authorization to use the domain name.")
        if not arn:
            return
        bundle = acm_backends[backend.account_id][GLOBAL]._certificates.get(arn)
        if not bundle or bundle.describe()["Certificate"]["Status"] != "ISSUED":
            fail("InvalidViewerCertificate", "The specified SSL certificate doesn't exist, isn't in us-east-1 region, isn't valid, "
                 "or doesn't include a valid certificate chain.")
        names = {bundle.common_name, *bundle.describe()["Certificate"]["SubjectAlternativeNames"]}
        for alias in aliases:
            if alias not in names and "*." + alias.partition(".")[2] not in names:
                fail("InvalidViewerCertificate", "The certificate that is attached to your distribution doesn't cover the alternate domain name (CNAME) "
                     f"that you're trying to add: {alias}")


cloudfront.DistributionConfig = Config
for path in ("vpc-origin", "vpc-origin/ID", "response-headers-policy", "response-headers-policy/ID", "response-headers-policy/ID/config",
             "distributions/ID/monitoring-subscription"):
    url_paths["{0}/2020-05-31/" + path.replace("ID", "(?P<edge_id>[^/]+)") + "$"] = CloudFrontResponse.dispatch


@wrap(cloudfront.Distribution, "__init__")
def distribution_init(original, self, account_id, *args):
    original(self, account_id, *args)
    self.arn = f"arn:aws:cloudfront::{account_id}:distribution/{self.id}"  # global: without a region


@wrap(cloudfront.CloudFrontBackend, "__init__")
def backend_init(original, self, *args, **kwargs):
    original(self, *args, **kwargs)
    self.vpc_origins, self.headers_policies, self.monitored = {}, {}, {}


@wrap(cloudfront.CloudFrontBackend, "create_distribution_with_tags")
def create_distribution(original, self, config, tags):
    Config(config).check(self)
    return original(self, config, tags)


@wrap(cloudfront.CloudFrontBackend, "update_distribution")
def update_distribution(original, self, dist_config, _id, if_match):
    dist, _ = self.get_distribution(_id)
    check_etag(dist, if_match)
    if dist_config["CallerReference"] != dist.distribution_config.caller_reference:
        fail("IllegalUpdate", "The update contains modifications that are not allowed.")
    Config(dist_config).check(self, dist)
    original(self, dist_config, _id, if_match)
    dist.etag, dist.status, dist._tick = cloudfront.random_id(), "InProgress", 0
    return dist, dist.location, dist.etag


@wrap(cloudfront.CloudFrontBackend, "delete_distribution")
def delete_distribution(original, self, distribution_id, if_match):
    dist = self.distributions.get(distribution_id)
    if not dist:
        raise NoSuchDistribution
    check_etag(dist, if_match)
    if dist.distribution_config["Enabled"] or dist.status != "Deployed":
        fail("DistributionNotDisabled", "The distribution you are trying to delete has not been disabled.")
    self.monitored.pop(distribution_id, None)
    return original(self, distribution_id, if_match)


def list_distributions(self):
    items = [{"Id": d.id, "ARN": d.arn, "Status": d.status, "LastModifiedTime": d.last_modified_time, "DomainName": d.domain_name,
              **d.distribution_config} for d in self.backend.list_distributions()]
    return ActionResult({"DistributionList": {"Marker": "", "MaxItems": 100, "IsTruncated": False, "Quantity": len(items), "Items": items or None}})


CloudFrontResponse.list_distributions = list_distributions


def create_monitoring_subscription(self):
    dist, _ = self.backend.get_distribution(self._get_param("DistributionId"))
    if dist.id in self.backend.monitored:
        fail("MonitoringSubscriptionAlreadyExists", "A monitoring subscription already exists for the specified distribution.")
    self.backend.monitored[dist.id] = self._get_param("MonitoringSubscription")
    return ActionResult({"MonitoringSubscription": self.backend.monitored[dist.id]})


def get_monitoring_subscription(self):
    dist, _ = self.backend.get_distribution(self._get_param("DistributionId"))
    if dist.id not in self.backend.monitored:
        fail("NoSuchMonitoringSubscription", "A monitoring subscription does not exist for the specified distribution.")
    return ActionResult({"MonitoringSubscription": self.backend.monitored[dist.id]})


def delete_monitoring_subscription(self):
    get_monitoring_subscription(self)
    del self.backend.monitored[self._get_param("DistributionId")]
    return EmptyResult()


for method in (create_monitoring_subscription, get_monitoring_subscription, delete_monitoring_subscription):
    setattr(CloudFrontResponse, method.__name__, method)


# --- CloudFront: VPC origins ------------------------------------------------------------------------

SERVICE_GROUP = "CloudFront-VPCOrigins-Service-SG"
IN_USE = ("The specified VPC origin is currently associated with one or more distributions. Please disassociate the VPC origin from all distributions "
          "before updating or deleting.")


class VpcOrigin:
    """A way from CloudFront to a load balancer in a VPC. The first in a VPC has CloudFront make a security group there, and
    with the last one it goes."""

    def __init__(self, backend, config):
        self.backend, self.id = backend, "vo_" + cloudfront.random_id(length=22)
        self.arn = f"arn:aws:cloudfront::{backend.account_id}:vpcorigin/{self.id}"
        self.created, self.removed = datetime.now(timezone.utc), False
        self.set(config)

    def set(self, config):
        from moto.ec2.models import ec2_backends
        from moto.elbv2.models import elbv2_backends

        for port in (config["HTTPPort"], config["HTTPSPort"]):
            if port not in (80, 443) and not 1024 <= port <= 65535:
                fail("InvalidArgument", f"The port {port} is neither 80, nor 443, nor of 1024 to 65535.")
        target = re.fullmatch(r"arn:aws:elasticloadbalancing:([\w-]+):(\d+):loadbalancer/(app|net)/.+", config["Arn"])
        if not target or target[2] != self.backend.account_id:
            fail("InvalidArgument", f"{config['Arn']} is not the ARN of a load balancer of this account.")
        balancer = elbv2_backends[target[2]][target[1]].load_balancers.get(config["Arn"])
        if not balancer:
            fail("InvalidArgument", f"The load balancer {config['Arn']} was not found.")
        if balancer.scheme != "internal":  # AWS documents load balancers in private subnets only
            fail("InvalidArgument", f"The load balancer {config['Arn']} is not internal.")
        self.ec2, self.vpc = ec2_backends[target[2]][target[1]], balancer.vpc_id
        if not any(g.vpc and g.vpc.id == self.vpc for g in self.ec2.internet_gateways.values()):
            fail("InvalidArgument", f"The VPC {self.vpc} has no internet gateway.")
        self.config, self.etag = config, cloudfront.random_id()
        self.status, self.changed = "Deploying", datetime.now(timezone.utc)
        if not self.service_group():
            self.ec2.create_security_group(SERVICE_GROUP, "CloudFront VPC origins", vpc_id=self.vpc)

    def service_group(self):
        return next((g for g in self.ec2.groups[self.vpc].values() if g.name == SERVICE_GROUP), None)

    def remove(self):
        del self.backend.vpc_origins[self.id]
        group = self.service_group()
        if group and not any(o.vpc == self.vpc and o.ec2 is self.ec2 for o in self.backend.vpc_origins.values()):
            self.ec2.delete_security_group(group_id=group.group_id)

    def in_use(self):
        return any(self.id in d.distribution_config.vpc_origins() for d in self.backend.distributions.values())

    def answer(self):
        return ActionResult({"ETag": self.etag, "Location": f"https://cloudfront.amazonaws.com/2020-05-31/vpc-origin/{self.id}", "VpcOrigin": {
            "Id": self.id, "Arn": self.arn, "AccountId": self.backend.account_id, "Status": self.status, "CreatedTime": self.created,
            "LastModifiedTime": self.changed, "VpcOriginEndpointConfig": self.config}})


def vpc_origin(self):
    found = self.backend.vpc_origins.get(self._get_param("Id"))
    if not found:
        fail("EntityNotFound", "The VPC origin was not found.")
    return found


def create_vpc_origin(self):
    new = VpcOrigin(self.backend, self._get_param("VpcOriginEndpointConfig"))
    self.backend.vpc_origins[new.id] = new
    self.backend.tag_resource(new.arn, self._get_param("Tags.Items", []))
    return new.answer()


def get_vpc_origin(self):
    found = vpc_origin(self)
    answer = found.answer()
    if found.removed:
        found.remove()
    found.status = "Deployed"
    return answer


def update_vpc_origin(self):
    found = vpc_origin(self)
    check_etag(found, self._get_param("IfMatch"))
    if found.in_use():
        fail("CannotUpdateEntityWhileInUse", IN_USE)
    found.set(self._get_param("VpcOriginEndpointConfig"))
    return found.answer()


def delete_vpc_origin(self):
    found = vpc_origin(self)
    check_etag(found, self._get_param("IfMatch"))
    if found.in_use():
        fail("CannotDeleteEntityWhileInUse", IN_USE)
    found.status, found.removed = "Deploying", True  # until a later look-up finds none
    return found.answer()


def list_vpc_origins(self):
    items = [{"Id": o.id, "Name": o.config["Name"], "Status": o.status, "CreatedTime": o.created, "LastModifiedTime": o.changed, "Arn": o.arn,
              "OriginEndpointArn": o.config["Arn"]} for o in self.backend.vpc_origins.values()]
    return ActionResult({"VpcOriginList": {"Marker": "", "MaxItems": 100, "IsTruncated": False, "Quantity": len(items), "Items": items or None}})


for method in (create_vpc_origin, get_vpc_origin, update_vpc_origin, delete_vpc_origin, list_vpc_origins):
    setattr(CloudFrontResponse, method.__name__, method)


# --- CloudFront: response headers policies, origin access controls ------------------------------------

SECURITY_HEADERS = {"content-security-policy", "referrer-policy", "strict-transport-security", "x-content-type-options", "x-frame-options",
                    "x-xss-protection"}


class HeadersPolicy:
    def __init__(self, backend, config):
        self.backend, self.id = backend, str(uuid.uuid4())
        self.set(config)

    def set(self, config):
        if any(p is not self and p.config["Name"] == config["Name"] for p in self.backend.headers_policies.values()):
            fail("ResponseHeadersPolicyAlreadyExists", f"A response headers policy named {config['Name']} already exists.")
        custom = (config.get("CustomHeadersConfig") or {}).get("Items", [])
        for header in custom:
            if header["Header"].lower() in SECURITY_HEADERS:
                fail("InvalidArgument", f"The parameter CustomHeaders contains {header['Header']} that is a security header and cannot be set as custom header.")
        if len(custom) > 10:
            fail("TooManyCustomHeadersInResponseHeadersPolicy", "The number of custom headers in the response headers policy exceeds the maximum.")
        csp = ((config.get("SecurityHeadersConfig") or {}).get("ContentSecurityPolicy") or {}).get("ContentSecurityPolicy", "")
        if len(csp) > 1783:
            fail("TooLongCSPInResponseHeadersPolicy", "The length of the Content-Security-Policy header value exceeds the maximum.")
        self.config, self.etag, self.changed = merged(config, {"Comment": ""}), cloudfront.random_id(), datetime.now(timezone.utc)

    def answer(self):
        return ActionResult({"ETag": self.etag, "ResponseHeadersPolicy": {
            "Id": self.id, "LastModifiedTime": self.changed, "ResponseHeadersPolicyConfig": self.config}})


def headers_policy(self):
    found = self.backend.headers_policies.get(self._get_param("Id"))
    if not found:
        fail("NoSuchResponseHeadersPolicy", "The response headers policy does not exist.")
    return found


def create_response_headers_policy(self):
    new = HeadersPolicy(self.backend, self._get_param("ResponseHeadersPolicyConfig"))
    self.backend.headers_policies[new.id] = new
    return new.answer()


def get_response_headers_policy(self):
    return headers_policy(self).answer()


def get_response_headers_policy_config(self):
    found = headers_policy(self)
    return ActionResult({"ETag": found.etag, "ResponseHeadersPolicyConfig": found.config})


def update_response_headers_policy(self):
    found = headers_policy(self)
    check_etag(found, self._get_param("IfMatch"))
    found.set(self._get_param("ResponseHeadersPolicyConfig"))
    return found.answer()


def delete_response_headers_policy(self):
    found = headers_policy(self)
    check_etag(found, self._get_param("IfMatch"))
    if any(b.get("ResponseHeadersPolicyId") == found.id for d in self.backend.distributions.values() for b in d.distribution_config.behaviors()):
        fail("ResponseHeadersPolicyInUse", "The specified response headers policy is currently associated with a cache behavior.")
    del self.backend.headers_policies[found.id]
    return EmptyResult()


def access_control_name_is_free(backend, config, own=None):
    if any(c is not own and c.name == config.get("Name") for c in backend.origin_access_controls.values()):
        fail("OriginAccessControlAlreadyExists", "An origin access control with this name already exists.")


@wrap(CloudFrontResponse, "create_origin_access_control")
def create_origin_access_control(original, self):
    access_control_name_is_free(self.backend, self._get_param("OriginAccessControlConfig"))
    return original(self)


@wrap(CloudFrontResponse, "update_origin_access_control")
def update_origin_access_control(original, self):
    control = self.backend.get_origin_access_control(self._get_param("Id"))
    check_etag(control, self._get_param("IfMatch"))
    access_control_name_is_free(self.backend, self._get_param("OriginAccessControlConfig"), control)
    control.etag = cloudfront.random_id()
    return original(self)


@wrap(CloudFrontResponse, "delete_origin_access_control")
def delete_origin_access_control(original, self):
    control = self.backend.get_origin_access_control(self._get_param("Id"))
    check_etag(control, self._get_param("IfMatch"))
    if any(o["OriginAccessControlId"] == control.id for d in self.backend.distributions.values() for o in d.distribution_config["Origins"]["Items"]):
        fail("OriginAccessControlInUse", "Cannot delete the origin access control because it's in use by one or more distributions.")
    return original(self)


for method in (create_response_headers_policy, get_response_headers_policy, get_response_headers_policy_config, update_response_headers_policy,
               delete_response_headers_policy):
    setattr(CloudFrontResponse, method.__name__, method)


# --- WAF --------------------------------------------------------------------------------------------

MANAGED_GROUPS = {  # of AWS: the capacity that each takes
    "AWSManagedRulesCommonRuleSet": 700, "AWSManagedRulesAdminProtectionRuleSet": 100, "AWSManagedRulesKnownBadInputsRuleSet": 200,
    "AWSManagedRulesSQLiRuleSet": 200, "AWSManagedRulesLinuxRuleSet": 200, "AWSManagedRulesUnixRuleSet": 100, "AWSManagedRulesPHPRuleSet": 100,
    "AWSManagedRulesWindowsRuleSet": 200, "AWSManagedRulesWordPressRuleSet": 100, "AWSManagedRulesAmazonIpReputationList": 25,
    "AWSManagedRulesAnonymousIpList": 50, "AWSManagedRulesBotControlRuleSet": 50,
}


def waf_refuses(reason, field, value, code="WAFInvalidParameterException"):
    raise WAFv2ClientError(code, f"Error reason: {reason}, field: {field}, parameter: {value}")


def check_rules(rules):
    priorities = [r["Priority"] for r in rules]
    if len(set(priorities)) != len(priorities):
        waf_refuses("Your request contains rules of the same priority", "RULE_PRIORITY", priorities)
    for rule in rules:
        group = rule["Statement"].get("ManagedRuleGroupStatement")
        if group and (group["VendorName"] != "AWS" or group["Name"] not in MANAGED_GROUPS):
            waf_refuses("The managed rule group does not exist", "MANAGED_RULE_GROUP", group["Name"])
        of_group = bool(group) or "RuleGroupReferenceStatement" in rule["Statement"]
        if ("OverrideAction" in rule) != of_group or ("Action" in rule) == of_group:
            waf_refuses("A rule that uses a rule group has an override action, any other an action", "RULE", rule["Name"])


@wrap(WAFV2Response, "call_action")
def call_waf(original, self):
    body = json.loads(self.body or "{}")
    if body.get("Scope") == "CLOUDFRONT" and self.region != GLOBAL:
        body_error = {"__type": "WAFInvalidParameterException",
                      "message": "Error reason: The scope is not valid., field: SCOPE_VALUE, parameter: CLOUDFRONT"}
        return 400, {"status": "400", "x-amzn-errortype": "WAFInvalidParameterException"}, json.dumps(body_error)
    return original(self)


@wrap(WAFV2Response, "create_web_acl")
def create_web_acl(original, self):
    check_rules(json.loads(self.body).get("Rules", []))
    return original(self)


@wrap(WAFV2Response, "update_web_acl")
def update_web_acl(original, self):
    body = json.loads(self.body)
    check_rules(body.get("Rules", []))
    answer = original(self)
    acl = self.wafv2_backend.get_web_acl(None, body["Name"], body["Id"])
    # An update says all; what it leaves out is gone.
    acl.description, acl.rules = body.get("Description") or "", acl.rules if body.get("Rules") else []
    return answer


@wrap(WAFV2Backend, "get_web_acl")
def get_web_acl(original, self, *args):
    acl = original(self, *args)
    acl.capacity = 0
    for rule in acl.rules:
        acl.capacity += MANAGED_GROUPS.get(rule.statement.get("ManagedRuleGroupStatement", {}).get("Name"), 2)
        if rate := rule.statement.get("RateBasedStatement"):
            rate.setdefault("EvaluationWindowSec", 300)
    return acl


@wrap(WAFV2Backend, "delete_web_acl")
def delete_web_acl(original, self, name, scope, _id, lock_token):
    acl = self.get_web_acl(None, name, _id)
    distributions = cloudfront.cloudfront_backends[self.account_id]["aws"].distributions.values()
    if acl.associated_resources or any(d.distribution_config["WebACLId"] == acl.arn for d in distributions):
        raise WAFv2ClientError("WAFAssociatedItemException", "AWS WAF couldn't perform the operation because your resource is being used by another "
                               "resource or it's associated with another resource.")
    self.logging_configurations.pop(acl.arn, None)
    return original(self, name, scope, _id, lock_token)


@wrap(WAFV2Backend, "put_logging_configuration")
def put_logging_configuration(original, self, arn, destinations, *args):
    from moto.logs.models import logs_backends
    from moto.wafv2.models import wafv2_backends

    scope = GLOBAL_REGION if ":global/" in arn else self.region_name
    if arn not in wafv2_backends[self.account_id][scope].wacls:
        raise WAFNonexistentItemException
    for destination in destinations:
        service, region, name = destination.split(":")[2], destination.split(":")[3], re.split("[:/]", destination)[-1]
        if service not in ("logs", "s3", "firehose") or not name.startswith("aws-waf-logs-"):
            waf_refuses("The ARN isn't valid. A valid ARN begins with arn: and includes other information separated by colons or slashes.",
                        "LOG_DESTINATION", destination)
        if service == "logs" and (region != self.region_name or name not in logs_backends[self.account_id][region].groups):
            raise WAFv2ClientError("WAFLogDestinationPermissionIssueException", f"The log group {destination} is not one of this region.")
    return original(self, arn, destinations, *args)


# --- log deliveries ---------------------------------------------------------------------------------

@wrap(LogsBackend, "put_delivery_source")
def put_delivery_source(original, self, name, resource_arn, log_type, tags):
    if ":cloudfront:" in resource_arn:
        distributions = cloudfront.cloudfront_backends[self.account_id]["aws"].distributions.values()
        if self.region_name != GLOBAL or resource_arn not in {d.arn for d in distributions}:
            raise ResourceNotFoundException("Cannot access provided resource: distributions are logged in us-east-1.")
    if any(s.name != name and resource_arn in s.resource_arns for s in self.delivery_sources.values()):
        raise ConflictException("This ResourceId has already been used in another Delivery Source in this account.")
    return original(self, name=name, resource_arn=resource_arn, log_type=log_type, tags=tags)


def check_path(settings):
    settings = settings or {}
    if settings.get("enableHiveCompatiblePath") and "=" in settings.get("suffixPath", ""):
        raise ValidationException("Provided suffixPath is invalid.")


def let_logs_in(account, bucket_name):
    """AWS adds a statement to the policy of a bucket that does not let log deliveries write."""
    from moto.s3.models import s3_backends

    bucket = s3_backends[account]["aws"].get_bucket(bucket_name)
    policy = json.loads(bucket.policy or '{"Version": "2012-10-17", "Statement": []}')
    if any(s["Effect"] == "Allow" and "delivery.logs.amazonaws.com" in json.dumps(s.get("Principal")) for s in policy["Statement"]):
        return
    policy["Statement"].append({
        "Sid": "AWSLogDeliveryWrite", "Effect": "Allow", "Principal": {"Service": "delivery.logs.amazonaws.com"}, "Action": "s3:PutObject",
        "Resource": f"arn:aws:s3:::{bucket_name}/AWSLogs/{account}/*", "Condition": {"StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control"}},
    })
    bucket.policy = json.dumps(policy).encode()


@wrap(LogsBackend, "create_delivery")
def create_delivery(original, self, delivery_source_name, delivery_destination_arn, s3_delivery_configuration, **rest):
    check_path(s3_delivery_configuration)
    delivery = original(self, delivery_source_name=delivery_source_name, delivery_destination_arn=delivery_destination_arn,
                        s3_delivery_configuration=deepcopy(s3_delivery_configuration), **rest)
    if delivery.destination_type == "S3":
        destination = next(d for d in self.delivery_destinations.values() if d.arn == delivery_destination_arn)
        bucket, _, prefix = destination.delivery_destination_configuration["destinationResourceArn"].split(":::")[1].partition("/")
        settings = delivery.s3_delivery_configuration
        path = settings.get("suffixPath", "")
        # Only here, not where the path is changed later.
        if self.delivery_sources[delivery_source_name].service == "cloudfront" and not prefix and not path.startswith("AWSLogs/"):
            settings["suffixPath"] = "AWSLogs/{account-id}/CloudFront/" + path.lstrip("/")
        let_logs_in(self.account_id, bucket)
    return delivery


def update_delivery_configuration(self):
    delivery = self.logs_backend.get_delivery(self._get_param("id"))
    check_path(self._get_param("s3DeliveryConfiguration"))
    for name, attribute in (("recordFields", "record_fields"), ("fieldDelimiter", "field_delimiter")):
        if self._get_param(name) is not None:
            setattr(delivery, attribute, self._get_param(name))
    delivery.s3_delivery_configuration = {**delivery.s3_delivery_configuration, **(self._get_param("s3DeliveryConfiguration") or {})}
    return "{}"


LogsResponse.update_delivery_configuration = update_delivery_configuration


@wrap(LogsBackend, "put_delivery_destination")
def put_delivery_destination(original, self, name, output_format, delivery_destination_configuration, tags):
    from moto.s3.models import s3_backends

    arn = delivery_destination_configuration["destinationResourceArn"]
    if arn.startswith("arn:aws:s3:::") and arn.split(":::")[1].partition("/")[0] not in s3_backends[self.account_id]["aws"].buckets:
        raise ResourceNotFoundException("The destination bucket does not exist.")
    old = self.delivery_destinations.get(name)
    new = original(self, name=name, output_format=output_format or (old and old.output_format),
                   delivery_destination_configuration=delivery_destination_configuration, tags=tags)
    if old:
        new.tags, new.policy = old.tags, old.policy
    return new


@wrap(LogsBackend, "delete_delivery_source")
def delete_delivery_source(original, self, name):
    if any(d.delivery_source_name == name for d in self.deliveries.values()):
        raise ConflictException("This Delivery Source is used by a Delivery. Delete the Delivery first.")
    return original(self, name)


@wrap(LogsBackend, "delete_delivery_destination")
def delete_delivery_destination(original, self, name):
    if any(d.delivery_destination_arn == self.get_delivery_destination(name).arn for d in self.deliveries.values()):
        raise ConflictException("This Delivery Destination is used by a Delivery. Delete the Delivery first.")
    return original(self, name)


# --- security groups --------------------------------------------------------------------------------

WEIGHTS = {"com.amazonaws.global.cloudfront.origin-facing": 55, "com.amazonaws.global.groundstation": 5}  # of AWS's prefix lists; of others 1
RULES = 60  # of a group, in each direction, for IPv4 and for IPv6


def check_rule_count(original, self, *args, **kwargs):
    added, group = original(self, *args, **kwargs)
    for rules in (group.ingress_rules, group.egress_rules):
        count = {4: 0, 6: 0}
        for rule in rules:
            prefix_list = self.managed_prefix_lists.get(rule.prefix_list_id)
            if prefix_list:
                count[int(prefix_list.address_family[-1])] += int(prefix_list.max_entries or WEIGHTS.get(prefix_list.prefix_list_name, 1))
            elif (rule.ip_range or {}).get("CidrIpv6"):
                count[6] += 1
            elif (rule.ip_range or {}).get("CidrIp"):
                count[4] += 1
            else:  # a group counts for both
                count = {family: n + 1 for family, n in count.items()}
        if max(count.values()) > RULES:
            rules[:] = [rule for rule in rules if rule not in added]
            raise RulesPerSecurityGroupLimitExceededError
    return added, group


wrap(SecurityGroupBackend, "authorize_security_group_ingress")(check_rule_count)
wrap(SecurityGroupBackend, "authorize_security_group_egress")(check_rule_count)


# --- bucket policies --------------------------------------------------------------------------------

# Conditions that keep a statement for everyone from being public, where their value is fixed.
NARROWING = {"aws:sourcearn", "aws:sourceaccount", "aws:sourcevpc", "aws:sourcevpce", "aws:sourceip", "aws:sourceowner", "aws:principalorgid",
             "aws:principalorgpaths", "aws:principalaccount", "aws:principalarn", "aws:userid", "s3:dataaccesspointaccount", "s3:dataaccesspointarn"}


class AccessDenied(S3ClientError):
    code = 403

    def __init__(self):
        super().__init__("AccessDenied", "User is not authorized to perform: s3:PutBucketPolicy because public policies are blocked by the "
                         "BlockPublicPolicy block public access setting.")


def is_public(statement):
    principal = statement.get("Principal")
    everyone = principal.get("AWS") if isinstance(principal, dict) else principal
    if statement["Effect"] != "Allow" or "*" not in (everyone if isinstance(everyone, list) else [everyone]):
        return False
    for operator, conditions in statement.get("Condition", {}).items():
        for key, values in conditions.items():
            values = values if isinstance(values, list) else [values]
            if "Not" not in operator and key.lower() in NARROWING and not any("*" in v or v in ("0.0.0.0/0", "::/0") for v in values):
                return False
    return True


@wrap(S3Backend, "put_bucket_policy")
def put_bucket_policy(original, self, bucket_name, policy):
    block, statements = self.get_bucket(bucket_name).public_access_block, json.loads(policy)["Statement"]
    if block and block.block_public_policy and any(is_public(s) for s in (statements if isinstance(statements, list) else [statements])):
        raise AccessDenied
    return original(self, bucket_name, policy)
