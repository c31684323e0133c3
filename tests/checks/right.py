"""Configurations that are odd, and right: nothing may be said against them."""

from __future__ import annotations

from dataclasses import dataclass

from tests.checks.mistakes.mistake import ADA, INSTANCES, KUBE, PAM, REACHED


@dataclass(frozen=True)
class Right:
    """One configuration."""

    name: str
    config: str
    arguments: tuple[str, ...] = ()
    environ: tuple[tuple[str, str], ...] = ()


KUBERNETES = KUBE + REACHED

WRAPPED = """
=== batch_of_mine.py
from jupyterhub.spawner import LocalProcessSpawner
from traitlets import Unicode

class BatchBase(LocalProcessSpawner):
    query = Unicode().tag(config=True)

class SlurmLike(BatchBase):
    script = Unicode().tag(config=True)

=== helper_of_mine.py
from jupyterhub.spawner import LocalProcessSpawner
from traitlets import List, Unicode

class ProfilesLike(LocalProcessSpawner):
    profiles = List().tag(config=True)
    child = Unicode().tag(config=True)
"""
"""Spawners that name spawners, as wrapspawner's do."""

HOMES = (
    *("s3://homes/{username}", "S3://homes/{username}", "s3://{username}"),
    *("sftp://{username}@h:2222/home/{username}", "webdav://[::1]:8080/{username}"),
    *("https://store_1/{username}", "simplecache::s3://homes/{username}", "dav://h/{username}"),
    *("abfs://homes@account.dfs.core.windows.net/{username}", "local:///srv/{username}"),
    "s3://arn:aws:s3:eu-west-1:123456789012:accesspoint/homes/{username}",
)
CATALOGUES = (
    *("https://h/catalog.yaml", "https://h/catalog?ref=main", "hf://datasets/d/cat.yaml"),
    *("s3://data/cat.yml", "simplecache::https://h/catalog.yaml", "https://h:8443/a b.yaml"),
)
AMOUNTS = (
    *(f'c.LocalCluster.memory_limit = "{each}"' for each in ("auto", "0", "0.5", "2Gi", "2e9")),
    *(f'c.LocalCluster.idle_timeout = "{each}"' for each in ("90", "1.5 hours", "12h", "2 Days")),
    'c.GreyHub.homespace = "s3://h/{username}"\nc.HomespaceAdapter.quota = ""',
)
ADDRESSES = (
    *('bind_url = "http://127.0.0.1:8000/jhub/"', 'bind_url = "http://[::1]:8000"'),
    *('hub_bind_url = "http://:8081"', 'hub_bind_url = "http://*:8081"', 'hub_ip = "::1"'),
    *('public_url = "hub.example.org"', 'subdomain_host = "hub.example.org"', 'ip = "localhost"'),
    *('hub_bind_url = "unix+http://%2Ftmp%2Fhub.sock"', 'base_url = "/jhub/"'),
)

