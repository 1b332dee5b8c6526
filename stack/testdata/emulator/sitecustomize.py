"""What the emulator lacks, where it is started with this folder on its PYTHONPATH.

- Its Auto Scaling groups forget their maintenance policy and default warm-up.
- It adds a launch template's own tags to those that the template gives to instances.
- Its instances do not boot, so this plays what the database host reports about itself (app/contract, Status).

The file `database-host` in the folder of E2E_UNHEALTHY says how its boot goes: `good` (also without the file), `slow` (some
phases first), or `failing`.
"""
import json
import os
import sys
from pathlib import Path

KEY = "status/database.json"
SLOW = ["fetching", "waiting for the volume", "installing", "initializing"]


def mode():
    path = Path(os.environ.get("E2E_UNHEALTHY", "/nonexistent/x")).parent / "database-host"
    return path.read_text().strip() if path.exists() else "good"


def database_host(account):
    from moto.ec2.models import ec2_backends

    for backend in ec2_backends[account].values():
        for reservation in backend.reservations.values():
            for instance in reservation.instances:
                tags = {t["key"]: t["value"] for t in instance.get_tags()}
                if tags.get("Component") == "Database" and instance.state in ("pending", "running"):
                    return instance.id
    return None


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


def play_database_host():
    from moto.s3.models import S3Backend

    get, asked = S3Backend.get_object, {}

    def get_object(self, bucket_name, key_name, *args, **kwargs):
        host = database_host(self.account_id) if key_name == KEY else None
        if host:
            boot = (host, mode())
            asked[boot] = n = asked.get(boot, 0) + 1
            status = {"role": "database", "instance": host, "version": "", "digest": "", "error": "", "fatal": False, "time": "2026-01-01T00:00:00Z",
                      "phase": SLOW[n - 1] if mode() == "slow" and n <= len(SLOW) else "ready"}
            if mode() == "failing":
                status.update(phase="waiting for the volume", error="vol-0 holds ext4 rather than xfs; it is not formatted", fatal=True)
            self.put_object(bucket_name, KEY, json.dumps(status).encode())
        return get(self, bucket_name, key_name, *args, **kwargs)

    S3Backend.get_object = get_object


if any(arg.endswith("emulator.py") for arg in sys.orig_argv):
    import account  # noqa: F401: quotas
    import edge  # noqa: F401: CloudFront, WAF, log deliveries
    keep_group_settings()
    keep_template_tags_apart()
    play_database_host()
