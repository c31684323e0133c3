"""Lines that set nothing, and files that are read otherwise than they look."""

from __future__ import annotations

from tests.checks.mistakes.mistake import Mistake

LINES = (
    Mistake(
        "a comparison for an assignment",
        'c.JupyterHub.hub_ip == "0.0.0.0"  # here',
        "c.JupyterHub.hub_ip",
        "this compares and sets nothing",
        "write c.JupyterHub.hub_ip = …",
    ),
    Mistake(
        "a colon for an equals sign",
        "c.JupyterHub.hub_port: 8081  # here",
        "c.JupyterHub.hub_port",
        "a colon sets nothing",
        "write c.JupyterHub.hub_port = …",
    ),
    Mistake(
        "an option by itself",
        "c.Spawner.debug  # here",
        "c.Spawner.debug",
        "this names an option and sets nothing",
        "write c.Spawner.debug = …",
    ),
    Mistake(
        "a part that is not there",
        'load_subconfig("secrets.py")  # here',
        "",
        "load_subconfig('secrets.py') found no such file",
        "os.path.exists",
    ),
    Mistake(
        "an option after compose",
        "",
        "c.JupyterHub.services",
        "this is set after greyhub.compose(c)",
        "move the line above greyhub.compose(c)",
        end="\nimport greyhub\ngreyhub.compose(c)\nc.JupyterHub.services = []  # here\n",
    ),
    Mistake(
        "no compose",
        'c.GreyHub.flavour = "local"',
        "",
        "never calls greyhub.compose(c)",
        "end the file with",
        end="",
        where="",
    ),
    Mistake(
        "compose twice",
        "import greyhub\ngreyhub.compose(c)",
        "",
        "greyhub.compose(c) is called twice",
        "call it once",
        where="",
    ),
    Mistake(
        "another c than the file's own",
        'from traitlets.config import Config\nc = Config()\nc.GreyHub.flavour = "local"',
        "",
        "is given another configuration than the file's own",
        "remove the line that makes c",
        where="",
    ),
    Mistake(
        "the same name in a JSON file, which is read as well",
        '\n=== greyhub_config.json\n{"JupyterHub": {"port": 8001}}',
        "",
        "JupyterHub reads this file, too",
        "move what it sets into the Python file",
        where="",
    ),
    Mistake(
        "a whole list replaced by the command line",
        "",
        "c.Spawner.environment",
        "command line options replace a whole value",
        "set c.Spawner.environment in the file",
        arguments=("--Spawner.environment=LANG=C",),
        where="command line: ",
    ),
)
