"""What moto 5.2 lacks for a release, where the emulator is started with this folder on its PYTHONPATH: it keeps the
user data of a launch template's second and later versions as text, and its instances then fail to start."""
import sys

if any(arg.endswith("emulator.py") for arg in sys.orig_argv):
    from moto.ec2.models.launch_templates import LaunchTemplateVersion
    from moto.ec2.utils import parse_user_data

    _init = LaunchTemplateVersion.__init__

    def init(self, template, number, data, description):
        if isinstance(data.get("UserData"), str):
            data = {**data, "UserData": parse_user_data(data["UserData"])}
        _init(self, template, number, data, description)

    LaunchTemplateVersion.__init__ = init
