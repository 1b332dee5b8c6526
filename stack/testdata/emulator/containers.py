"""Containers: what AWS does that the emulator lacks.

- ECS: a service starts, replaces and stops tasks, which are targets of its target group. A new deployment is completed, or
  failed and rolled back. Clusters, capacity providers, task definitions and services are checked as AWS checks them.
- ECS on EC2: an instance registers in the cluster that its user data names; managed scaling adds instances for tasks.
- Application Auto Scaling: tags, the service-linked role, policies that go with their target, one pair of alarms per policy.
- ECR: an image's digest is that of its manifest; a tag of an immutable repository stays.
- EC2: interface endpoints have interfaces with their security groups, DNS names and the checks of private DNS.

A service moves one step with each DescribeServices that names it: tasks are pending, run, replace the former ones, and the
deployment is completed. Nothing waits on a clock.

Files in the folder of E2E_UNHEALTHY:
  unhealthy         names of releases, as for Auto Scaling. A task is unhealthy if the reference of its container's image contains
                    the name, or if the name is `CONTAINER:TAG`. It fails its health checks; with `exits:` before the name, it exits.
  container-images  `strict`: also a repository without any image has to have the image. Otherwise an empty one has every image,
                    so that a first run, which creates repositories and services, needs no push between.
  ecs-hold          while it exists, no deployment moves on, but alarms still end one.
"""
import base64
import gzip
import hashlib
import ipaddress
import json
import math
import os
import random
import re
import threading
import time
import uuid
from pathlib import Path

import moto.applicationautoscaling.models as scaling
import moto.ecr.models as ecr
import moto.ecs.models as ecs
from moto.applicationautoscaling.responses import ApplicationAutoScalingResponse
from moto.autoscaling.models import AutoScalingBackend, autoscaling_backends
from moto.cloudwatch.models import cloudwatch_backends
from moto.core.exceptions import JsonRESTError, ServiceException
from moto.core.responses import ActionResult
from moto.core.types import Base64EncodedString
from moto.core.utils import utcnow
from moto.ec2.exceptions import DependencyViolationError, EC2ClientError
from moto.ec2.models import ec2_backends
from moto.ec2.models.instance_types import INSTANCE_TYPES
from moto.ec2.models.security_groups import SecurityGroupBackend
from moto.ec2.models.subnets import SubnetBackend
from moto.ec2.models.vpcs import VPCBackend
from moto.ec2.responses import EC2Response
from moto.ecr.responses import ECRResponse
from moto.ecs.exceptions import ECSException
from moto.ecs.responses import EC2ContainerServiceResponse
from moto.elbv2.models import FakeHealthStatus, FakeTargetGroup, elbv2_backends
from moto.logs.models import logs_backends
from moto.secretsmanager.models import secretsmanager_backends
from moto.ssm.models import ssm_backends

from edge import wrap

LOCK = threading.RLock()
FARGATE = ("FARGATE", "FARGATE_SPOT")
KEPT = 100  # stopped tasks, and events of a service
STEPS = int(os.environ.get("E2E_ECS_STEPS", "1"))  # of a service for each DescribeServices


def switch(name):
    path = Path(os.environ.get("E2E_UNHEALTHY", "/nonexistent/x")).parent / name
    return path.read_text().strip() if path.exists() else None


def invalid(message):
    return ECSException("InvalidParameterException", message)


def client(message):
    return ECSException("ClientException", message)


# --- whether a task runs ----------------------------------------------------------------------------

OWN = re.compile(r"(\d{12})\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com/([^:@]+)(?::([^@]+))?(?:@(sha256:[0-9a-f]{64}))?")


class Stop:
    """Why a task stopped, as DescribeTasks says it."""

    def __init__(self, code, reason, container=None, exit_code=None):
        self.code, self.reason, self.container, self.exit_code = code, reason, container, exit_code


def marks(definition):
    """Which entries of the file `unhealthy` are about the definition: `fails` for its health checks, `exits` for its containers."""
    from rollouts import unhealthy

    found = set()
    for entry in unhealthy():
        kind, name = ("exits", entry[6:]) if entry.startswith("exits:") else ("fails", entry)
        for container in definition.container_definitions:
            image = container["image"]
            tag = re.split("[:@]", image.rsplit("/", 1)[-1], maxsplit=1)
            if name in image or len(tag) == 2 and name == f"{container['name']}:{tag[1]}":
                found.add(kind)
    return found


def image_error(account, image):
    match = OWN.fullmatch(image)
    if not match or match[1] != account:
        return None
    repository = ecr.ecr_backends[account][match[2]].repositories.get(match[3])
    if repository and not repository.images and switch("container-images") != "strict":
        return None
    tag, digest = match[4], match[5]
    if repository and any(digest == i.get_image_digest() if digest else (tag or "latest") in i.image_tags for i in repository.images):
        return None
    return f"CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref {image}: {image}: not found"


def secret_error(account, region, arn):
    failed = "ResourceInitializationError: unable to pull secrets or registry auth: "
    if ":secretsmanager:" not in arn:
        name = arn.split(":parameter", 1)[-1] if arn.startswith("arn:") else arn
        backend = ssm_backends[account][region]
        if backend.get_parameter(name) or backend.get_parameter(name.lstrip("/")):
            return None
        return (failed + "execution resource retrieval failed: unable to retrieve secrets from ssm: service call has been retried "
                f"1 time(s): invalid parameters: {name}")
    parts = arn.split(":")
    whole, key = ":".join(parts[:7]), parts[7] if len(parts) > 7 else ""
    try:
        value = secretsmanager_backends[account][region].get_secret_value(whole, "", "")
    except (ServiceException, JsonRESTError) as e:
        return (failed + f"execution resource retrieval failed: unable to retrieve secret from asm: service call has been retried 1 time(s): "
                f"failed to fetch secret {whole} from secrets manager: ResourceNotFoundException: {e.message if isinstance(e, ServiceException) else e}")
    if key:
        try:
            present = key in json.loads(value["SecretString"])
        except ValueError:
            present = False
        if not present:
            return failed + f"execution resource retrieval failed: unable to retrieve secret from asm: retrieved secret from Secrets Manager did not contain json key {key}"
    return None


def start_error(account, region, definition):
    """Why a task of the definition stops before it runs."""
    containers = definition.container_definitions
    for container in containers:
        for secret in container.get("secrets", []):
            if reason := secret_error(account, region, secret["valueFrom"]):
                return Stop("TaskFailedToStart", reason)
    for container in containers:
        if reason := image_error(account, container["image"]):
            return Stop("TaskFailedToStart", reason, reason)
    for container in containers:
        log = container.get("logConfiguration", {})
        options = log.get("options") or {}
        group = options.get("awslogs-group")
        if log.get("logDriver") == "awslogs" and options.get("awslogs-create-group") != "true" and group not in logs_backends[account][
                options.get("awslogs-region", region)].groups:
            return Stop("TaskFailedToStart", "ResourceInitializationError: failed to validate logger args: create stream has been retried 1 times: "
                        "failed to create Cloudwatch log stream: ResourceNotFoundException: The specified log group does not exist. : exit status 1")
    if "exits" in marks(definition):
        return Stop("EssentialContainerExited", "Essential container in task exited", None, 1)
    return None


# --- hosts ------------------------------------------------------------------------------------------

NAMED = re.compile(r"""ECS_CLUSTER[=:]\s*["']?([\w-]+)|^\s*cluster\s*=\s*["']([\w-]+)""", re.M)


def user_data(instance):
    data = instance.user_data or ""
    data = base64.b64decode(data.as_bytes()) if isinstance(data, Base64EncodedString) else data.encode()
    return (gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data).decode(errors="replace")


def group_of(instance):
    return next((t["value"] for t in instance.get_tags() if t["key"] == "aws:autoscaling:groupName"), None)


def provider_of(backend, instance):
    name = group_of(instance)
    for provider in backend.capacity_providers.values():
        arn = provider.auto_scaling_group_provider["autoScalingGroupArn"]
        if name and provider.status == "ACTIVE" and arn.endswith(f":autoScalingGroupName/{name}"):
            return provider.name
    return None


