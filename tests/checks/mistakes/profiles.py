"""Profiles that cannot be read, or that the Spawner cannot give."""

from __future__ import annotations

from tests.checks.mistakes.mistake import KUBE, REACHED, Mistake

OPTION = "c.SpawnerAdapter.profiles"


def _profiles(text: str, section: str = "SpawnerAdapter") -> str:
    return f"c.{section}.profiles = [{text}]  # here\n"


PROFILES = (
    Mistake(
        "a profile with a misspelt key",
        _profiles('{"name": "big", "memry": "8 GiB"}'),
        OPTION,
        "the profile 'big' has a key 'memry', which nothing reads",
        "write 'memory'",
    ),
    Mistake(
        "a profile's memory without a unit",
        _profiles('{"name": "big", "memory": 8}'),
        OPTION,
        "the profile 'big': memory: 8 is no size with a unit",
        "write '8 GiB'",
    ),
    Mistake(
        "two profiles of one name, in the section of the adapter itself",
        _profiles('{"name": "big"}, {"name": "big"}', "LocalSpawnerAdapter"),
        "c.LocalSpawnerAdapter.profiles",
        "two profiles have the name 'big'",
        "give each a name of its own",
    ),
    Mistake(
        "a profile that is no mapping",
        _profiles('"big"'),
        OPTION,
        "expected a dict, not the str 'big'",
        "let each of them be a dict",
    ),
    Mistake(
        "an image for a process",
        _profiles('{"name": "big"}, {"name": "r", "image": "r:1"}'),
        OPTION,
        "the profile 'r' has image, which LocalSpawner cannot give a server",
        "leave image out, or choose another spawner",
    ),
    Mistake(
        "GPUs for another's process",
        'c.GreyHub.spawner = "simple"\nc.GreyHub.homespace = None\n'
        + _profiles('{"name": "ai", "gpus": 1}'),
        OPTION,
        "the profile 'ai' has gpus, which SimpleLocalProcessSpawner cannot give a server",
        "leave gpus out",
    ),
    Mistake(
        "an environment that is not there",
        _profiles('{"name": "r", "environment": "envs/r"}'),
        OPTION,
        "the profile 'r': environment: there is no greyhub-singleuser and no jupyterhub-singleuser",
        "/envs/r/bin/pip install greyhub",
    ),
    Mistake(
        "an environment without greyhub",
        "import os\nos.makedirs('envs/r/bin')\nopen('envs/r/bin/jupyterhub-singleuser', 'w')\n"
        + _profiles('{"name": "r", "environment": "envs/r"}'),
        OPTION,
        "the profile 'r': environment: greyhub is not in",
        "/envs/r/bin/pip install greyhub",
    ),
    Mistake(
        "an environment in a pod, by a relative path",
        KUBE + REACHED + _profiles('{"name": "r", "environment": "envs/r"}'),
        OPTION,
        "the profile 'r': environment: 'envs/r' is no absolute path",
        "write the whole path",
    ),
    Mistake(
        "profiles beside KubeSpawner's own",
        KUBE
        + REACHED
        + 'c.SpawnerAdapter.profiles = [{"name": "big"}]\n'
        + 'c.KubeSpawner.profile_list = [{"display_name": "Big"}]  # here\n',
        "c.KubeSpawner.profile_list",
        "c.SpawnerAdapter.profiles is set, too, and KubeSpawner has profiles of its own",
        "keep one of the two",
    ),
    Mistake(
        "profiles beside a ProfilesSpawner's",
        'c.GreyHub.spawner = "wrapspawner.ProfilesSpawner"\nc.GreyHub.homespace = None\n'
        + _profiles('{"name": "big"}'),
        "c.ProfilesSpawner.profiles",
        "ProfilesSpawner has profiles of its own",
        "keep one of the two",
        where="",
    ),
)
