"""Check the page and the directory in which servers on the hub's own machine begin."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path

from greyhub.adapter import Finding
from greyhub.checks.platform import Platform
from greyhub.checks.programs import own_directory

_NOTEBOOK = ("notebook", "notebook")
PAGES = {
    "lab": ("jupyterlab", "jupyterlab"),
    "doc": ("jupyterlab", "jupyterlab"),
    **dict.fromkeys(("tree", "notebooks", "edit", "consoles", "terminals"), _NOTEBOOK),
    "nbclassic": ("nbclassic", "nbclassic"),
    "retro": ("retrolab", "retrolab"),
    "nteract": ("nteract_on_jupyter", "nteract-on-jupyter"),
    "voila": ("voila", "voila"),
    "git-pull": ("nbgitpuller", "nbgitpuller"),
    "git-sync": ("nbgitpuller", "nbgitpuller"),
    "formgrader": ("nbgrader", "nbgrader"),
    "proxy": ("jupyter_server_proxy", "jupyter-server-proxy"),
    "rstudio": ("jupyter_rsession_proxy", "jupyter-rsession-proxy"),
    "shiny": ("jupyter_rsession_proxy", "jupyter-rsession-proxy"),
    "vscode": ("jupyter_vscode_proxy", "jupyter-vscode-proxy"),
    "code-server": ("jupyter_codeserver_proxy", "jupyter-codeserver-proxy"),
    "codeserver": ("jupyter_codeserver_proxy", "jupyter-codeserver-proxy"),
    "openvscode": ("jupyter_openvscodeserver_proxy", "jupyter-openvscodeserver-proxy"),
    "theia": ("jupyter_theia_proxy", "jupyter-theia-proxy"),
    "desktop": ("jupyter_remote_desktop_proxy", "jupyter-remote-desktop-proxy"),
    "matlab": ("jupyter_matlab_proxy", "jupyter-matlab-proxy"),
    "pluto": ("jupyter_pluto_proxy", "jupyter-pluto-proxy"),
    "panel": ("jupyter_panel_proxy", "jupyter-panel-proxy"),
    "streamlit": ("jupyter_streamlit_proxy", "jupyter-streamlit-proxy"),
}
"""Pages of a server, the module that brings each, and its package."""

_APPLICATION = "JUPYTERHUB_SINGLEUSER_APP"

PAGE_ARGUMENTS = ("default_url",)
FOLDER_ARGUMENTS = ("root_dir", "notebook_dir", "preferred_dir")
APPLICATIONS = ("ServerApp", "LabApp", "NotebookApp", "JupyterNotebookApp", "ExtensionApp")


def check(platform: Platform) -> Iterator[Finding]:
    """Findings about where servers of this machine begin."""
    if _hubs_own_python(platform):
        yield from _pages(platform)
        yield from _application(platform)
    yield from _folders(platform)
    yield from _kernels(platform)


def _hubs_own_python(platform: Platform) -> bool:
    """Whether what is installed beside the hub tells what servers have."""
    if path := platform.is_set("Spawner", "cmd"):
        command = platform.value("Spawner", path[-1]) or [""]
        program = Path(str(command[0]))
        if program.is_absolute() and program.parent != own_directory():
            return False
    profiles = platform.value("SpawnerAdapter", "profiles") or ()
    return not profiles or not all(
        isinstance(each, dict) and each.get("environment") for each in profiles
    )


def _pages(platform: Platform) -> Iterator[Finding]:
    for path, url in _told(platform, "default_url", PAGE_ARGUMENTS):
        inside = url.removeprefix("/user/{username}").lstrip("/")
        page = inside.partition("/")[0].partition("?")[0]
        module, package = PAGES.get(page, ("", ""))
        if module and find_spec(module) is None and page not in _proxied():
            yield platform.finding(
                "error",
                path,
                f"servers would begin with /{page}, which {package} brings, and it is not "
                "installed",
                f"pip install {package}, or name a page that is there: /lab",
            )


def _proxied() -> set[str]:
    """The pages that installed packages bring through jupyter-server-proxy."""
    return {point.name for point in entry_points(group="jupyter_serverproxy_servers")}


def _application(platform: Platform) -> Iterator[Finding]:
    """What single-user servers are made of, if the environment of servers names it."""
    environment = platform.value("Spawner", "environment")
    given = environment.get(_APPLICATION) if isinstance(environment, dict) else None
    module = given.replace(":", ".").partition(".")[0] if isinstance(given, str) else ""
    if module and find_spec(module) is None:
        yield platform.finding(
            "error",
            platform.is_set("Spawner", "environment") or ("Spawner", "environment"),
            f"servers would be a {given}, and the package {module} is not installed",
            f"pip install {module}, or leave {_APPLICATION} out",
        )


def _folders(platform: Platform) -> Iterator[Finding]:
    for path, folder in _told(platform, "notebook_dir", FOLDER_ARGUMENTS):
        plain = folder.startswith("/") and not {"{", "}", "%", "~"} & {*folder}
        if plain and not Path(folder).is_dir():
            there = Path(folder).exists()
            yield platform.finding(
                "error",
                path,
                f"servers would begin in {folder}, "
                + ("which is no directory" if there else "and there is no such directory"),
                f"{'name a directory' if there else 'make it'}, or leave the line out: servers "
                "begin in the user's home",
            )


def _kernels(platform: Platform) -> Iterator[Finding]:
    """A kernel to begin with that is nobody's here; a user's own home may still have it."""
    for path, name in _arguments(platform, ("default_kernel_name",), ("MappingKernelManager",)):
        roots = [Path(sys.prefix, "share/jupyter"), Path("/usr/local/share/jupyter")]
        roots += [Path("/usr/share/jupyter")]
        if name != "python3" and not any((root / "kernels" / name).is_dir() for root in roots):
            yield platform.finding(
                "warning",
                path,
                f"notebooks would begin with the kernel {name!r}, which is not installed for all",
                "install it where the hub runs, or leave the argument out",
            )


def _told(
    platform: Platform, option: str, arguments: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], str]]:
    """What an option of the Spawner, or an argument for the server, says; each with its path."""
    if (path := platform.is_set("Spawner", option)) and (value := platform.value(path[0], option)):
        yield path, str(value)
    yield from _arguments(platform, arguments, APPLICATIONS)


def _arguments(
    platform: Platform, names: tuple[str, ...], sections: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], str]]:
    path = platform.is_set("Spawner", "args")
    for argument in (platform.value("Spawner", "args") or ()) if path else ():
        flag, equals, value = str(argument).partition("=")
        section, _, name = flag.removeprefix("--").rpartition(".")
        if path and equals and name in names and section in sections:
            yield path, value
