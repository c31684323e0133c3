"""What a simulated instance runs: its scripts, its services, and nothing beyond its end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from greyhub.conformance.testkit.azureml import Simulator
from greyhub.conformance.testkit.machine.host import can_isolate
from tests.azureml.asking import Asking, instance, script
from tests.support.waiting import until

pytestmark = pytest.mark.processes

SERVICE = """
cat > /etc/systemd/system/beat.service <<EOF
[Service]
User=azureuser
Environment=WORD=hello OTHER="two words"
ExecStart=$(command -v bash) -c \\
  'echo "\\$WORD \\${OTHER} \\$\\$\\$\\$" >> $HOME/beats; exec sleep 1000'
Restart=always

[Install]
WantedBy=multi-user.target
EOF
systemctl daemon-reload
systemctl enable --now beat.service
"""


@pytest.fixture(params=[True, False], ids=["namespaces", "plain"])
def azure(request: pytest.FixtureRequest) -> Iterator[Simulator]:
    if request.param and os.geteuid():
        pytest.skip("needs root")
    with Simulator(isolate=request.param) as simulator:
        yield simulator


@pytest.fixture
def ask(azure: Simulator) -> Asking:
    return Asking(azure)


def home(azure: Simulator, name: str) -> Path:
    return azure.disk(name) / "home/azureuser"


def beats(azure: Simulator, name: str) -> list[str]:
    """A line for each time that the service was started."""
    file = home(azure, name) / "beats"
    return file.read_text().splitlines() if file.exists() else []


def test_the_scripts_run_once_and_at_every_start(azure: Simulator, ask: Asking) -> None:
    ask.create("ci-anna", creation="echo made >> $HOME/log", startup="echo started >> $HOME/log")
    log = home(azure, "ci-anna") / "log"
    assert log.read_text().split() == ["made", "started"]
    ask.act("ci-anna", "stop")
    assert azure.instances() == {"ci-anna": []}
    ask.act("ci-anna", "start")
    ask.act("ci-anna", "restart")
    assert log.read_text().split() == ["made", "started", "started", "started"]


def test_a_machine_boots_wherever_its_simulator_stands(
    azure: Simulator, ask: Asking, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # which a machine with a /tmp of its own does not have
    ask.create("ci-anna", creation=SERVICE)
    until(lambda: beats(azure, "ci-anna"), what="the service")


def test_what_a_script_writes_is_on_its_disk(azure: Simulator, ask: Asking) -> None:
    ask.create("ci-anna", creation="mkdir /var/lib/of-anna; echo hi > /var/lib/of-anna/file")
    assert (azure.disk("ci-anna") / "var/lib/of-anna/file").read_text() == "hi\n"
    assert not Path("/var/lib/of-anna").exists()


def test_a_script_has_its_arguments_and_the_name(azure: Simulator, ask: Asking) -> None:
    body = instance()
    scripts = {"creationScript": script("echo $CI_NAME $* > $HOME/log", scriptArguments="a 'b c'")}
    body["properties"]["properties"]["setupScripts"] = {"scripts": scripts}
    ask.done(ask("PUT", "computes/ci-anna", body))
    assert (home(azure, "ci-anna") / "log").read_text() == "ci-anna a b c\n"
    assert ask.get("computes/ci-anna")["properties"]["properties"]["setupScripts"] == {
        "scripts": scripts
    }


@pytest.mark.parametrize(
    ("text", "more", "said"),
    [("exit 3", {}, "exit code 3"), ("sleep 1000", {"timeout": "0.2s"}, "timed out")],
)
def test_a_script_that_fails_or_hangs_fails_the_setup(
    azure: Simulator, ask: Asking, text: str, more: dict[str, str], said: str
) -> None:
    body = instance()
    scripts = {"startupScript": script(text, **more)}
    body["properties"]["properties"]["setupScripts"] = {"scripts": scripts}
    status = ask.done(ask("PUT", "computes/ci-anna", body))
    assert said in status["error"]["message"]
    assert ask.state("ci-anna") == "UserSetupFailed"


def test_a_script_that_cannot_be_run_is_refused(ask: Asking) -> None:
    body = instance()
    scripts = {"startupScript": {"scriptSource": "inline", "scriptData": "no base64!"}}
    body["properties"]["properties"]["setupScripts"] = {"scripts": scripts}
    assert ask("PUT", "computes/ci-anna", body).status_code == 400


def test_a_service_goes_on_and_comes_back(azure: Simulator, ask: Asking) -> None:
    ask.create("ci-anna", creation=SERVICE)
    (first,) = until(lambda: beats(azure, "ci-anna"), what="the service")
    assert first.startswith("hello two words")
    ask.act("ci-anna", "stop")
    assert azure.instances() == {"ci-anna": []}
    ask.act("ci-anna", "start")
    until(lambda: len(beats(azure, "ci-anna")) == 2, what="the service after a boot")


def test_a_service_is_restarted_when_it_dies(azure: Simulator, ask: Asking) -> None:
    ask.create("ci-anna", creation=SERVICE)
    until(lambda: beats(azure, "ci-anna"), what="the service")
    sleeping = [pid for pid in azure.instances()["ci-anna"] if "sleep" in _command(pid)]
    assert len(sleeping) == 1
    os.kill(sleeping[0], signal.SIGKILL)
    until(lambda: len(beats(azure, "ci-anna")) == 2, what="the service again")


def test_systemctl_says_what_it_does_not_know(azure: Simulator, ask: Asking) -> None:
    text = "systemctl start nothing; echo $?; systemctl is-active beat; echo $?; systemctl fly"
    ask.create("ci-anna", creation=f"{SERVICE}systemctl stop beat; ({text}) > $HOME/log; true")
    lines = (home(azure, "ci-anna") / "log").read_text().splitlines()
    assert "nothing.service not found" in lines[0]
    assert lines[1:4] == ["5", "inactive", "3"]
    assert "'fly'" in lines[4]


def test_a_machine_that_is_killed_or_deleted_leaves_nothing(azure: Simulator, ask: Asking) -> None:
    for name in ("ci-anna", "ci-bert"):
        ask.create(name, creation=SERVICE + "\nsetsid sleep 1000 &")
    lived = azure.instances()
    assert all(lived.values())
    azure.kill("ci-anna")
    assert ask.state("ci-anna") == "Unusable"
    ask.delete("ci-bert")
    assert azure.instances() == {"ci-anna": []}
    assert not azure.disk("ci-bert").exists()
    assert not alive([pid for pids in lived.values() for pid in pids])


def test_the_end_of_the_simulator_is_the_end_of_all(azure: Simulator, ask: Asking) -> None:
    ask.create("ci-anna", creation=SERVICE)
    (lived,) = azure.instances().values()
    azure.close()
    assert not alive(lived)
    assert not azure.folder.exists()
    assert str(azure.folder) not in Path("/proc/mounts").read_text()


@pytest.mark.parametrize("isolate", [True, False])
def test_nothing_outlives_a_simulator_that_is_killed(isolate: bool) -> None:
    """A test process that dies by SIGKILL leaves no machine behind."""
    program = textwrap.dedent(
        f"""
        import sys
        from greyhub.conformance.testkit.azureml import Simulator
        from tests.azureml.asking import Asking
        with Simulator(isolate={isolate}) as azure:
            Asking(azure).create("ci-anna", creation="setsid sleep 1000 & sleep 1000 &")
            print(*azure.instances()["ci-anna"], flush=True)
            print(azure.folder, flush=True)
            sys.stdin.read()
        """
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    lived = [int(pid) for pid in process.stdout.readline().split()]
    folder = process.stdout.readline().strip()
    assert len(lived) >= 3
    process.kill()
    process.communicate()
    until(lambda: not alive(lived), what="the end of the machine")
    assert folder not in Path("/proc/mounts").read_text()
    subprocess.run(["rm", "-rf", folder], check=True)


@pytest.mark.root
def test_two_machines_do_not_see_each_other() -> None:
    with Simulator() as azure:
        if not can_isolate(azure.folder):
            pytest.skip("the kernel gives no namespaces")
        ask = Asking(azure)
        ask.create("ci-anna", creation="touch /opt/anna /tmp/anna /etc/anna; sleep 1000 &")
        look = "ls /opt/anna /tmp/anna /etc/anna; hostname; ls /proc | grep -c '^[0-9]'"
        ask.create("ci-bert", creation=f"({look}) > $HOME/log 2>/dev/null; true")
        host, count = (home(azure, "ci-bert") / "log").read_text().split()
        assert host == "ci-bert"
        assert int(count) < 10
        assert (azure.disk("ci-anna") / "opt/anna").exists()
        assert not any(Path(path).exists() for path in ("/opt/anna", "/tmp/anna", "/etc/anna"))


def alive(pids: list[int]) -> list[int]:
    """Those of the processes that have not ended."""
    found = []
    for pid in pids:
        try:
            if psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
                found.append(pid)
        except psutil.NoSuchProcess:
            continue
    return found


def _command(pid: int) -> str:
    try:
        return " ".join(psutil.Process(pid).cmdline())
    except psutil.NoSuchProcess:
        return ""
