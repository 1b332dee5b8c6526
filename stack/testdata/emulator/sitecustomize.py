"""What the emulator lacks, where it is started with this folder on its PYTHONPATH.

- Its Auto Scaling groups forget their maintenance policy and default warm-up.
- It adds a launch template's own tags to those that the template gives to instances.
- It fails on deleting an object of which a delete marker is a version, once the bucket's versioning is suspended.
- Its instances do not boot, so this plays what each database host reports about itself and about the replica set
  (app/contract, Status and Report). Each report that is read is a step of membership: one member is added, gets its vote, hands
  over, or is removed.

The file `database-host` in the folder of E2E_UNHEALTHY says how a host's boot goes: `good` (also without the file), `slow` (some
phases first), or `failing`.
"""
import json
import os
import re
import sys
import threading
from datetime import datetime, timedelta
from pathlib import Path

KEY = re.compile(r"status/database-([a-z0-9-]+?)(-member)?\.json")
WANTED = "database/members.json"
SLOW = ["waiting for the volume", "initializing"]


def mode():
    path = Path(os.environ.get("E2E_UNHEALTHY", "/nonexistent/x")).parent / "database-host"
    return path.read_text().strip() if path.exists() else "good"


def database_hosts(account):
    """The ids of the running database hosts by zone, in the order of the zones."""
    from moto.ec2.models import ec2_backends

    found = {}
    for backend in ec2_backends[account].values():
        for reservation in backend.reservations.values():
            for instance in reservation.instances:
                tags = {t["key"]: t["value"] for t in instance.get_tags()}
                if tags.get("Component") == "Database" and instance.state in ("pending", "running"):
                    found[instance.placement.zone] = instance.id
    return dict(sorted(found.items()))


class ReplicaSet:
    """The replica set of one stack. Its configuration is on the members' volumes, so it outlives their hosts."""

    def __init__(self):
        self.members = {}  # by zone: host, vote
        self.primary = None  # zone and instance
        self.reports = 0

    def step(self, hosts, wanted):
        """One step of the primary: hosts are the running ones by zone, wanted the names of the wanted members by zone."""
        if not self.members:
            # The first host that runs initiates the set.
            self.members = {zone: {"host": wanted[zone], "vote": True} for zone in [zone for zone in wanted if zone in hosts][:1]}
        running = [zone for zone, member in self.members.items() if zone in hosts and member["vote"]]
        if not self.primary or hosts.get(self.primary[0]) != self.primary[1] or self.primary[0] not in self.members:
            # An election: the member whose host has gone has just stopped.
            before = self.primary and self.primary[0]
            first = sorted(running, key=lambda zone: (zone == before, zone not in wanted, zone))
            self.primary = (first[0], hosts[first[0]]) if first else None
            return
        unwanted = [zone for zone in self.members if zone not in wanted]
        missing = [zone for zone in wanted if zone not in self.members and zone in hosts]
        joining = [zone for zone, member in self.members.items() if zone in hosts and not member["vote"]]
        heirs = [zone for zone in running if zone in wanted]
        if self.primary[0] in unwanted:
            if heirs:
                self.primary = (heirs[0], hosts[heirs[0]])
        elif joining:
            self.members[joining[0]]["vote"] = True
        elif missing:
            self.members[missing[0]] = {"host": wanted[missing[0]], "vote": False}
        elif unwanted:
            del self.members[unwanted[0]]

    def report(self, zone, hosts, wanted):
        self.step(hosts, wanted)
        self.reports += 1

        def state(of):
            member = self.members[of]
            name = "(not reachable/healthy)" if of not in hosts else "STARTUP2" if not member["vote"] else "SECONDARY"
            if self.primary and self.primary[0] == of:
                name = "PRIMARY"
            return {"host": member["host"], "state": name, "voting": member["vote"], "lagSeconds": 0 if name in ("PRIMARY", "SECONDARY") else -1}

        states = {of: state(of) for of in self.members}
        own = states.get(zone, {"host": wanted.get(zone, ""), "state": "REMOVED" if zone not in wanted else "STARTUP"})
        primary = self.members[self.primary[0]]["host"] if self.primary and zone in self.members else ""
        return {"zone": zone, "host": own["host"], "state": own["state"], "primary": primary, "error": "",
                "members": sorted(states.values(), key=lambda s: s["host"]) if zone in self.members else [],
                "time": (datetime(2026, 1, 1) + timedelta(seconds=15 * self.reports)).isoformat() + "Z"}