def sync_hosts(backend):
    """A running instance whose user data names a cluster registers there; one that no longer runs is deregistered."""
    running = {}
    for reservation in ec2_backends[backend.account_id][backend.region_name].reservations.values():
        for instance in reservation.instances:
            if instance.state == "running" and (match := NAMED.search(user_data(instance))):
                running[instance.id] = match[1] or match[2]
    for name, cluster in backend.clusters.items():
        known = backend.container_instances.setdefault(name, {})
        for key in [k for k, host in known.items() if running.get(host.ec2_instance_id) != name]:
            host = known.pop(key)
            for service in services_of(backend, name):
                for task in service.tasks:
                    if task.host is host and task.status != "STOPPED":
                        service.stop(task, Stop("TerminationNotice", f"Host EC2 (instance {host.ec2_instance_id}) terminated."))
        registered = {host.ec2_instance_id for host in known.values()}
        if cluster.status == "ACTIVE":
            for ec2_id in sorted(i for i, of in running.items() if of == name and i not in registered):
                backend.register_container_instance(cluster.arn, ec2_id)
        cluster.registered_container_instances_count = len(known)


class Room:
    """What a host has left for tasks."""

    def __init__(self, backend, host, tasks):
        instance = ec2_backends[backend.account_id][backend.region_name].get_instance(host.ec2_instance_id)
        kind = INSTANCE_TYPES[instance.instance_type]
        self.host, self.provider, self.zone = host, provider_of(backend, instance), instance.placement.zone
        self.tasks = [t for t in tasks if t.host is host]
        cpu, memory, interfaces = (sum(t.size()[i] for t in self.tasks) for i in range(3))
        self.cpu = kind["VCpuInfo"]["DefaultVCpus"] * 1024 - cpu
        # The operating system and the agent keep some of it.
        self.memory = int(kind["MemoryInfo"]["SizeInMiB"] * 0.93) - 32 - memory
        # One is the host's own.
        self.interfaces = kind["NetworkInfo"]["MaximumNetworkInterfaces"] - 1 - interfaces

    def fits(self, size):
        return self.cpu >= size[0] and self.memory >= size[1] and self.interfaces >= size[2]


def grow(backend, name):
    """Managed scaling: one more instance in the provider's group. Tells whether there is one."""
    provider = backend.capacity_providers[name].auto_scaling_group_provider
    groups = autoscaling_backends[backend.account_id][backend.region_name]
    group = groups.autoscaling_groups.get(provider["autoScalingGroupArn"].rsplit("/", 1)[-1])
    if not group or provider["managedScaling"]["status"] != "ENABLED" or group.desired_capacity >= group.max_size:
        return False
    groups.set_desired_capacity(group.name, group.desired_capacity + 1)
    sync_hosts(backend)
    return True


# --- interfaces -------------------------------------------------------------------------------------

def interface(backend, subnet, groups, description):
    """An interface of a task or of an endpoint, with the first free address of the subnet."""
    used = {i.private_ip_address for i in backend.enis.values()}
    # AWS keeps the first four addresses, and the last.
    addresses = list(ipaddress.ip_network(backend.get_subnet(subnet).cidr_block))[4:-1]
    address = next(str(a) for a in addresses if str(a) not in used)
    made = backend.create_network_interface(subnet, address, group_ids=list(groups), description=description)
    made.requester_managed, made.status, made.of_service = True, "in-use", True
    return made


@wrap(AutoScalingBackend, "set_instance_protection")
def set_instance_protection(original, self, group_name, *args):
    """Instances whose protection ends leave a group that has more than it wants."""
    original(self, group_name, *args)
    group = self.autoscaling_groups[group_name]
    if len(group.active_instances()) > group.desired_capacity:
        group.set_desired_capacity(group.desired_capacity)


# --- tasks, deployments and services ----------------------------------------------------------------

class Task:
    def __init__(self, service, deployment, subnet, provider, host):
        self.service, self.deployment, self.provider, self.host = service, deployment, provider, host
        self.id, self.status, self.error = uuid.uuid4().hex, "PENDING", None
        self.created, self.started, self.stopped = utcnow(), None, None
        self.arn = f"arn:aws:ecs:{service.region_name}:{service.account}:task/{service.cluster_name}/{self.id}"
        self.attachment, self.interface, self.subnet = str(uuid.uuid4()), None, subnet
        if subnet:
            self.interface = interface(service.ec2, subnet, service.network["securityGroups"],
                                       f"arn:aws:ecs:{service.region_name}:{service.account}:attachment/{self.attachment}")

    @property
    def definition(self):
        return self.deployment.definition

    @property
    def ip(self):
        return self.interface.private_ip_address if self.interface else None

    def size(self):
        containers = self.definition.container_definitions
        return (int(self.definition.cpu or sum(c.get("cpu", 0) for c in containers)),
                int(self.definition.memory or sum(c.get("memoryReservation", c.get("memory", 0)) for c in containers)), 1 if self.interface else 0)

    def healthy(self):
        return "fails" not in marks(self.definition)

    def describe(self, tags):
        service, error = self.service, self.error
        answer = {
            "taskArn": self.arn, "clusterArn": service.cluster_arn, "taskDefinitionArn": self.definition.arn, "group": f"service:{service.name}",
            "startedBy": self.deployment.id, "lastStatus": self.status, "desiredStatus": "STOPPED" if self.status == "STOPPED" else "RUNNING",
            "cpu": str(self.size()[0]), "memory": str(self.size()[1]), "createdAt": self.created, "version": 1, "enableExecuteCommand":
            service.settings["enableExecuteCommand"], "healthStatus": "UNKNOWN", "connectivity": "CONNECTED", "overrides": {"containerOverrides": []},
            "launchType": "EC2" if self.host else "FARGATE", "attachments": [], "availabilityZone": service.zone(self),
            "containers": [{
                "containerArn": f"{self.arn.replace(':task/', ':container/')}/{uuid.uuid5(uuid.NAMESPACE_URL, self.id + c['name'])}",
                "taskArn": self.arn, "name": c["name"], "image": c["image"], "lastStatus": self.status, "healthStatus": "UNKNOWN",
                "networkInterfaces": [{"attachmentId": self.attachment, "privateIpv4Address": self.ip}] if self.ip else [],
                **({"reason": error.container} if error and error.container else {}),
                **({"exitCode": error.exit_code} if error and error.exit_code is not None else {}),
            } for c in self.definition.container_definitions],
        }
        if self.interface:
            answer["attachments"] = [{"id": self.attachment, "type": "ElasticNetworkInterface", "status": "DELETED" if self.stopped else "ATTACHED", "details": [
                {"name": "subnetId", "value": self.subnet}, {"name": "networkInterfaceId", "value": self.interface.id},
                {"name": "privateIPv4Address", "value": self.ip}]}]
        if self.provider:
            answer["capacityProviderName"] = self.provider
        if self.host:
            answer["containerInstanceArn"] = self.host.container_instance_arn
        else:
            answer.update(platformVersion="1.4.0", platformFamily="Linux")
        if self.started:
            answer["startedAt"] = self.started
        if self.stopped:
            answer.update(stoppedAt=self.stopped, stoppingAt=self.stopped, stopCode=error.code, stoppedReason=error.reason)
        if tags:
            answer["tags"] = service.task_tags(self.definition)
        return answer


class Deployment:
    KEYS = ("loadBalancers", "networkConfiguration", "platformVersion", "capacityProviderStrategy", "launchType", "serviceRegistries",
            "serviceConnectConfiguration", "volumeConfigurations")

    def __init__(self, service, definition):
        self.definition, self.settings = definition, {k: service.settings[k] for k in self.KEYS if k in service.settings}
        self.id, self.created, self.failed = f"ecs-svc/{random.randrange(10**18, 10**19)}", utcnow(), 0
        self.set("IN_PROGRESS", f"ECS deployment {self.id} in progress.")
        # Alarms that ring when a deployment starts are ignored until it ends, so that one can mend what rings (ECS developer guide,
        # "How CloudWatch alarms detect Amazon ECS deployment failures").
        self.watched = not service.ringing()

    def set(self, state, reason):
        self.state, self.reason, self.updated = state, reason, utcnow()

    def describe(self, service):
        tasks = [t for t in service.tasks if t.deployment is self]
        running, pending = (sum(t.status == s for t in tasks) for s in ("RUNNING", "PENDING"))
        primary = service.deployments[0] is self
        answer = {
            "id": self.id, "status": "PRIMARY" if primary else "ACTIVE", "taskDefinition": self.definition.arn, "createdAt": self.created,
            "updatedAt": self.updated, "desiredCount": service.desired_count if primary else 0 if self.state == "FAILED" else running + pending,
            "runningCount": running, "pendingCount": pending, "failedTasks": self.failed, "rolloutState": self.state, "rolloutStateReason": self.reason,
        }
        for key in ("launchType", "capacityProviderStrategy", "networkConfiguration"):
            if self.settings.get(key):
                answer[key] = self.settings[key]
        if service.fargate:
            answer.update(platformVersion="1.4.0", platformFamily="Linux")
        return answer


