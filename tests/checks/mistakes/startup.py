"""What JupyterHub itself would refuse, after everything else."""

from __future__ import annotations

from tests.checks.mistakes.mistake import Mistake

ROLES = "c.JupyterHub.load_roles"
SERVICES = "c.JupyterHub.services"


def role(title: str, says: str, **spec: object) -> Mistake:
    line = f"{ROLES} = [{ {'name': 'teacher', **spec}!r}]  # here"
    return Mistake(title, line, ROLES, says, "mend it")


def service(title: str, says: str, mend: str, **spec: object) -> Mistake:
    line = f"{SERVICES} = [{ {'name': 'sweep', **spec}!r}]  # here"
    return Mistake(title, line, SERVICES, says, mend)


STARTUP = (
    Mistake(
        "a first page whose package is not installed",
        'c.Spawner.default_url = "/tree"  # here',
        "c.Spawner.default_url",
        "which notebook brings, and it is not installed",
        "pip install notebook",
    ),
    Mistake(
        "a first page of a folder, whose package is not installed",
        'c.LocalSpawner.default_url = "/tree/work?reset"  # here',
        "c.LocalSpawner.default_url",
        "which notebook brings",
        "name a page that is there: /lab",
    ),
    Mistake(
        "a first folder that is not there",
        'c.Spawner.notebook_dir = "/no/such/folder"  # here',
        "c.Spawner.notebook_dir",
        "there is no such directory",
        "leave the line out",
    ),
    role("an unknown scope", "Scope 'admin:everything'", scopes=["admin:everything"]),
    role("a misspelt scope", "Scope 'list:user'", scopes=["list:user"]),
    role("an unknown filter of a scope", "filter", scopes=["read:users!team=a"]),
    role("a scope of a draft", "is now called 'inherit'", scopes=["all"]),
    role("a custom scope that is not defined", "custom:x:read", scopes=["custom:x:read"]),
    role(
        "a role with capitals and a space", "Invalid role name", name="Team Lead", scopes=["self"]
    ),
    role("a role with a name that is too short", "Invalid role name", name="ta", scopes=["self"]),
    role("a role that ends with a sign", "Invalid role name", name="teacher-", scopes=["self"]),
    role("another admin role", "Cannot override admin role", name="admin", scopes=["self"]),
    service("a token that is too short", "shorter than 8 characters", "openssl", api_token="abc"),
    service(
        "a service's command as a text",
        "would be one program's name",
        "write a list: ['python3', '-m', 'sweep']",
        command="python3 -m sweep",
    ),
    service(
        "a service's command that is not there",
        "is not there: /opt/no/such/program",
        "install the package",
        command=["/opt/no/such/program"],
    ),
)
