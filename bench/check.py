"""How long ``greyhub check`` and ``compose`` take.

``python bench/check.py [ROUNDS]`` prints medians in milliseconds of the processor's time,
which other work on the machine does not lengthen: a fresh process that imports
JupyterHub's application, one that checks ``config/local``, and what ``compose`` adds to
reading a file, in a process that has just imported the application.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from pathlib import Path

SAMPLE = Path(__file__).parents[1] / "config/local/greyhub_config.py"

COMPOSE = """
import gc, sys, time
from jupyterhub.app import JupyterHub
import greyhub.composition as composing
from greyhub.config_loading import trace
trace(JupyterHub)
app = JupyterHub.instance()
app.parse_command_line(["-f", sys.argv[1]])
took = []
compose = composing._compose
def timed(*arguments):
    began = time.process_time()
    made = compose(*arguments)
    took.append(time.process_time() - began)
    return made
composing._compose = timed
gc.collect()  # or the collection that the imports have made due falls into it by chance
with composing.inspecting():
    app.load_config_file(app.config_file)
print(took[0])
"""


ENVIRON = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
"""Without what keeps Python from storing the bytecode of this package's own modules."""


def process(*arguments: str) -> float:
    before = _spent()
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True, env=ENVIRON)
    return _spent() - before


def _spent() -> float:
    times = os.times()
    return times.children_user + times.children_system


def composing() -> float:
    ran = subprocess.run(
        [sys.executable, "-c", COMPOSE, str(SAMPLE)],
        check=True,
        capture_output=True,
        text=True,
        env=ENVIRON,
    )
    return float(ran.stdout)


def main(rounds: int) -> None:
    imports, checks, composes = [], [], []
    for _ in range(rounds):  # in turn, so that a busy machine is busy for all of them
        imports.append(process("-c", "import jupyterhub.app"))
        checks.append(process("-m", "greyhub.cli", "check", "-f", str(SAMPLE)))
        composes.append(composing())
    importing, checking, adding = map(statistics.median, (imports, checks, composes))
    print(f"import jupyterhub.app  {importing * 1e3:6.0f} ms")
    print(f"greyhub check          {checking * 1e3:6.0f} ms  {checking / importing:.2f} x")
    print(f"compose                {adding * 1e3:6.0f} ms")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 7)