class Service:
    scheduling_strategy, task_sets = "REPLICA", ()

    def __init__(self, backend, cluster, params, definition):
        self.backend, self.cluster_name, self.cluster_arn, self.region_name, self.account = (
            backend, cluster.name, cluster.arn, backend.region_name, backend.account_id)
        self.name, self.status, self.desired_count, self.tags = params["serviceName"], "ACTIVE", params.get("desiredCount", 0), params.get("tags", [])
        self.arn = f"arn:aws:ecs:{self.region_name}:{self.account}:service/{cluster.name}/{self.name}"
        self.settings = {
            "loadBalancers": [], "serviceRegistries": [], "placementConstraints": [], "placementStrategy": [], "enableECSManagedTags": False,
            "propagateTags": "NONE", "enableExecuteCommand": False, "deploymentController": {"type": "ECS"}, "availabilityZoneRebalancing": "DISABLED",
            "deploymentConfiguration": {"deploymentCircuitBreaker": {"enable": False, "rollback": False}, "maximumPercent": 200, "minimumHealthyPercent": 100},
        }
        self.created, self.events, self.tasks, self.completed = utcnow(), [], [], None
        self.put(params)
        if "capacityProviderStrategy" not in self.settings and "launchType" not in self.settings:
            if cluster.default_capacity_provider_strategy:
                self.settings["capacityProviderStrategy"] = cluster.default_capacity_provider_strategy
            else:
                self.settings["launchType"] = "EC2"
        if self.fargate:
            self.settings.setdefault("platformVersion", "LATEST")
        if self.settings["loadBalancers"]:
            self.settings.setdefault("healthCheckGracePeriodSeconds", 0)
        self.deployments = [Deployment(self, definition)]

    def put(self, params):
        for key, value in params.items():
            if key == "deploymentConfiguration":
                self.settings[key] = {**self.settings[key], **value}
            elif key in ("networkConfiguration",) and value.get("awsvpcConfiguration"):
                self.settings[key] = {"awsvpcConfiguration": {"assignPublicIp": "DISABLED", "securityGroups": [], **value["awsvpcConfiguration"]}}
            elif key in Deployment.KEYS or key in self.settings or key == "healthCheckGracePeriodSeconds":
                if value or key != "capacityProviderStrategy":
                    self.settings[key] = value

    # moto's own code asks for these.
    @property
    def launch_type(self):
        return self.settings.get("launchType")

    @property
    def ec2(self):
        return ec2_backends[self.account][self.region_name]

    @property
    def network(self):
        return (self.settings.get("networkConfiguration") or {}).get("awsvpcConfiguration")

    @property
    def strategy(self):
        return self.settings.get("capacityProviderStrategy") or []

    @property
    def fargate(self):
        return self.strategy[0]["capacityProvider"] in FARGATE if self.strategy else self.settings.get("launchType") == "FARGATE"

    def zone(self, task):
        return self.ec2.get_subnet(task.subnet).availability_zone if task.subnet and task.status != "STOPPED" else None

    def task_tags(self, definition):
        own = {"aws:ecs:clusterName": self.cluster_name, "aws:ecs:serviceName": self.name} if self.settings["enableECSManagedTags"] else {}
        tags = {"SERVICE": self.tags, "TASK_DEFINITION": definition.tags}.get(self.settings["propagateTags"], [])
        return [{"key": k, "value": v} for k, v in own.items()] + tags

    def event(self, text):
        self.events.insert(0, {"id": str(uuid.uuid4()), "createdAt": utcnow(), "message": f"(service {self.name}) {text}"})
        del self.events[KEPT:]

    def describe(self, tags=False):
        running, pending = (sum(t.status == s for t in self.tasks) for s in ("RUNNING", "PENDING"))
        answer = {
            "serviceArn": self.arn, "serviceName": self.name, "clusterArn": self.cluster_arn, "status": self.status, "desiredCount": self.desired_count,
            "runningCount": running, "pendingCount": pending, "taskDefinition": self.deployments[0].definition.arn if self.deployments else self.last,
            "deployments": [d.describe(self) for d in self.deployments], "events": self.events, "createdAt": self.created,
            "createdBy": f"arn:aws:iam::{self.account}:root", "schedulingStrategy": "REPLICA", **self.settings,
        }
        if self.fargate:
            answer["platformFamily"] = "Linux"
        if self.settings["loadBalancers"]:
            answer["roleArn"] = f"arn:aws:iam::{self.account}:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS"
        if tags:
            answer["tags"] = self.tags
        return answer

    # --- targets

    def target_groups(self, deployment):
        groups = elbv2_backends[self.account][self.region_name].target_groups
        return [(groups[lb["targetGroupArn"]], lb) for lb in deployment.settings.get("loadBalancers") or [] if lb.get("targetGroupArn") in groups]

    def register(self, task):
        for group, lb in self.target_groups(task.deployment):
            if task.ip:
                group.register([{"Id": task.ip, "Port": lb["containerPort"]}])
                group.of_tasks = {**getattr(group, "of_tasks", {}), task.ip: task}
                self.event(f"registered 1 targets in (target-group {group.arn})")

    def stop(self, task, error):
        for group, _ in self.target_groups(task.deployment):
            group.targets.pop(task.ip, None)
            getattr(group, "of_tasks", {}).pop(task.ip, None)
        if task.interface:
            self.ec2.enis.pop(task.interface.id, None)
        task.status, task.stopped, task.error = "STOPPED", utcnow(), error
        gone = [t for t in self.tasks if t.status == "STOPPED"]
        for old in gone[:-KEPT]:
            self.tasks.remove(old)

    def retire(self, tasks, why="ServiceSchedulerInitiated"):
        tasks = [t for t in tasks if t.status != "STOPPED"]
        for task in tasks:
            self.stop(task, Stop(why, f"Scaling activity initiated by (deployment {self.deployments[0].id if self.deployments else task.deployment.id})", None, 0))
        if tasks:
            self.event(f"has stopped {len(tasks)} running tasks: {' '.join(f'(task {t.id})' for t in tasks)}.")
        return bool(tasks)

    # --- placement

    def place(self, deployment):
        """Starts one task. Tells whether there was room for it."""
        tasks = [t for t in self.tasks if t.status != "STOPPED"]
        subnets = self.network["subnets"] if self.network else []
        provider = None
        if self.strategy:
            counts = {s["capacityProvider"]: sum(t.provider == s["capacityProvider"] for t in tasks) for s in self.strategy}
            based = [s for s in self.strategy if counts[s["capacityProvider"]] < s.get("base", 0)]
            weighted = sorted((s for s in self.strategy if s.get("weight", 0)), key=lambda s: counts[s["capacityProvider"]] / s["weight"])
            provider = (based or weighted or self.strategy)[0]["capacityProvider"]
        if self.fargate:
            subnet = min(subnets, key=lambda s: sum(t.subnet == s for t in tasks))
            task = Task(self, deployment, subnet, provider, None)
            self.tasks.append(task)
            return task
        if not subnets and not self.backend.container_instances.get(self.cluster_name):
            return None
        zones = {self.ec2.get_subnet(s).availability_zone: s for s in subnets}
        everyone = [t for s in services_of(self.backend, self.cluster_name) for t in s.tasks if t.status != "STOPPED"]
        size = Task.size(type("Sized", (), {"definition": deployment.definition, "interface": bool(subnets)}))
        while True:
            rooms = [Room(self.backend, h, everyone) for h in self.backend.container_instances.get(self.cluster_name, {}).values() if h.status == "ACTIVE"]
            rooms = [r for r in rooms if r.fits(size) and (not provider or r.provider == provider) and (not subnets or r.zone in zones)]
            if rooms:
                room = min(rooms, key=lambda r: (sum(t.service is self for t in r.tasks), r.host.ec2_instance_id))
                task = Task(self, deployment, zones.get(room.zone), provider, room.host)
                self.tasks.append(task)
                return task
            if not provider or not grow(self.backend, provider):
                break
        self.event("was unable to place a task because no container instance met all of its requirements. For more information, see the "
                   "Troubleshooting section of the Amazon ECS Developer Guide.")
        return None

    def fill(self, deployment):
        have = sum(t.deployment is deployment and t.status != "STOPPED" for t in self.tasks)
        started = []
        for _ in range(self.desired_count - have):
            task = self.place(deployment)
            if not task:
                break
            started.append(task)
        if started:
            self.event(f"has started {len(started)} tasks: {' '.join(f'(task {t.id})' for t in started)}.")

    # --- steps

    def alarms(self):
        given = self.settings["deploymentConfiguration"].get("alarms") or {}
        return given if given.get("enable") else {}

    def ringing(self):
        known = cloudwatch_backends[self.account][self.region_name].alarms
        return next((n for n in self.alarms().get("alarmNames", []) if n in known and known[n].state_value == "ALARM"), None)

    def threshold(self):
        return max(3, min(200, math.ceil(self.desired_count / 2)))

    def step(self):
        if self.status == "DRAINING":
            if not self.retire(self.tasks):
                self.last, self.status, self.deployments = self.deployments[0].definition.arn, "INACTIVE", []
            return
        if self.status != "ACTIVE":
            return
        sync_hosts(self.backend)
        primary = self.deployments[0]
        if primary.state == "IN_PROGRESS":
            if primary.watched and self.ringing():
                self.fail(primary, "alarm detected", "ECS deployment failed: alarm detected.", self.alarms().get("rollback"))
            elif switch("ecs-hold") is None:
                self.advance(primary)
        elif primary.state == "COMPLETED":
            own = [t for t in self.tasks if t.deployment is primary and t.status != "STOPPED"]
            for task in own:
                if task.status == "PENDING":
                    self.run(task)
            self.retire(own[self.desired_count:])
            self.fill(primary)

    def run(self, task):
        """Whether a pending task runs now."""
        error = start_error(self.account, self.region_name, task.definition)
        if error:
            self.stop(task, error)
            return False
        task.status, task.started = "RUNNING", utcnow()
        self.register(task)
        return True

    def advance(self, primary):
        own = [t for t in self.tasks if t.deployment is primary and t.status != "STOPPED"]
        moved = lost = 0
        for task in own:
            if task.status == "PENDING":
                moved += 1
                lost += not self.run(task)
            elif not task.healthy():
                groups = self.target_groups(primary)
                self.stop(task, Stop("ServiceSchedulerInitiated", f"Task failed ELB health checks in (target-group {groups[0][0].arn})"
                                     if groups else "Task failed container health checks", None, 143))
                lost += 1
        primary.failed += lost
        if lost:
            primary.updated = utcnow()
            breaker = self.settings["deploymentConfiguration"]["deploymentCircuitBreaker"]
            if breaker["enable"] and primary.failed >= self.threshold():
                self.fail(primary, "tasks failed to start", "ECS deployment circuit breaker: tasks failed to start.", breaker["rollback"])
                return
        running = sum(t.deployment is primary and t.status == "RUNNING" for t in self.tasks)
        missing = sum(t.deployment is primary and t.status != "STOPPED" for t in self.tasks) < self.desired_count
        if missing:
            self.fill(primary)
        elif moved or lost:
            pass
        elif running > self.desired_count:
            self.retire([t for t in own if t.status == "RUNNING"][self.desired_count:])
        elif not self.retire([t for t in self.tasks if t.deployment is not primary]):
            primary.set("COMPLETED", f"ECS deployment {primary.id} completed.")
            primary.failed = 0
            self.deployments, self.completed = [primary], primary
            self.event(f"(deployment {primary.id}) deployment completed.")
            self.event("has reached a steady state.")

    def fail(self, deployment, event, reason, rollback):
        deployment.set("FAILED", reason)
        self.event(f"(deployment {deployment.id}) deployment failed: {event}.")
        self.retire([t for t in self.tasks if t.deployment is deployment and (rollback or t.status == "PENDING")])
        if not rollback or not self.completed or self.completed is deployment:
            return
        # The deployment that was completed last is the primary one again, with its own id.
        back = self.completed
        self.deployments = [back, *(d for d in self.deployments if d is not back)]
        self.settings.update(back.settings)
        back.watched, back.failed = False, 0
        back.set("IN_PROGRESS", f"{reason.split(':')[0]}: rolling back to deploymentId {back.id}.")
        self.event(f"rolling back to deployment {back.id}.")


