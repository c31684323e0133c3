"""Secrets that are missing, or that others can read."""

from __future__ import annotations

from tests.checks.mistakes.mistake import KUBE, REACHED, Mistake

SECRETS = (
    Mistake(
        "a variable that is not set",
        KUBE.replace(
            'client_secret = ""',
            'client_secret = __import__("greyhub").secret(env="NO_SUCH_SECRET")  # here',
        )
        + REACHED,
        "c.GenericOAuthenticator.client_secret",
        "the secret is missing: the variable NO_SUCH_SECRET is not set",
        "put the secret into the variable NO_SUCH_SECRET",
    ),
    Mistake(
        "a variable that is empty",
        KUBE.replace(
            'client_secret = ""',
            'client_secret = __import__("greyhub").secret(env="EMPTY_SECRET")  # here',
        )
        + REACHED,
        "c.GenericOAuthenticator.client_secret",
        "the variable EMPTY_SECRET is empty",
        "put the secret into the variable EMPTY_SECRET",
        environ=(("EMPTY_SECRET", ""),),
    ),
    Mistake(
        "a file that is not there",
        'import greyhub\nc.LocalPassword.user_password = greyhub.secret(file="password")  # here',
        "c.LocalPassword.user_password",
        "password cannot be read: No such file or directory",
        "put the secret into the file",
    ),
    Mistake(
        "a secret inside of a service that is not there",
        "import greyhub\nc.JupyterHub.services = [  # here\n"
        '    {"name": "x", "api_token": greyhub.secret(env="NO_SUCH_SECRET")}]',
        "c.JupyterHub.services",
        "the variable NO_SUCH_SECRET is not set",
        "put the secret into the variable NO_SUCH_SECRET",
    ),
    Mistake(
        "a secret in the users' environment",
        'import greyhub\nc.Spawner.environment = {"KEY": greyhub.secret(env="A_SECRET")}  # here',
        "c.Spawner.environment",
        "users can read this value, and it holds a secret",
        "['users-see-secrets']",
        environ=(("A_SECRET", "canary-in-the-mine"),),
    ),
    Mistake(
        "a secret in the home's options, which users read",
        'c.GreyHub.homespace = "s3://homes/{username}"\n'
        'c.HomespaceAdapter.storage_options = {"key": "AK", "secret": "canary"}  # here',
        "c.HomespaceAdapter.storage_options",
        "users can read this value, and it holds a secret",
        "a secret of their own",
    ),
    Mistake(
        "a password in the home's URL",
        'c.GreyHub.homespace = "ftp://hub:canary@files.example.org/{username}"  # here',
        "c.GreyHub.homespace",
        "users can read this value, and it holds a secret",
        "a secret of their own",
    ),
    Mistake(
        "a secret's variable that servers inherit",
        'import greyhub\nc.LocalPassword.user_password = greyhub.secret(env="A_SECRET")\n'
        'c.Spawner.env_keep = ["PATH", "A_SECRET"]  # here',
        "c.Spawner.env_keep",
        "servers inherit A_SECRET",
        "take A_SECRET out of c.Spawner.env_keep",
        environ=(("A_SECRET", "canary-in-the-mine"),),
    ),
)
