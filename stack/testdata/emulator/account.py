"""The account's quotas, of which the emulator has only those of VPCs. The provider asks for them at the endpoint that
AWS_ENDPOINT_URL_SERVICE_QUOTAS names.

The file `account` in the folder of E2E_UNHEALTHY says what the account is: `new` (small quotas), or anything else.
"""
import os
from pathlib import Path

from moto.servicequotas.exceptions import NoSuchResource
from moto.servicequotas.models import ServiceQuotasBackend
from moto.servicequotas.responses import ServiceQuotasResponse

# By service and code: name, quota of an established account, quota of a new one.
QUOTAS = {
    ("ec2", "L-0263D0A3"): ("EC2-VPC Elastic IPs", 5, 1),
    ("vpc", "L-F678F1CE"): ("VPCs per Region", 5, 1),  # the emulator's default VPC is one
    ("lambda", "L-B99A9384"): ("Concurrent executions", 1000, 10),
    ("ec2", "L-1216C47A"): ("Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances", 64, 5),
}


def is_new():
    path = Path(os.environ.get("E2E_UNHEALTHY", "/nonexistent/x")).parent / "account"
    return path.exists() and path.read_text().strip() == "new"


def get_service_quota(self, service_code, quota_code):
    if (service_code, quota_code) not in QUOTAS:
        raise NoSuchResource
    name, established, new = QUOTAS[service_code, quota_code]
    return {
        "ServiceCode": service_code, "ServiceName": service_code, "QuotaCode": quota_code, "QuotaName": name, "Unit": "None",
        "QuotaArn": f"arn:aws:servicequotas:{self.region_name}:{self.account_id}:{service_code}/{quota_code}",
        "Value": float(new if is_new() else established), "Adjustable": True, "GlobalQuota": False,
    }


ServiceQuotasBackend.get_service_quota = get_service_quota
# The provider asks for AWS's default too.
ServiceQuotasResponse.get_aws_default_service_quota = ServiceQuotasResponse.get_service_quota