def services_of(backend, cluster):
    return [s for s in backend.services.values() if s.cluster_name == cluster]


def service_in(backend, cluster, name):
    return backend.services.get(f"{cluster.name}:{name.rsplit('/', 1)[-1]}")


def active_cluster(backend, name):
    cluster = backend._get_cluster(name or "default")
    if cluster.status != "ACTIVE":
        raise ECSException("ClusterNotFoundException", "The referenced cluster was inactive.")
    return cluster


def usable(backend, reference):
    """A task definition that new tasks may use."""
    name = reference.rsplit("/", 1)[-1]
    family, _, revision = name.partition(":")
    found = backend.task_definitions.get(family, {})
    definition = found.get(int(revision)) if revision else next((found[r] for r in sorted(found, reverse=True) if found[r].status == "ACTIVE"), None)
    if not definition:
        raise client("TaskDefinition not found.")
    if definition.status != "ACTIVE":
        raise client("TaskDefinition is inactive")
    return definition


def check_strategy(cluster, strategy):
    for item in strategy or []:
        if item["capacityProvider"] not in (cluster.capacity_providers or []):
            raise invalid("The specified capacity provider strategy cannot contain a capacity provider that is not associated with the cluster. "
                          "Associate the capacity provider with the cluster and try again.")


def check_service(backend, settings, definition, fargate):
    account, region = backend.account_id, backend.region_name
    if fargate and "FARGATE" not in definition.compatibilities:
        raise client("Task definition does not support launch_type FARGATE.")
    network = (settings.get("networkConfiguration") or {}).get("awsvpcConfiguration")
    if definition.network_mode == "awsvpc" and not network:
        raise invalid("Network Configuration must be provided when networkMode 'awsvpc' is specified.")
    if definition.network_mode != "awsvpc" and network:
        raise invalid("Network Configuration is not valid for the given networkMode of this task definition.")
    ec2 = ec2_backends[account][region]
    for kind, ids, known in (("subnet", (network or {}).get("subnets", []), {s for by_zone in ec2.subnets.values() for s in by_zone}),
                             ("security group", (network or {}).get("securityGroups", []), {g for by_vpc in ec2.groups.values() for g in by_vpc})):
        for missing in (i for i in ids if i not in known):
            what = f"The {kind} {'ID ' if kind == 'subnet' else ''}'{missing}' does not exist"
            raise invalid(f"Error retrieving {kind} information for [{missing}]: {what}")
    elb = elbv2_backends[account][region]
    for lb in settings.get("loadBalancers") or []:
        arn = lb.get("targetGroupArn")
        group = elb.target_groups.get(arn)
        if not group:
            raise invalid(f"The target group {arn} does not exist.")
        if not elb._any_listener_using(arn):
            raise invalid(f"The target group with targetGroupArn {arn} does not have an associated load balancer.")
        if definition.network_mode == "awsvpc" and group.target_type != "ip":
            raise invalid(f"The provided target group {arn} has target type {group.target_type}, which is incompatible with the awsvpc network mode "
                          "specified in the task definition.")
        container = next((c for c in definition.container_definitions if c["name"] == lb.get("containerName")), None)
        if not container:
            raise invalid(f"The container {lb.get('containerName')} does not exist in the task definition.")
        if lb.get("containerPort") not in [m.get("containerPort") for m in container["portMappings"]]:
            raise invalid(f"The container {lb['containerName']} did not have a container port {lb.get('containerPort')} defined.")


# --- ECS: requests ----------------------------------------------------------------------------------

def request(owner):
    """Makes a function, which gets the backend and the parameters, the answer to the request of the same name."""
    def replace(function):
        def answer(self):
            with LOCK:
                return function(self, self.ecs_backend, self._get_params())

        setattr(owner, function.__name__, answer)
        return function

    return replace