RIGHT = (
    Right("nothing at all", ""),
    Right(
        "homes that compute instances mount",
        INSTANCES + 'c.LocalHomespace.root = "/srv/homes"',
    ),
    Right(
        "homes beside instances on which Azure's own JupyterLab runs",
        INSTANCES + 'c.AzureMLSpawner.access = "redirect"\nc.AzureMLSpawner.assign_to_user = True',
    ),
    Right("get_config", 'c = get_config()\nc.GreyHub.flavour = "local"'),
    Right("a class that notebooks alone have", 'c.GreyHub.cluster = "coiled.Cluster"'),
    Right("a section by its key", 'c["JupyterHub"]["port"] = 8001'),
    Right("a mapping of sections", 'c.update({"JupyterHub": {"port": 8001}})'),
    Right(
        "a merged configuration",
        "from traitlets.config import Config\n"
        'c.merge(Config({"LocalCluster": {"max_workers": 2}}))',
    ),
    Right(
        "a loop over options",
        'for name, value in {"port": 8001, "hub_port": 8082}.items():\n'
        "    setattr(c.JupyterHub, name, value)",
    ),
    Right(
        "a helper in another module",
        "import helper_of_mine\nhelper_of_mine.configure(c)\n"
        "=== helper_of_mine.py\ndef configure(c):\n    c.Spawner.start_timeout = 90\n",
    ),
    Right(
        "a part in another file",
        'load_subconfig("part.py")\nc.Spawner.http_timeout = 20\n'
        "=== part.py\nc.Spawner.start_timeout = 90\n",
    ),
    Right(
        "a part that may be missing, asked for first",
        'import os\nif os.path.exists("site.py"):\n    load_subconfig("site.py")',
    ),
    Right("a list that is appended to", 'c.Spawner.args.append("--debug")'),
    Right(
        "a list that is extended and prepended",
        'c.Spawner.args.extend(["--a"])\n'
        'c.Spawner.args.prepend(["--b"])\nc.Spawner.args.insert(0, "--c")',
    ),
    Right("a mapping that is updated", 'c.Spawner.environment.update({"LANG": "C"})'),
    Right(
        "a set that is added to",
        'c.Authenticator.allowed_users.add("ada")\nc.Authenticator.admin_users.update({"ada"})',
    ),
    Right("a list made longer", 'c.Spawner.args = ["--a"]\nc.Spawner.args += ["--b"]'),
    Right(
        "an option that is read before it is set",
        "port = c.JupyterHub.port\nc.JupyterHub.port = 8001 if not isinstance(port, int) else port",
    ),
    Right("a slot that is only looked at", 'if c.GreyHub.cluster == "azure":\n    pass'),
    Right(
        "a hook and a subclass made in the file",
        """\
from jupyterhub.spawner import SimpleLocalProcessSpawner
from traitlets import Unicode


class Mine(SimpleLocalProcessSpawner):
    flavour = Unicode("plain").tag(config=True)


async def before(spawner):
    spawner.log.info("here")


c.GreyHub.spawner = Mine
c.Mine.flavour = "salty"
c.SimpleLocalProcessSpawner.home_dir_template = "/tmp/{username}"
c.Spawner.pre_spawn_hook = before
""",
    ),
    Right(
        "an Authenticator made in the file, with a rule of its own",
        """\
from jupyterhub.auth import Authenticator


class Mine(Authenticator):
    auto_login = True

    async def authenticate(self, handler, data):
        return "ada"

    def check_allowed(self, username, authentication=None):
        return username == "ada"


c.JupyterHub.authenticator_class = Mine
""",
    ),
    Right(
        "the value of a callable",
        "c.Spawner.default_url = '/lab'\nc.JupyterHub.default_url = lambda handler: '/hub/home'",
    ),
    Right(
        "a callable in the environment",
        'c.Spawner.environment = {"WHO": lambda spawner: spawner.user.name}',
    ),
    Right(
        "a callable options form",
        "c.Spawner.options_form = lambda spawner: '<b>x</b>'\n"
        "c.Spawner.options_from_form = lambda data: {}",
    ),
    Right(
        "JupyterHub's own way to name its classes",
        'c.JupyterHub.spawner_class = "simple"\n'
        'c.JupyterHub.authenticator_class = "shared-password"\n'
        "c.SharedPasswordAuthenticator.allow_all = True\n"
        'c.SharedPasswordAuthenticator.user_password = "-".join(["long"] * 3)\n'
        'c.JupyterHub.ip = "127.0.0.1"',
    ),
    Right(
        "classes by import string",
        'c.JupyterHub.spawner_class = "jupyterhub.spawner.SimpleLocalProcessSpawner"',
    ),
    Right(
        "accounts of this machine", PAM + ADA + "c.LocalAuthenticator.create_system_users = True"
    ),
    Right(
        "accounts behind a proxy that speaks TLS",
        'c.GreyHub.auth = "pam"\n' + ADA + 'c.JupyterHub.public_url = "https://hub.example.org/"',
    ),
    Right(
        "accounts, with TLS of the hub's own",
        "from certipy import Certipy\n"
        'made = Certipy(store_dir="certificates").create_ca("hub")["files"]\n'
        'c.GreyHub.auth = "pam"\n' + ADA + 'c.JupyterHub.ssl_cert = made["cert"]\n'
        'c.JupyterHub.ssl_key = made["key"]',
    ),
    Right(
        "a Unix socket",
        PAM.replace('c.JupyterHub.ip = "127.0.0.1"\n', "")
        + ADA
        + 'c.JupyterHub.bind_url = "http+unix://%2Frun%2Fhub.sock"',
    ),
    Right("nobody, and it is meant", PAM + 'c.GreyHub.accepted_risks = ["nobody"]'),
    Right("nobody, and JupyterHub is told so", PAM + "c.Authenticator.any_allow_config = True"),
    Right("nobody, for a hub of services", 'c.GreyHub.auth = "null"'),
    Right(
        "the dummy authenticator on this machine",
        'c.GreyHub.auth = "dummy"\nc.JupyterHub.ip = "127.0.0.1"',
    ),
    Right("pods", KUBERNETES),
    Right(
        "pods, with options of KubeSpawner, a profile and a reflector",
        KUBERNETES + 'c.KubeSpawner.image = "jupyter/scipy-notebook"\nc.Spawner.cpu_limit = 1\n'
        'c.KubeSpawner.profile_list = [{"display_name": "GPU", '
        '"kubespawner_override": {"image": "x", "cpu_limit": 2}}]\n'
        "c.ResourceReflector.request_timeout = 60",
    ),
    Right(
        "pods, and a gateway that they reach",
        KUBERNETES + 'c.GreyHub.cluster = "dask_gateway.GatewayCluster"\n'
        'c.ClusterAdapter.options = {"address": "http://gateway.dask:8000"}',
    ),
    Right(
        "pods, and a dask-gateway beside them",
        KUBERNETES + 'c.GreyHub.cluster = "gateway"\n'
        'c.GatewayAdapter.address = "http://gateway.dask:8000"\n'
        'c.GatewayAdapter.service = "dask-gateway"',
    ),
    Right(
        "a gateway's address in the environment",
        KUBERNETES + 'c.GreyHub.cluster = "dask_gateway.GatewayCluster"\n'
        'c.Spawner.environment = {"DASK_GATEWAY__ADDRESS": "http://gateway.dask:8000"}',
    ),
    Right(
        "OAuth, all of it from the environment",
        'c.GreyHub.auth = "github"\nc.GitHubOAuthenticator.allowed_organizations = {"pangeo-data"}',
        environ=(("GITHUB_CLIENT_ID", "x"), ("GITHUB_CLIENT_SECRET", "y")),
    ),
    Right(
        "OAuth, with groups and auth state",
        KUBERNETES.replace("c.GenericOAuthenticator.allow_all = True\n", "")
        + "c.GenericOAuthenticator.manage_groups = True\n"
        'c.GenericOAuthenticator.allowed_groups = {"staff"}\n'
        'c.GenericOAuthenticator.admin_groups = {"admins"}\n'
        'c.GenericOAuthenticator.auth_state_groups_key = "user.groups"\n'
        "c.Authenticator.enable_auth_state = True",
        environ=(("JUPYTERHUB_CRYPT_KEY", "ab" * 32),),
    ),
    Right(
        "an organisation's own GitHub, open to the organisation",
        'c.GreyHub.auth = "github"\nc.GitHubOAuthenticator.client_id = "x"\n'
        'c.GitHubOAuthenticator.client_secret = ""\n'
        'c.GitHubOAuthenticator.github_url = "https://github.example.org"\n'
        "c.GitHubOAuthenticator.allow_all = True",
    ),
    Right(
        "secrets of every kind",
        """\
import greyhub

c.LocalPassword.user_password = greyhub.secret(env="A_SECRET")
c.ConfigurableHTTPProxy.auth_token = greyhub.secret(env="A_SECRET")
c.JupyterHub.services.append({"name": "x", "api_token": greyhub.secret(env="A_SECRET")})
""",
        environ=(("A_SECRET", "canary-in-the-mine"),),
    ),
    Right(
        "a secret from a variable, without greyhub",
        "import os\nc.LocalPassword.user_password = os.environ['A_SECRET']",
        environ=(("A_SECRET", "canary-in-the-mine"),),
    ),
    Right(
        "a culler with its role, as JupyterHub documents it",
        """\
import sys

c.JupyterHub.load_roles = [
    {
        "name": "jupyterhub-idle-culler-role",
        "scopes": ["list:users", "read:users:activity", "read:servers", "delete:servers"],
        "services": ["jupyterhub-idle-culler-service"],
    }
]
c.JupyterHub.services = [
    {
        "name": "jupyterhub-idle-culler-service",
        "command": [sys.executable, "-m", "jupyterhub_idle_culler", "--timeout=3600"],
    }
]
""",
    ),
    Right(
        "a first page and a first folder that are there",
        'c.Spawner.default_url = "/lab/tree/notes.ipynb"\nc.Spawner.notebook_dir = "/tmp"',
    ),
    Right(
        "a first page of servers with an environment of their own",
        'c.GreyHub.spawner = "kubespawner.KubeSpawner"\nc.GreyHub.homespace = None\n'
        'c.JupyterHub.hub_ip = "0.0.0.0"\nc.GreyHub.auth = "null"\n'
        'c.Spawner.default_url = "/tree"\nc.Spawner.notebook_dir = "/home/jovyan"',
    ),
    *(
        Right(
            f"a class that the value of an option names: {how}",
            f"""\
from helper_of_mine import ProfilesLike

c.GreyHub.spawner = ProfilesLike
c.GreyHub.homespace = None
c.ProfilesLike.{line}
c.SlurmLike.script = "#!/bin/sh"
c.BatchBase.query = "squeue"
{WRAPPED}""",
        )
        for how, line in (
            ("text in a list", 'profiles = [("S", "s", "batch_of_mine.SlurmLike", {})]'),
            ("text with a colon", 'profiles = [("S", "s", "batch_of_mine:SlurmLike", {})]'),
            (
                "the class in a list",
                'profiles = [("S", "s", __import__("batch_of_mine").SlurmLike, {})]',
            ),
            ("in a mapping", 'profiles = [{"class": "batch_of_mine.SlurmLike"}]'),
            ("text alone", 'child = "batch_of_mine.SlurmLike"'),
        )
    ),
    Right(
        "a folder of each user",
        'c.Spawner.notebook_dir = "~/work"',
    ),
    Right(
        "a scope of a service's own, as JupyterHub documents it",
        'c.JupyterHub.custom_scopes = {"custom:grades:read": {"description": "Read grades."}}\n'
        'c.JupyterHub.load_roles = [{"name": "grader", "scopes": ["custom:grades:read", '
        '"read:users!group=class-a", "access:servers!user"]}]',
    ),
    Right(
        "more rights for the users of today and for servers",
        'c.JupyterHub.load_roles = [{"name": "user", "scopes": ["self", "list:users"]}, '
        '{"name": "server", "scopes": ["inherit"]}]',
    ),
    Right(
        "groups and roles, as JupyterHub documents them",
        'c.JupyterHub.load_groups = {"class-a": {"users": ["johan"], "properties": {"k": 1}}}\n'
        'c.JupyterHub.load_roles = [{"name": "teacher", "scopes": ["admin:users"], '
        '"groups": ["class-a"]}]',
    ),
    Right(
        "the application's own options",
        'c.Application.log_level = "DEBUG"\n'
        'c.JupyterHub.log_level = 10\nc.JupyterHub.log_format = "%(message)s"',
    ),
    Right(
        "what the hub makes for itself",
        "c.CryptKeeper.n_threads = 2\nc.EventLogger.handlers = []\n"
        "c.PeriodicMetricsCollector.active_users_enabled = False",
    ),
    Right(
        "another command, where greyhub keeps no homes",
        'c.GreyHub.homespace = None\nc.Spawner.cmd = ["jupyter-labhub"]',
    ),
    Right(
        "another command in a section of the class in use, without homes",
        'c.GreyHub.spawner = "simple"\nc.GreyHub.homespace = None\n'
        'c.SimpleLocalProcessSpawner.cmd = ["jupyterhub-singleuser"]',
    ),
    *(
        Right(
            f"another command for {name}, without homes",
            f'{base}c.GreyHub.homespace = None\nc.{name}.cmd = ["jupyter-labhub"]',
        )
        for name, base in (
            (
                "KubeSpawner",
                KUBERNETES.replace('c.GreyHub.homespace = "s3://homes/{username}"\n', ""),
            ),
            ("LocalSpawner", ""),
            ("SudoSpawner", 'c.GreyHub.spawner = "sudospawner.SudoSpawner"\n'),
            (
                "LocalProcessSpawner",
                'c.GreyHub.spawner = "jupyterhub.spawner.LocalProcessSpawner"\n',
            ),
        )
    ),
    Right(
        "another command and its arguments, without homes",
        'c.GreyHub.homespace = None\nc.Spawner.cmd = "jupyter-labhub"\n'
        'c.Spawner.args = ["--debug"]',
    ),
    Right(
        "another first folder, without homes",
        'c.GreyHub.homespace = None\nc.Spawner.notebook_dir = "/tmp"',
    ),
    Right("servers elsewhere, without clusters", KUBERNETES + "c.GreyHub.cluster = None"),
    Right("no data", "c.GreyHub.data = None"),
    Right(
        "nothing but servers",
        "c.GreyHub.homespace = c.GreyHub.data = c.GreyHub.cluster = None\n"
        'c.Spawner.cmd = ["jupyterhub-singleuser"]',
    ),
    Right(
        "a command on the command line, without homes",
        "c.GreyHub.homespace = None",
        arguments=("--Spawner.cmd=jupyter-labhub",),
    ),
    Right(
        "a section inside of the hub's",
        "c.JupyterHub.ConfigurableHTTPProxy.debug = True\nc.GreyHub.LocalCluster.max_workers = 2",
    ),
    Right(
        "the proxy run by somebody else",
        "c.ConfigurableHTTPProxy.should_start = False\n"
        'c.ConfigurableHTTPProxy.auth_token = __import__("secrets").token_hex()',
    ),
    Right(
        "a section of a service's own, which is said",
        'c.MyCuller.timeout = 60\nc.GreyHub.other_sections = ["MyCuller"]',
    ),
    Right(
        "a section of a service's own, whose class is imported",
        """\
from traitlets import Integer
from traitlets.config import Application


class Culling(Application):
    timeout = Integer().tag(config=True)


c.Culling.timeout = 60
""",
    ),
    Right(
        "spawners inside of a spawner",
        """\
from jupyterhub.spawner import LocalProcessSpawner, SimpleLocalProcessSpawner
from traitlets import List


class Profiles(LocalProcessSpawner):
    profiles = List().tag(config=True)


c.GreyHub.spawner = Profiles
c.Profiles.profiles = [("here", "simple", SimpleLocalProcessSpawner, {})]
c.SimpleLocalProcessSpawner.home_dir_template = "/tmp/{username}"
""",
    ),
    Right("an empty slot", "c.GreyHub.cluster = None\nc.GreyHub.data = None"),
    Right(
        "a cluster's class",
        "from distributed import LocalCluster\n"
        'c.GreyHub.cluster = LocalCluster\nc.ClusterAdapter.options = {"n_workers": 1}',
    ),
    Right(
        "a home by URL, with plain options",
        'c.GreyHub.homespace = "s3://homes/{username}"\n'
        'c.HomespaceAdapter.storage_options = {"endpoint_url": "http://minio:9000", "anon": False}',
    ),
    Right(
        "deprecated options, which still work",
        "c.Authenticator.whitelist = {'ada'}\n" + PAM + ADA,
    ),
    Right(
        "a path that agrees with itself",
        'c.JupyterHub.bind_url = "http://127.0.0.1:8000/hub1"\nc.JupyterHub.base_url = "/hub1/"',
    ),
    Right(
        "the command line",
        "",
        arguments=(
            "--JupyterHub.port=8001",
            "--Spawner.start_timeout=90",
            "--LocalCluster.max_workers=3",
            "--GreyHub.name=mine",
            "--debug",
            "--log-level=DEBUG",
        ),
    ),
    Right(
        "a slot on the command line",
        "",
        arguments=("--GreyHub.cluster=local", "--GreyHub.accepted_risks=nobody"),
    ),
    Right("annotated assignments", "c.JupyterHub.port: int = 8001"),
    Right("a file that speaks other tongues", "# ünïcödé ☃\nc.GreyHub.name = 'großartig ☃'"),
    Right(
        "a class that an option's default names",
        "from jupyterhub.spawner import LocalProcessSpawner\nfrom traitlets import Unicode\n"
        "class Wrapping(LocalProcessSpawner):\n"
        '    inner = Unicode("batchspawner.SlurmSpawner").tag(config=True)\n'
        'c.JupyterHub.spawner_class = Wrapping\nc.SlurmSpawner.batch_script = "x"',
    ),
    *(Right(f"a home at {url}", f'c.GreyHub.homespace = "{url}"') for url in HOMES),
    *(Right(f"a catalogue at {url}", f'c.GreyHub.data = "{url}"') for url in CATALOGUES),
    *(Right(line, line) for line in AMOUNTS),
    *(Right(line, f"c.JupyterHub.{line}") for line in ADDRESSES),
)
