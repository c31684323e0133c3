"""What the hub's own machine does not have, and the hub or its servers would ask for."""

from __future__ import annotations

from tests.checks.mistakes.mistake import ADA, PAM, Mistake

ALONE = "c.GreyHub.homespace = None\n"
SERVICES = "c.JupyterHub.services"


def option(title: str, line: str, says: str, fix: str, before: str = "") -> Mistake:
    name, _, _ = line.partition(" = ")
    return Mistake(title, f"{before}{line}  # here", name, says, fix)


def page(title: str, url: str, package: str) -> Mistake:
    line = f'c.Spawner.default_url = "{url}"'
    return option(title, line, f"which {package} brings", f"pip install {package}")


def program(title: str, line: str, why: str, before: str = ALONE, fix: str = "fix") -> Mistake:
    return option(title, line, f"this cannot be started: {why}", fix, before)


def service(title: str, spec: str, says: str, fix: str) -> Mistake:
    line = f'{SERVICES} = [{{"name": "sweep", {spec}}}]'
    return option(title, line, says, fix)


MACHINE = (
    program(
        "a program of sudospawner's",
        'c.SudoSpawner.sudospawner_path = "/no/such/sudospawner"',
        "there is no /no/such/sudospawner",
        ALONE + 'c.JupyterHub.spawner_class = "sudospawner.SudoSpawner"\n',
    ),
    option(
        "homes below a file",
        'c.LocalHomespace.root = "/etc/passwd/homes"',
        "/etc/passwd is a file, and homes would be in /etc/passwd/homes",
        "name a directory",
    ),
    option(
        "a file for homes",
        'c.LocalHomespace.root = "/etc/passwd"',
        "/etc/passwd is a file, and homes would be in it",
        "name a directory",
    ),
    page("RStudio as the first page", "/rstudio", "jupyter-rsession-proxy"),
    page("VS Code as the first page", "/user/{username}/vscode/", "jupyter-vscode-proxy"),
    page("a desktop as the first page", "desktop", "jupyter-remote-desktop-proxy"),
    page("a notebook as the first page", "/notebooks/hello.ipynb", "notebook"),
    page("a repository as the first page", "/git-pull?repo=https://x.org/a", "nbgitpuller"),
    option(
        "a first page as an argument",
        'c.Spawner.args = ["--ServerApp.default_url=/tree"]',
        "which notebook brings",
        "pip install notebook",
    ),
    option(
        "a first folder as an argument",
        'c.Spawner.args = ["--debug", "--ServerApp.root_dir=/no/such/folder"]',
        "there is no such directory",
        "make it",
    ),
    option(
        "a first folder that is a file",
        'c.Spawner.notebook_dir = "/etc/passwd"',
        "which is no directory",
        "name a directory",
    ),
    option(
        "a server of a package that is not installed",
        'c.Spawner.environment = {"JUPYTERHUB_SINGLEUSER_APP": "notebook.app.JupyterNotebookApp"}',
        "the package notebook is not installed",
        "leave JUPYTERHUB_SINGLEUSER_APP out",
    ),
    program("a server's command that is nowhere", 'c.Spawner.cmd = ["no-such"]', "there is no"),
    program(
        "a server's command by a wrong path",
        'c.LocalSpawner.cmd = "/opt/no/bin/jupyterhub-singleuser"',
        "there is no /opt/no/bin",
    ),
    program(
        "a server's command and its arguments as one text",
        'c.Spawner.cmd = "python3 -m jupyterhub.singleuser"',
        "one text is one program's name",
        fix="write a list: ['python3', '-m', 'jupyterhub.singleuser']",
    ),
    program(
        "a server's command that nobody may execute",
        'c.Spawner.cmd = [os.path.abspath("serve")]',
        "",
        ALONE + "import os\nopen('serve', 'w').close()\n",
        "chmod +x",
    ),
    option("workers fewer than none", "c.LocalCluster.max_workers = -1", "below zero", "leave"),
    option("no starts at once", "c.LocalSpawner.concurrent_starts = 0", "lets nothing", "leave"),
    option("no time to start", "c.LocalSpawner.ready_timeout = 0", "lets nothing start", "leave"),
    option(
        "a time that is no number",
        'c.LocalSpawner.ready_timeout = float("nan")',
        "this is no number",
        "leave it out for 120",
    ),
    option("no time between looks", "c.JupyterHub.last_activity_interval = 0", "lets", "leave"),
    option(
        "a URL for the hub's address",
        'c.JupyterHub.hub_ip = "http://10.0.0.1:8081"',
        "is a URL",
        "write '10.0.0.1'",
    ),
    option(
        "a URL for a name that servers know the hub by",
        'c.JupyterHub.hub_connect_ip = "https://hub.example.org"',
        "is a URL",
        "write 'hub.example.org'",
    ),
    program("a directory for a command", 'c.Spawner.cmd = ["/etc"]', "/etc is a directory"),
    program(
        "a shell that is not there",
        'c.LocalProcessSpawner.shell_cmd = ["no-such-shell", "-l", "-c"]',
        "there is no program 'no-such-shell'",
    ),
    program(
        "a proxy that is not there",
        'c.ConfigurableHTTPProxy.command = ["no-such-proxy"]',
        "there is no program 'no-such-proxy'",
    ),
    program(
        "a command for accounts that is not there",
        'c.LocalAuthenticator.add_user_cmd = ["no-such-adduser"]',
        "there is no program 'no-such-adduser'",
        PAM + ADA + "c.LocalAuthenticator.create_system_users = True\n",
    ),
    option(
        "a service of PAM that is not there",
        'c.PAMAuthenticator.service = "no-such-service"',
        "PAM has no service 'no-such-service'",
        "leave the line out",
        PAM + ADA,
    ),
    option(
        "the hub's pages in a directory that is not there",
        'c.JupyterHub.data_files_path = "/no/such/share"',
        "there is no directory /no/such/share",
        "put it there",
    ),
    service(
        "a service in a directory that is not there",
        '"command": ["true"], "cwd": "/no/such/folder"',
        "would begin in /no/such/folder",
        "leave cwd of 'sweep' out",
    ),
    service(
        "a service as nobody's account",
        '"command": ["true"], "user": "no-such-user"',
        "would run as 'no-such-user'",
        "make the account",
    ),
    service(
        "a service's script that is not there",
        '"command": ["python3", "/no/such/sweep.py"]',
        "there is no /no/such/sweep.py",
        "fix its name",
    ),
)