@request(EC2ContainerServiceResponse)
def create_service(self, backend, params):
    cluster = active_cluster(backend, params.get("cluster"))
    name = params.get("serviceName") or ""
    if not re.fullmatch(r"[\w-]{1,255}", name, re.A):
        raise invalid("Invalid service name. It must be 1 to 255 letters, digits, hyphens and underscores.")
    old = service_in(backend, cluster, name)
    if old and old.status == "ACTIVE":
        raise invalid("Creation of service was not idempotent.")
    if old and old.status == "DRAINING":
        raise invalid("Unable to Start a service that is still Draining.")
    if params.get("launchType") and params.get("capacityProviderStrategy"):
        raise invalid("Specifying both a launch type and capacity provider strategy is not supported. Remove one and try again.")
    check_strategy(cluster, params.get("capacityProviderStrategy"))
    definition = usable(backend, params["taskDefinition"])
    service = Service(backend, cluster, params, definition)
    check_service(backend, service.settings, definition, service.fargate)
    backend.services[f"{cluster.name}:{name}"] = service
    return ActionResult({"service": service.describe(tags=True)})


STARTS = ("loadBalancers", "networkConfiguration", "platformVersion", "capacityProviderStrategy", "serviceRegistries", "serviceConnectConfiguration",
          "volumeConfigurations")


@request(EC2ContainerServiceResponse)
def update_service(self, backend, params):
    cluster = active_cluster(backend, params.get("cluster"))
    service = service_in(backend, cluster, params["service"])
    if not service:
        raise ECSException("ServiceNotFoundException", "Service not found.")
    if service.status != "ACTIVE":
        raise ECSException("ServiceNotActiveException", "Service was not ACTIVE.")
    before = service.deployments[0]
    force = params.get("forceNewDeployment", False)
    if params.get("capacityProviderStrategy") not in (None, service.strategy) and not force:
        raise invalid("When switching from launch type to capacity provider strategy on an existing service, or making a change to a capacity "
                      "provider strategy on a service that is already using one, you must force a new deployment.")
    check_strategy(cluster, params.get("capacityProviderStrategy"))
    definition = usable(backend, params["taskDefinition"]) if params.get("taskDefinition") else before.definition
    kept = dict(service.settings)
    service.put({k: v for k, v in params.items() if k not in ("cluster", "service", "taskDefinition", "desiredCount")})
    if params.get("capacityProviderStrategy"):
        service.settings.pop("launchType", None)
    starts = force or definition is not before.definition or any(service.settings.get(k) != kept.get(k) for k in STARTS)
    if starts:
        try:
            check_service(backend, service.settings, definition, service.fargate)
        except ECSException:
            service.settings = kept
            raise
    if params.get("desiredCount") is not None:
        service.desired_count = params["desiredCount"]
    if starts:
        service.deployments.insert(0, Deployment(service, definition))
    return ActionResult({"service": service.describe(tags=True)})


@request(EC2ContainerServiceResponse)
def delete_service(self, backend, params):
    cluster = active_cluster(backend, params.get("cluster"))
    service = service_in(backend, cluster, params["service"])
    if not service or service.status == "INACTIVE":
        raise ECSException("ServiceNotFoundException", "Service not found.")
    if not params.get("force"):
        if service.desired_count > 0:
            raise invalid("The service cannot be stopped while it is scaled above 0.")
        if len(service.deployments) > 1:
            service.step()  # the caller tries again
            raise invalid("The service cannot be stopped while deployments are active.")
    service.status, service.desired_count = "DRAINING", 0
    service.event("has begun draining connections.")
    return ActionResult({"service": service.describe()})


@request(EC2ContainerServiceResponse)
def describe_services(self, backend, params):
    cluster = backend._get_cluster(params.get("cluster") or "default")
    found, failures = [], []
    for name in params.get("services", []):
        service = service_in(backend, cluster, name)
        if not service:
            failures.append({"arn": name if name.startswith("arn:") else cluster.arn.replace(":cluster/", ":service/") + "/" + name, "reason": "MISSING"})
            continue
        for _ in range(STEPS):
            service.step()
            if any(d.state == "FAILED" for d in service.deployments):
                break  # an answer shows it
        found.append(service.describe("TAGS" in params.get("include", [])))
    return ActionResult({"services": found, "failures": failures})


@request(EC2ContainerServiceResponse)
def list_services(self, backend, params):
    cluster = backend._get_cluster(params.get("cluster") or "default")
    wanted = params.get("launchType")
    return ActionResult({"serviceArns": sorted(
        s.arn for s in services_of(backend, cluster.name) if s.status != "INACTIVE" and wanted in (None, s.launch_type))})


def find_services(self, cluster_str, service_names_or_arns):
    """What moto's own code asks, without a step."""
    cluster = self._get_cluster(cluster_str)
    found = {n: service_in(self, cluster, n) for n in service_names_or_arns}
    return [s for s in found.values() if s and s.status == "ACTIVE"], [{"arn": n, "reason": "MISSING"} for n, s in found.items() if not s]


ecs.EC2ContainerServiceBackend.describe_services = find_services


@wrap(EC2ContainerServiceResponse, "list_tasks")
def list_tasks(original, self):
    params, backend = self._get_params(), self.ecs_backend
    status = params.get("desiredStatus", "RUNNING")
    with LOCK:
        cluster = backend._get_cluster(params.get("cluster") or "default")
        if name := params.get("serviceName"):
            service = service_in(backend, cluster, name)
            if not service:
                raise ECSException("ServiceNotFoundException", "Service not found.")
        found = []
        for task in (t for s in services_of(backend, cluster.name) for t in s.tasks):
            matches = {
                "serviceName": lambda v, t=task: t.service is service, "startedBy": lambda v, t=task: t.deployment.id == v,
                "family": lambda v, t=task: t.definition.family == v, "launchType": lambda v, t=task: v == ("EC2" if t.host else "FARGATE"),
                "containerInstance": lambda v, t=task: bool(t.host) and t.host.container_instance_arn.endswith(v.rsplit("/", 1)[-1]),
            }
            if (task.status == "STOPPED") == (status == "STOPPED") and all(matches[k](v) for k, v in params.items() if k in matches):
                found.append(task.arn)
        if not name:  # those of RunTask
            found += [t.task_arn for t in backend.list_tasks(cluster.name, params.get("containerInstance"), params.get("family"),
                                                             params.get("startedBy"), None, status)]
    return ActionResult({"taskArns": found})


@wrap(EC2ContainerServiceResponse, "describe_tasks")
def describe_tasks(original, self):
    params, backend = self._get_params(), self.ecs_backend
    with LOCK:
        cluster = backend._get_cluster(params.get("cluster") or "default")
        wanted = params.get("tasks") or []
        if not wanted:
            raise invalid("Tasks cannot be empty.")
        own = {t.id: t for s in services_of(backend, cluster.name) for t in s.tasks}
        ids = [w.rsplit("/", 1)[-1] for w in wanted]
        if not any(i in own for i in ids) and backend.tasks.get(cluster.name):
            return original(self)
        return ActionResult({
            "tasks": [own[i].describe("TAGS" in params.get("include", [])) for i in ids if i in own],
            "failures": [{"arn": w, "reason": "MISSING"} for i, w in zip(ids, wanted) if i not in own],
        })


@wrap(EC2ContainerServiceResponse, "stop_task")
def stop_task(original, self):
    params, backend = self._get_params(), self.ecs_backend
    with LOCK:
        cluster = backend._get_cluster(params.get("cluster") or "default")
        for service in services_of(backend, cluster.name):
            for task in service.tasks:
                if task.id == params["task"].rsplit("/", 1)[-1]:
                    if task.status != "STOPPED":
                        service.stop(task, Stop("UserInitiated", params.get("reason") or "Task stopped by user", None, 143))
                    return ActionResult({"task": task.describe(False)})
    return original(self)


FakeHealthStatus.health_port = property(lambda self: self.health_check_port)  # as rollouts.py calls it


@wrap(FakeTargetGroup, "health_for")
def health_for(original, self, target, ec2_backend):
    status, task = original(self, target, ec2_backend), getattr(self, "of_tasks", {}).get(target["Id"])
    if task and status.status == "healthy" and not task.healthy():
        return FakeHealthStatus(status.instance_id, status.port, status.health_port, "unhealthy", "Target.FailedHealthChecks", "Health checks failed")
    return status


# --- ECS: clusters and capacity providers -----------------------------------------------------------

@wrap(ecs.EC2ContainerServiceBackend, "create_cluster")
def create_cluster(original, self, cluster_name, *args, **kwargs):
    if not re.fullmatch(r"[\w-]{1,255}", cluster_name, re.A):
        raise invalid("Identifier cannot contain invalid characters, and has 1 to 255 of them.")
    old = self.clusters.get(cluster_name)
    if old and old.status == "ACTIVE":
        return old
    return original(self, cluster_name, *args, **kwargs)