def keep_group_settings():
    from moto.autoscaling.responses import AutoScalingResponse

    def keeping(call):
        def wrapped(self):
            answer = call(self)
            group = self.autoscaling_backend.autoscaling_groups[self._get_param("AutoScalingGroupName")]
            for name, attribute in (("InstanceMaintenancePolicy", "instance_maintenance_policy"), ("DefaultInstanceWarmup", "default_instance_warmup")):
                if self._get_param(name) is not None:
                    setattr(group, attribute, self._get_param(name))
            return answer

        return wrapped

    for name in ("create_auto_scaling_group", "update_auto_scaling_group"):
        setattr(AutoScalingResponse, name, keeping(getattr(AutoScalingResponse, name)))


def keep_template_tags_apart():
    from moto.ec2.models.launch_templates import LaunchTemplate, LaunchTemplateBackend

    # Those that it has now, not those that it was created with.
    LaunchTemplate.tags = property(lambda self: self.get_tags(), lambda self, tags: None)
    create = LaunchTemplateBackend.create_launch_template

    def create_launch_template(self, name, description, template_data, tag_spec):
        if "TagSpecifications" in template_data:
            template_data["TagSpecifications"] = [t for t in template_data["TagSpecifications"] if t.get("ResourceType") != "launch-template"]
        return create(self, name, description, template_data, tag_spec)

    LaunchTemplateBackend.create_launch_template = create_launch_template


def dispose_delete_markers():
    from moto.s3.models import FakeDeleteMarker

    FakeDeleteMarker.dispose = lambda self, garbage=False: None


def boot_status(zone, host, asked):
    """The status of a host: asked counts the reads of each boot."""
    boot = (host, mode())
    asked[boot] = n = asked.get(boot, 0) + 1
    status = {"role": f"database-{zone}", "instance": host, "version": "", "digest": "", "error": "", "fatal": False, "time": "2026-01-01T00:00:00Z",
              "phase": SLOW[n - 1] if mode() == "slow" and n <= len(SLOW) else "ready"}
    if mode() == "failing":
        status.update(phase="waiting for the volume", error="vol-0 holds ext4 rather than xfs; it is not formatted", fatal=True)
    return status


def play_database_hosts():
    from moto.s3.responses import S3Response

    get, asked, sets, lock = S3Response.get_object, {}, {}, threading.Lock()

    def get_object(self):
        bucket, name = self.bucket_name, self.parse_key_name()
        key = KEY.fullmatch(name)
        hosts = database_hosts(self.current_account) if key else {}
        if key and key[1] in hosts:
            zone = key[1]
            with lock:
                if key[2]:
                    stored = self.backend.get_object(bucket, WANTED)
                    wanted = {m["zone"]: m["host"] for m in json.loads(stored.value)["members"]} if stored else {
                        of: f"mongo-{of[-1]}.cinema.internal" for of in hosts}
                    content = sets.setdefault(bucket, ReplicaSet()).report(zone, hosts, wanted)
                else:
                    content = boot_status(zone, hosts[zone], asked)
                self.backend.put_object(bucket, name, json.dumps(content).encode())
        return get(self)

    S3Response.get_object = get_object


if any(arg.endswith("emulator.py") for arg in sys.orig_argv):
    import account  # noqa: F401: quotas
    import containers  # noqa: F401: ECS, ECR, Application Auto Scaling, interface endpoints
    import edge  # noqa: F401: CloudFront, WAF, log deliveries
    keep_group_settings()
    keep_template_tags_apart()
    dispose_delete_markers()
    play_database_hosts()
