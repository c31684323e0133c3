"""What JupyterHub itself would refuse, after everything else."""

from __future__ import annotations

from tests.checks.mistakes.mistake import Mistake

ROLES = "c.JupyterHub.load_roles"
SERVICES = "c.JupyterHub.services"


def role(title: str, says: str, **spec: object) -> Mistake:
    line = f"{ROLES} = [{ {'name': 'teacher', **spec}!r}]  # here"
    return Mistake(title, line, ROLES, says, "")


def service(title: str, says: str, fix: str, **spec: object) -> Mistake:
    line = f"{SERVICES} = [{ {'name': 'sweep', **spec}!r}]  # here"
    return Mistake(title, line, SERVICES, says, fix)


def token(title: str, held: str, user: str, says: str, fix: str) -> Mistake:
    option = "c.JupyterHub.api_tokens"
    return Mistake(title, f"{option} = { {held: user}!r}  # here", option, says, fix)


def groups(title: str, value: object, says: str) -> Mistake:
    option = "c.JupyterHub.load_groups"
    return Mistake(title, f"{option} = {value!r}  # here", option, says, "")


def name(title: str, option: str, user: str) -> Mistake:
    where = f"c.Authenticator.{option}"
    line = f"{where} = { {user}!r}  # here"
    return Mistake(title, line, where, f"the user name {user!r} is not valid", "fix the name")


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
    *(
        Mistake(
            f"a first page {page}, whose package is not installed",
            f'c.Spawner.default_url = "{page}"  # here',
            "c.Spawner.default_url",
            f"which {package} brings, and it is not installed",
            f"pip install {package}",
        )
        for page, package in (
            ("/nbclassic", "nbclassic"),
            ("/nbclassic/tree/work", "nbclassic"),
            ("/retro/tree", "retrolab"),
            ("/voila/render/a.ipynb", "voila"),
            ("tree", "notebook"),
            ("/tree?token=", "notebook"),
            ("/user/{username}/tree", "notebook"),
        )
    ),
    Mistake(
        "a first folder that is not there, for another spawner of this machine",
        'c.GreyHub.spawner = "simple"\n'
        'c.SimpleLocalProcessSpawner.notebook_dir = "/no/such/folder"  # here',
        "c.SimpleLocalProcessSpawner.notebook_dir",
        "there is no such directory",
        "leave the line out",
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
    role("scopes as one text", "'scopes' of 'teacher' is one text", scopes="self"),
    role("users as one text", "'users' of 'teacher' is one text", scopes=["self"], users="ada"),
    role("a service that is not there", "undefined service grader", services=["grader"]),
    role("a user who cannot be", "'a/b' is not valid", scopes=["self"], users=["a/b"]),
    Mistake(
        "two roles of one name",
        f"{ROLES} = [  # here\n"
        '    {"name": "teacher", "scopes": ["self"]}, {"name": "teacher", "scopes": ["self"]}]',
        ROLES,
        "multiply defined",
        "fix the role",
    ),
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
    service("an address that is no web's", "does not begin with", "https://", url="ftp://x/y"),
    service("a port that is none", "'99999' for a port", "1 to 65535", url="http://x:99999"),
    service("a service's address with one slash", "belongs", "'http://x:9000'", url="http:/x:9000"),
    service("a service's address without a protocol", "no URL", "'http://x:9000'", url="x:9000"),
    Mistake(
        "a public URL beside the base URL",
        'c.JupyterHub.base_url = "/jhub"\nc.JupyterHub.public_url = "https://h/other/"  # here',
        "c.JupyterHub.public_url",
        "must include base_url: '/jhub/'",
        "JupyterHub refuses it",
    ),
    Mistake(
        "a cookie secret in no hexadecimal digits",
        'c.JupyterHub.cookie_secret = "abc"  # here',
        "c.JupyterHub.cookie_secret",
        "even amount of hexadecimal characters",
        "JupyterHub refuses it",
    ),
    Mistake(
        "a hook for subdomains that there is not",
        'c.JupyterHub.subdomain_hook = "nonsense"  # here',
        "c.JupyterHub.subdomain_hook",
        "must be 'idna', 'legacy'",
        "JupyterHub refuses it",
    ),
    Mistake(
        "a pattern of names with one bracket",
        'c.Authenticator.username_pattern = "["  # here',
        "c.Authenticator.username_pattern",
        "'[' is no regular expression: unterminated character set",
        "change the value",
    ),
    Mistake(
        "a handler that cannot be imported",
        'c.JupyterHub.extra_handlers = [("/x", "no_such.Handler")]  # here',
        "c.JupyterHub.extra_handlers",
        "the handler 'no_such.Handler' cannot be imported",
        "install its package",
    ),
    Mistake(
        "a list whose parts are wrong",
        'c.JupyterHub.services = ["sweep"]  # here',
        "c.JupyterHub.services",
        "not the str 'sweep'",
        "let each of them be a dict",
    ),
    Mistake(
        "a proxy's class that is not there",
        'c.JupyterHub.proxy_class = "no_such.Proxy"  # here',
        "c.JupyterHub.proxy_class",
        "'no_such.Proxy' names no class that can be imported",
        "install what brings no_such",
    ),
    *(
        Mistake(
            f"a class in an option's value: {name}",
            f'c.JupyterHub.spawner_class = "wrapspawner.{wrapper}"\nc.{wrapper}.{line}  # here',
            f"c.{wrapper}.{line.partition(' = ')[0]}",
            says,
            fix,
        )
        for name, wrapper, line, says, fix in (
            (
                "misspelt",
                "ProfilesSpawner",
                'profiles = [("S", "s", "batchspawner.SlurmSpawnr", {})]',
                "'batchspawner.SlurmSpawnr' names no class that can be imported",
                "write 'batchspawner.SlurmSpawner'",
            ),
            (
                "by the name of an entry point",
                "WrapSpawner",
                'child_class = "simple"',
                "'simple' names no class",
                "write 'jupyterhub.spawner.SimpleLocalProcessSpawner'",
            ),
            (
                "of a package that is not installed",
                "ProfilesSpawner",
                'profiles = [("S", "s", "no_such.Spawner", {})]',
                "'no_such.Spawner' names no class",
                "install what brings no_such",
            ),
            (
                "with an option that it does not have",
                "ProfilesSpawner",
                'profiles = [("S", "s", "batchspawner.SlurmSpawner", {"req_nproc": "2"})]',
                "profile 'S' has a key 'req_nproc', which nothing reads",
                "write 'req_nprocs'",
            ),
        )
    ),
    service("an address that is a number", "expected a unicode string", "this entry", url=8080),
    service(
        "a client's name of the wrong form",
        "must start with 'service-'",
        "this entry",
        api_token="canary-4711",
        oauth_client_id="sweep",
    ),
    service(
        "a client without a place to come back to",
        "missing required oauth_redirect_uri",
        "this entry",
        api_token="canary-4711",
        oauth_client_id="service-sweep",
    ),
    token("a token for nobody", "canary-4711", "a/b", "'a/b' is not valid", "fix the name"),
    token("a user's token that is too short", "canary", "ada", "shorter than 8", "openssl"),
    groups("a group's user who cannot be", {"staff": {"users": ["a/b"]}}, "'a/b' is not valid"),
    groups("a group's user without a name", {"staff": {"users": [""]}}, "'' is not valid"),
    groups("a group's users as one text", {"staff": {"users": "ada"}}, "is one text"),
    name("a user with a slash", "allowed_users", "a/b"),
    name("a user without a name", "admin_users", ""),
    name("a user with a space around", "allowed_users", " ada"),
    Mistake(
        "a user whom the pattern does not allow",
        'c.Authenticator.username_pattern = "^[a-z]+$"\n'
        'c.Authenticator.allowed_users = {"ada1"}  # here',
        "c.Authenticator.allowed_users",
        "the user name 'ada1' is not valid",
        "fix the name",
    ),
)