@wrap(EC2ContainerServiceResponse, "describe_clusters")
def describe_clusters(original, self):
    with LOCK:
        backend = self.ecs_backend
        sync_hosts(backend)
        for name, cluster in backend.clusters.items():
            services = services_of(backend, name)
            tasks = [t for s in services for t in s.tasks]
            cluster.tags = cluster.tags or []
            cluster.active_services_count = sum(s.status == "ACTIVE" for s in services)
            cluster.running_tasks_count, cluster.pending_tasks_count = (sum(t.status == s for t in tasks) for s in ("RUNNING", "PENDING"))
        return original(self)


@wrap(ecs.EC2ContainerServiceBackend, "delete_cluster")
def delete_cluster(original, self, name):
    with LOCK:
        cluster = active_cluster(self, name)
        sync_hosts(self)
        services = services_of(self, cluster.name)
        for kind, what, present in (
                ("Services", "Services are", any(s.status != "INACTIVE" for s in services)),
                ("ContainerInstances", "Container Instances are", self.container_instances.get(cluster.name)),
                ("Tasks", "Tasks are", any(t.status != "STOPPED" for s in services for t in s.tasks))):
            if present:
                raise ECSException(f"ClusterContains{kind}Exception", f"The Cluster cannot be deleted while {what} active{' or draining' if 'Inst' in kind else ''}.")
        return original(self, name)


def synced(original, self):
    with LOCK:
        backend = self.ecs_backend
        sync_hosts(backend)
        for name, hosts in backend.container_instances.items():
            tasks = [t for s in services_of(backend, name) for t in s.tasks]
            for host in hosts.values():
                host.running_tasks_count, host.pending_tasks_count = (sum(t.host is host and t.status == s for t in tasks) for s in ("RUNNING", "PENDING"))
        return original(self)


for handler in ("list_container_instances", "describe_container_instances"):
    wrap(EC2ContainerServiceResponse, handler)(synced)


def provider_known(backend, name):
    provider = backend._get_provider(name)
    return name in FARGATE or provider is not None and provider.status == "ACTIVE"


@wrap(ecs.EC2ContainerServiceBackend, "put_cluster_capacity_providers")
def put_cluster_capacity_providers(original, self, name, providers, strategy):
    with LOCK:
        cluster = active_cluster(self, name)
        for provider in providers or []:
            if not provider_known(self, provider):
                raise invalid(f"The specified capacity provider '{provider}' was not found. Specify a valid name or ARN and try again.")
        for item in strategy or []:
            if item["capacityProvider"] not in (providers or []):
                raise invalid("The specified capacity provider strategy cannot contain a capacity provider that is not associated with the cluster. "
                              "Associate the capacity provider with the cluster and try again.")
        used = {i["capacityProvider"] for s in services_of(self, cluster.name) if s.status != "INACTIVE" for i in s.strategy}
        if used & set(cluster.capacity_providers or []) - set(providers or []):
            raise ECSException("ResourceInUseException", "The specified capacity provider is in use and cannot be removed.")
        return original(self, name, providers, strategy)


@wrap(ecs.CapacityProvider, "_prepare_asg_provider")
def prepare_provider(original, self, details):
    details.setdefault("managedDraining", "ENABLED")
    return original(self, details)


@wrap(ecs.CapacityProvider, "update")
def update_provider(original, self, details):
    if details.get("managedDraining"):
        self.auto_scaling_group_provider["managedDraining"] = details["managedDraining"]
    original(self, details)


def check_protection(details, group):
    scaling_on = (details.get("managedScaling") or {}).get("status") == "ENABLED"
    if details.get("managedTerminationProtection") == "ENABLED" and not (scaling_on and group.new_instances_protected_from_scale_in):
        what = "the Auto Scaling group must have instance protection from scale in enabled" if scaling_on else "managed scaling must be enabled"
        raise client("The managed termination protection setting for the capacity provider is invalid. To enable managed termination protection for a "
                     f"capacity provider, {what}.")


def asg_of(backend, arn):
    groups = autoscaling_backends[backend.account_id][backend.region_name].autoscaling_groups
    return next((g for g in groups.values() if g.arn == arn), None)


@wrap(ecs.EC2ContainerServiceBackend, "create_capacity_provider")
def create_capacity_provider(original, self, name, details, tags):
    with LOCK:
        if not re.fullmatch(r"[\w-]{1,255}", name, re.A) or name.lower().startswith(("aws", "ecs", "fargate")):
            raise client("The specified capacity provider name is invalid. Up to 255 characters are allowed, including letters (upper and lowercase), "
                         'numbers, underscores, and hyphens. The name cannot be prefixed with "aws", "ecs", or "fargate". Specify a valid name and try again.')
        if provider_known(self, name):
            raise client("The specified capacity provider already exists. To change the configuration of an existing capacity provider, update the "
                         "capacity provider.")
        arn = details["autoScalingGroupArn"]
        group = asg_of(self, arn)
        if not group:
            raise client("The specified Auto Scaling group ARN is invalid. Specify a valid ARN and try again.")
        if any(p.status == "ACTIVE" and p.auto_scaling_group_provider["autoScalingGroupArn"] == arn for p in self.capacity_providers.values()):
            raise client("The specified Auto Scaling group ARN is already being used by another capacity provider. Specify a unique Auto Scaling group ARN "
                         "and try again.")
        check_protection(details, group)
        if not any(t["Key"] == "AmazonECSManaged" for t in group.tags):
            # ECS tags the group, and a provider that manages all tags of the group then wants to remove that one.
            group.tags = [*group.tags, {"Key": "AmazonECSManaged", "Value": "", "PropagateAtLaunch": True}]
        return original(self, name, details, tags or [])


@wrap(ecs.EC2ContainerServiceBackend, "update_capacity_provider")
def update_capacity_provider(original, self, name, details):
    provider = self._get_provider(name)
    if not provider or provider.status != "ACTIVE":
        raise client("The specified capacity provider does not exist. Specify a valid name or ARN and try again.")
    current = provider.auto_scaling_group_provider
    check_protection({**current, **details}, asg_of(self, current["autoScalingGroupArn"]))
    return original(self, name, details)


def delete_capacity_provider(self, name):
    with LOCK:
        provider = self._get_provider(name)
        if not provider or provider.status != "ACTIVE":
            raise client("The specified capacity provider does not exist. Specify a valid name or ARN and try again.")
        for cluster in self.clusters.values():
            if cluster.status == "ACTIVE" and provider.name in (cluster.capacity_providers or []):
                raise client(f"The capacity provider cannot be deleted because it is associated with cluster: {cluster.name}. Remove the capacity provider "
                             "from the cluster and try again.")
        provider.status, provider.update_status = "INACTIVE", "DELETE_COMPLETE"
        return provider


ecs.EC2ContainerServiceBackend.delete_capacity_provider = delete_capacity_provider


@request(EC2ContainerServiceResponse)
def describe_capacity_providers(self, backend, params):
    own = {n: {"capacityProviderArn": f"arn:aws:ecs:{backend.region_name}:{backend.account_id}:capacity-provider/{n}", "name": n, "status": "ACTIVE", "tags": []}
           for n in FARGATE}
    found, failures = [], []
    for name in params.get("capacityProviders") or [*own, *backend.capacity_providers]:
        provider = own.get(name) or backend._get_provider(name)
        if provider:
            found.append(provider)
        else:
            failures.append(ecs.CapacityProviderFailure("MISSING", name, backend.account_id, backend.region_name))
    return ActionResult({"capacityProviders": found, "failures": failures})


# --- ECS: task definitions --------------------------------------------------------------------------

# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-cpu-memory-error.html
MEMORY = {256: (512, 1024, 2048), 512: range(1024, 4097, 1024), 1024: range(2048, 8193, 1024), 2048: range(4096, 16385, 1024),
          4096: range(8192, 30721, 1024), 8192: range(16384, 61441, 4096), 16384: range(32768, 122881, 8192)}


def amount(value, unit):
    """CPU units or MiB, which may be given as `.25 vCPU` or `1 GB`."""
    match = re.fullmatch(rf"([\d.]+)\s*{unit}", str(value), re.I)
    return int(float(match[1]) * 1024) if match else int(value)


