"""Nothing is said of what is not in use, nor of what cannot be seen from the hub's machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from greyhub.cli.reading import read
from tests.checks.mistakes.mistake import ADA, KUBE, PAM, REACHED
from tests.checks.starting import forget, write

PODS = KUBE + REACHED
EMPTY = "c.GreyHub.spawner = None\n"
ELSEWHERE = (
    "c.ConfigurableHTTPProxy.should_start = False\n"
    'c.ConfigurableHTTPProxy.auth_token = __import__("secrets").token_hex()\n'
)
ALONE = "c.GreyHub.homespace = None\n"

CASES = {
    "a first page without a spawner": (EMPTY + 'c.Spawner.default_url = "/tree"', "notebook"),
    "a command without a spawner": (EMPTY + 'c.Spawner.cmd = ["no-such"]', "no-such"),
    "another command than greyhub's without a spawner": (
        EMPTY + 'c.Spawner.cmd = ["jupyter-labhub"]',
        "the user's home",
    ),
    "arguments without a spawner": (
        EMPTY + 'c.Spawner.args = ["--ServerApp.root_dir=/no/such"]',
        "/no/such",
    ),
    "the hub's own port, of a proxy on another machine": (
        ELSEWHERE + "c.JupyterHub.port = 8081",
        "would both listen",
    ),
    "the command of a proxy that the hub does not start": (
        ELSEWHERE + 'c.ConfigurableHTTPProxy.command = ["no-such-proxy"]',
        "no-such-proxy",
    ),
    "a command for accounts that are not made": (
        PAM + ADA + 'c.LocalAuthenticator.add_user_cmd = ["no-such-adduser"]',
        "no-such-adduser",
    ),
    "limits of greyhub's workers, with Dask's own class": (
        PODS + 'c.GreyHub.cluster = "distributed.LocalCluster"',
        "c.LocalCluster",
    ),
    "limits of workers that are set": (
        PODS + 'c.LocalCluster.max_workers = 2\nc.LocalCluster.memory_limit = "2 GiB"',
        "share the limits",
    ),
    "limits of workers that are given to Dask's own class": (
        PODS + 'c.GreyHub.cluster = "distributed.LocalCluster"\n'
        'c.ClusterAdapter.options = {"n_workers": 2, "memory_limit": "2 GiB"}',
        "share the limits",
    ),
    "what is installed here, for servers of another environment": (
        ALONE + 'c.Spawner.cmd = ["/bin/true"]\nc.Spawner.default_url = "/tree"',
        "not installed",
    ),
    "what is installed here, for pods": (
        PODS + 'c.Spawner.args = ["--ServerApp.default_url=/tree", "--ServerApp.root_dir=/no"]\n'
        'c.Spawner.environment = {"JUPYTERHUB_SINGLEUSER_APP": "notebook.app.App"}',
        "no",
    ),
    "a program of pods": (
        PODS.replace('c.GreyHub.homespace = "s3://homes/{username}"\n', ALONE)
        + 'c.KubeSpawner.cmd = ["/usr/local/bin/start-singleuser.sh"]',
        "cannot be started",
    ),
    "a variable that pods are to keep": (PODS + 'c.Spawner.env_keep = ["NO_SUCH"]', "NO_SUCH"),
    "accounts of this machine, for a provider's users": (
        PODS + 'c.Authenticator.allowed_users = {"no-such-user"}',
        "no account",
    ),
    "accounts of this machine, for one password": (ADA, "no account"),
    "an option of the auth slot, which is empty": (
        'c.GreyHub.auth = None\nc.GreyHub.homespace = "azureml"\n'
        'c.AzureMLHomespace.account_url = "https://x.blob.core.windows.net"',
        "c.AuthAdapter.audiences: ",
    ),
    "accounts that the hub makes": (
        PAM + ADA + "c.LocalAuthenticator.create_system_users = True",
        "no account",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_it_is_not_said(case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config, never = CASES[case]
    monkeypatch.chdir(tmp_path)
    found = read(str(write(tmp_path, config))).findings
    forget()
    option_fits = [str(each) for each in found if each.option != "c.GreyHub.spawner"]
    if never == "no":
        option_fits = [each for each in option_fits if "Spawner." in each]
        assert not option_fits
    assert not [each for each in option_fits if never in each]


@pytest.mark.parametrize(
    ("line", "option", "says"),
    [
        ('c.Authenticator.allowed_users = {"ada", "no-such"}', "allowed_users", "'no-such'"),
        ('c.PAMAuthenticator.admin_groups = {"no-such"}', "admin_groups", "group 'no-such'"),
        ('c.LocalAuthenticator.allowed_groups = {"no-such"}', "allowed_groups", "no group"),
        (
            "import sys\n"
            'c.JupyterHub.services = [{"name": "a", "command": [sys.executable, "-m", '
            '"no_such.b"]}]',
            "services",
            "there is no module no_such",
        ),
    ],
)
def test_what_this_machine_does_not_know_is_said(
    line: str, option: str, says: str, tmp_path: Path
) -> None:
    said = read(str(write(tmp_path, PAM + line))).findings
    forget()
    assert [each for each in said if each.option.endswith(option) and says in each.message]


@pytest.mark.parametrize(
    ("line", "option", "says"),
    [
        ('c.Spawner.env_keep = ["PATH", "NO_SUCH"]', "env_keep", "NO_SUCH is not set here"),
        (
            'c.Spawner.args = ["--MappingKernelManager.default_kernel_name=no-such"]',
            "args",
            "the kernel 'no-such', which is not installed for all",
        ),
    ],
)
def test_what_servers_of_this_machine_would_miss_is_said(
    line: str, option: str, says: str, tmp_path: Path
) -> None:
    said = read(str(write(tmp_path, line))).findings
    forget()
    assert [each.option for each in said] == [f"c.Spawner.{option}"]
    assert says in said[0].message