@wrap(ecs.EC2ContainerServiceBackend, "register_task_definition")
def register_task_definition(original, self, family, container_definitions, **kwargs):
    if not re.fullmatch(r"[\w-]{1,255}", family, re.A):
        raise client("Family contains invalid characters, or has not 1 to 255 of them.")
    names = [c.get("name") for c in container_definitions]
    if len(set(names)) != len(names):
        raise client("Container names must be unique.")
    fargate, role = "FARGATE" in (kwargs.get("requires_compatibilities") or []), kwargs.get("execution_role_arn")
    if fargate:
        if kwargs.get("network_mode") != "awsvpc":
            raise client("Fargate only supports network mode ‘awsvpc’.")
        for what in ("cpu", "memory"):
            if not kwargs.get(what):
                raise client(f"Fargate requires that '{what}' be defined at the task level.")
        cpu, memory = amount(kwargs["cpu"], "vCPU"), amount(kwargs["memory"], "GB")
        if memory not in MEMORY.get(cpu, ()):
            raise client(f"No Fargate configuration exists for given values: {cpu} CPU, {memory} memory. See the Amazon ECS documentation for the valid values.")
    for container in container_definitions:
        if container.get("secrets") and not role:
            raise client("When you are specifying container secrets, you must also specify a value for 'executionRoleArn'.")
        if fargate and not role:
            if OWN.fullmatch(container.get("image", "")):
                raise client("Fargate requires task definition to have execution role ARN to support ECR images.")
            if container.get("logConfiguration", {}).get("logDriver") == "awslogs":
                raise client("Fargate requires task definition to have execution role ARN to support log driver awslogs.")
        if kwargs.get("memory") and container.get("memory", 0) > amount(kwargs["memory"], "GB"):
            raise client(f"Invalid setting for container '{container.get('name')}'. The task's memory is less than the container's.")
        for mapping in container.get("portMappings", []):
            mapping.setdefault("protocol", "tcp")
            if kwargs.get("network_mode") == "awsvpc":
                if mapping.setdefault("hostPort", mapping.get("containerPort")) != mapping.get("containerPort"):
                    raise client("When networkMode=awsvpc, the host ports and container ports in port mappings must match.")
    definition = original(self, family, container_definitions, **kwargs)
    for container in definition.container_definitions:
        container.setdefault("systemControls", [])
    if not kwargs.get("requires_compatibilities") and kwargs.get("network_mode") == "awsvpc":
        definition.compatibilities = ["EC2", "FARGATE"]
    if kwargs.get("network_mode"):
        definition.network_mode = kwargs["network_mode"]
    definition.registered_at = utcnow()
    return definition


@wrap(ecs.EC2ContainerServiceBackend, "describe_task_definition")
def describe_task_definition(original, self, task_definition_str):
    name = task_definition_str.rsplit("/", 1)[-1]
    if ":" not in name:
        found = self.task_definitions.get(name, {})
        active = [r for r in found if found[r].status == "ACTIVE"]
        if not active:
            raise client("Unable to describe task definition.")
        return found[max(active)]
    return original(self, task_definition_str)


# --- Application Auto Scaling -----------------------------------------------------------------------

TAGS: dict[str, dict] = {}  # by the target's ARN


def target_missing(arn):
    return JsonRESTError("ResourceNotFoundException", f"The specified resource doesn't exist: {arn}")


def scaling_tags(self):
    arn = json.loads(self.body)["ResourceARN"]
    targets = self.applicationautoscaling_backend.targets
    if not any(t.arn == arn for by_id in targets.values() for t in by_id.values()):
        raise target_missing(arn)
    return TAGS.setdefault(arn, {})


def list_tags_for_resource(self):
    return json.dumps({"Tags": scaling_tags(self)})


def tag_resource(self):
    scaling_tags(self).update(json.loads(self.body)["Tags"])
    return "{}"


def untag_resource(self):
    tags = scaling_tags(self)
    for key in json.loads(self.body)["TagKeys"]:
        tags.pop(key, None)
    return "{}"


for function in (list_tags_for_resource, tag_resource, untag_resource):
    setattr(ApplicationAutoScalingResponse, function.__name__, function)


@wrap(ApplicationAutoScalingResponse, "register_scalable_target")
def register_scalable_target(original, self):
    answer = original(self)
    if tags := json.loads(self.body).get("Tags"):
        TAGS.setdefault(json.loads(answer)["ScalableTargetARN"], {}).update(tags)
    return answer


SUSPENDED = ("DynamicScalingInSuspended", "DynamicScalingOutSuspended", "ScheduledScalingSuspended")


@wrap(scaling.ApplicationAutoscalingBackend, "register_scalable_target")
def register_target(original, self, namespace, r_id, dimension, *args, **kwargs):
    if namespace == "ecs":
        cluster, name = r_id.split("/")[1:]
        if cluster not in self.ecs_backend.clusters:
            raise scaling.AWSValidationException(f"ECS service doesn't exist: {r_id}")
    target = original(self, namespace, r_id, dimension, *args, **kwargs)
    target.suspended_state = {**{s: False for s in SUSPENDED}, **(target.suspended_state or {})}
    if namespace == "ecs":
        target.role_arn = (f"arn:aws:iam::{self.account_id}:role/aws-service-role/ecs.application-autoscaling.amazonaws.com/"
                           "AWSServiceRoleForApplicationAutoScaling_ECSService")
        with LOCK:
            service = find_services(self.ecs_backend, cluster, [name])[0][0]
            # Capacity beyond the limits is brought to them, for example: "minimum capacity was set to 2".
            service.desired_count = max(target.min_capacity, min(target.max_capacity, service.desired_count))
    return target


def policies_of(self, namespace, r_id, dimension):
    return [p for p in self.policies.values() if (p.service_namespace, p.resource_id, p.scalable_dimension) == (namespace, r_id, dimension)]


@wrap(scaling.ApplicationAutoscalingBackend, "deregister_scalable_target")
def deregister_target(original, self, namespace, r_id, dimension):
    target = self.targets.get(dimension, {}).get(r_id)
    original(self, namespace, r_id, dimension)
    TAGS.pop(target.arn, None)
    for policy in policies_of(self, namespace, r_id, dimension):
        self.delete_scaling_policy(policy.policy_name, namespace, r_id, dimension)


METRICS = ("ECSServiceAverageCPUUtilization", "ECSServiceAverageMemoryUtilization", "ALBRequestCountPerTarget")


@wrap(scaling.ApplicationAutoscalingBackend, "put_scaling_policy")
def put_scaling_policy(original, self, policy_name, service_namespace, resource_id, scalable_dimension, policy_body, policy_type):
    if not self._scalable_target_exists(resource_id, scalable_dimension):
        raise JsonRESTError("ObjectNotFoundException", f"No scalable target registered for service namespace: {service_namespace}, resource ID: "
                            f"{resource_id}, scalable dimension: {scalable_dimension}")
    metric = ((policy_body or {}).get("PredefinedMetricSpecification") or {}).get("PredefinedMetricType")
    if service_namespace == "ecs" and metric and metric not in METRICS:
        raise scaling.AWSValidationException(f"Metric type {metric} is not supported for service namespace ecs.")
    key = scaling.FakeApplicationAutoscalingPolicy.formulate_key(service_namespace, resource_id, scalable_dimension, policy_name)
    old = self.policies.get(key)
    if old:
        old.delete_alarms(self.account_id, self.region_name)
    policy = original(self, policy_name, service_namespace, resource_id, scalable_dimension, policy_body, policy_type)
    if old:
        policy.policy_arn, policy.creation_time = old.policy_arn, old.creation_time
    if policy.policy_type == "TargetTrackingScaling":
        goal = policy.target_tracking_scaling_policy_configuration["TargetValue"]
        for alarm in policy.alarms:
            alarm.threshold = goal if "AlarmHigh" in alarm.name else goal * 0.9
            alarm.alarm_actions = [policy.policy_arn]
    return policy


# --- ECR --------------------------------------------------------------------------------------------

class ImageTagAlreadyExistsException(ServiceException):
    code = "ImageTagAlreadyExistsException"


class ImageDigestDoesNotMatchException(ServiceException):
    code = "ImageDigestDoesNotMatchException"


# moto looks for an error's service by its module's name.
ImageTagAlreadyExistsException.__module__ = ImageDigestDoesNotMatchException.__module__ = "moto.ecr.exceptions"


def create_digest(self):
    self._image_digest = "sha256:" + hashlib.sha256(self.image_manifest.encode()).hexdigest()


def size_in_bytes(self):
    manifest = json.loads(self.image_manifest)
    return sum(part.get("size", 0) for part in [manifest.get("config", {}), *manifest.get("layers", [])])


ecr.Image._create_digest, ecr.Image.get_image_size_in_bytes = create_digest, size_in_bytes


@wrap(ecr.ECRBackend, "put_image")
def put_image(original, self, repository_name, image_manifest, image_tag, image_manifest_mediatype=None, digest=None):
    repository = self._get_repository(repository_name)
    own = "sha256:" + hashlib.sha256(image_manifest.encode()).hexdigest()
    if digest and digest != own:
        raise ImageDigestDoesNotMatchException(f"The digest of the image manifest is {own}, not {digest}.")
    tagged = next((i for i in repository.images if image_tag and image_tag in i.image_tags), None)
    if tagged and tagged.get_image_digest() != own and repository.is_tag_immutable():
        raise ImageTagAlreadyExistsException(f"The image tag '{image_tag}' already exists in the '{repository_name}' repository and cannot be overwritten "
                                             "because the tag is immutable.")
    return original(self, repository_name, image_manifest, image_tag, image_manifest_mediatype, own)


def get_authorization_token(self):
    ids = self._get_param("registryIds") or [self.current_account]
    return ActionResult({"authorizationData": [{
        "authorizationToken": base64.b64encode(f"AWS:{i}-auth-token".encode()).decode(), "expiresAt": time.time() + 12 * 3600,
        "proxyEndpoint": f"https://{i}.dkr.ecr.{self.region}.amazonaws.com"} for i in ids]})


ECRResponse.get_authorization_token = get_authorization_token


# --- EC2: interface endpoints, and what interfaces of services hold ---------------------------------

def set_interfaces(backend, endpoint):
    """Gives the endpoint one interface per subnet, with its security groups."""
    known = {backend.enis[i].subnet.id: i for i in endpoint.network_interface_ids if i in backend.enis and getattr(backend.enis[i], "of_service", None)}
    for i in endpoint.network_interface_ids:
        if i not in known.values() or backend.enis[i].subnet.id not in endpoint.subnet_ids:
            backend.enis.pop(i, None)
    for subnet in endpoint.subnet_ids:
        if subnet not in known:
            made = interface(backend, subnet, endpoint.security_group_ids, f"VPC Endpoint Interface {endpoint.id}")
            made.interface_type, known[subnet] = "vpc_endpoint", made.id
        backend.enis[known[subnet]]._group_set = [backend.get_security_group_from_id(g) for g in endpoint.security_group_ids]
    endpoint.network_interface_ids = [known[s] for s in endpoint.subnet_ids]


def api_name(service, region):
    """The name that private DNS answers: com.amazonaws.us-east-1.ecr.api has api.ecr.us-east-1.amazonaws.com."""
    parts = service.split(f"com.amazonaws.{region}.", 1)[-1].split(".")
    prefix = "*." if parts[-1] == "dkr" else ""
    name = {"ecs-agent": "ecs-a", "ecs-telemetry": "ecs-t"}.get(parts[0], ".".join(reversed(parts)))
    return f"{prefix}{name}.{region}.amazonaws.com"


def check_endpoint(backend, vpc_id, service, subnets, groups, private, own=None):
    region, vpc = backend.region_name, backend.get_vpc(vpc_id)
    names = {s["ServiceName"] for s in backend.describe_vpc_endpoint_services(region=region, service_names=[], filters=[], max_results=10**6, next_token=None)["servicesDetails"]}
    known = names | {f"com.amazonaws.{region}.{s}" for s in ("ecs", "ecs-agent", "ecs-telemetry", "logs", "ssm", "ssmmessages", "ec2messages", "secretsmanager",
                                                             "sts", "kms", "ecr.api", "ecr.dkr", "monitoring", "sqs", "sns")}
    if service not in known:
        raise EC2ClientError("InvalidServiceName", f"The Vpc Endpoint Service '{service}' does not exist")
    zones = {}
    for subnet in subnets:
        zone = backend.get_subnet(subnet).availability_zone
        if zone in zones:
            raise EC2ClientError("DuplicateSubnetsInSameZone", f"Found another VPC endpoint subnet in the availability zone of {subnet}")
        zones[zone] = subnet
    for group in groups:
        found = backend.get_security_group_from_id(group)
        if not found:
            raise EC2ClientError("InvalidGroup.NotFound", f"The security group '{group}' does not exist")
        if found.vpc_id != vpc_id:
            raise EC2ClientError("InvalidParameter", f"Security group {group} does not belong to {vpc_id}.")
    if private:
        if not all(str(v).lower() == "true" for v in (vpc.enable_dns_support, vpc.enable_dns_hostnames)):
            raise EC2ClientError("InvalidParameter", f"Enabling private DNS requires both enableDnsSupport and enableDnsHostnames VPC attributes set to true for {vpc_id}")
        for other in backend.vpc_end_points.values():
            if other is not own and other.state == "available" and other.vpc_id == vpc_id and other.service_name == service and other.private_dns_enabled and \
                    (other.vpc_endpoint_type or "").lower() == "interface":
                raise EC2ClientError("InvalidParameter", f"private-dns-enabled cannot be set because there is already a conflicting DNS domain for "
                                     f"{api_name(service, region)} in the VPC {vpc_id}")


def set_names(backend, endpoint):
    region = backend.region_name
    public = f"{'.'.join(reversed(endpoint.service_name.split(f'com.amazonaws.{region}.', 1)[-1].split('.')))}.{region}.vpce.amazonaws.com"
    stem = endpoint.id + "-" + hashlib.sha256(endpoint.id.encode()).hexdigest()[:8]
    names = [f"{stem}.{public}", *(f"{stem}-{backend.get_subnet(s).availability_zone}.{public}" for s in endpoint.subnet_ids)]
    endpoint.dns_entries = [{"dns_name": n, "hosted_zone_id": "Z7HUB22UULQXV"} for n in names]
    if endpoint.private_dns_enabled:
        endpoint.dns_entries.append({"dns_name": api_name(endpoint.service_name, region), "hosted_zone_id": "ZONEIDPENDING"})


@wrap(VPCBackend, "create_vpc_endpoint")
def create_vpc_endpoint(original, self, vpc_id, service_name, endpoint_type, *args, **kwargs):
    if (endpoint_type or "").lower() != "interface":
        return original(self, vpc_id, service_name, endpoint_type, *args, **kwargs)
    if not kwargs.get("security_group_ids"):
        kwargs["security_group_ids"] = [next(g.id for g in self.groups[vpc_id].values() if g.name == "default")]
    check_endpoint(self, vpc_id, service_name, kwargs.get("subnet_ids") or [], kwargs["security_group_ids"], kwargs.get("private_dns_enabled"))
    endpoint = original(self, vpc_id, service_name, endpoint_type, *args, **kwargs)
    set_interfaces(self, endpoint)
    set_names(self, endpoint)
    return endpoint


@wrap(EC2Response, "modify_vpc_endpoint")
def modify_vpc_endpoint(original, self):
    backend = self.ec2_backend
    endpoint = backend.describe_vpc_endpoints(vpc_end_point_ids=[self._get_param("VpcEndpointId")])[0]
    if (endpoint.vpc_endpoint_type or "").lower() != "interface":
        return original(self)
    private = self._get_param("PrivateDnsEnabled")
    private = endpoint.private_dns_enabled if private is None else str(private).lower() == "true"
    subnets = [s for s in endpoint.subnet_ids if s not in self._get_param("RemoveSubnetIds", [])] + self._get_param("AddSubnetIds", [])
    check_endpoint(backend, endpoint.vpc_id, endpoint.service_name, subnets, self._get_param("AddSecurityGroupIds", []), private, endpoint)
    answer = original(self)
    endpoint.private_dns_enabled = private
    set_interfaces(backend, endpoint)
    set_names(backend, endpoint)
    return answer


def held(backend):
    return [i for i in backend.enis.values() if getattr(i, "of_service", None)]


@wrap(SecurityGroupBackend, "delete_security_group")
def delete_security_group(original, self, name=None, group_id=None):
    if any(group_id in [g.id for g in i._group_set if g] for i in held(self)):
        raise DependencyViolationError(f"resource {group_id} has a dependent object")
    return original(self, name, group_id)


@wrap(SubnetBackend, "delete_subnet")
def delete_subnet(original, self, subnet_id):
    if any(i.subnet.id == subnet_id for i in held(self)):
        raise DependencyViolationError(f"The subnet '{subnet_id}' has dependencies and cannot be deleted.")
    return original(self, subnet_id)
