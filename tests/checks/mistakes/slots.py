"""Values of slots that are no adapter, or one that cannot be used."""

from __future__ import annotations

from tests.checks.mistakes.mistake import Mistake

SLOTS = (
    Mistake(
        "a misspelt adapter",
        'c.GreyHub.cluster = "lokal"  # here',
        "c.GreyHub.cluster",
        "there is no adapter 'lokal'; did you mean 'local'?",
        "choose one of: ",
    ),
    Mistake(
        "a misspelt adapter on the command line",
        "",
        "c.GreyHub.data",
        "there is no adapter 'locale'",
        "choose one of: azureml, kubernetes, local",
        arguments=("--GreyHub.data=locale",),
        where="command line: ",
    ),
    Mistake(
        "a misspelt package",
        'c.GreyHub.spawner = "kubespawnr.KubeSpawner"  # here',
        "c.GreyHub.spawner",
        "needs kubespawnr, which is not installed",
        "pip install",
    ),
    Mistake(
        "a class that cannot be imported, as JupyterHub's users name it",
        'c.JupyterHub.authenticator_class = "nativeauthenticator.NativeAuthenticator"  # here',
        "c.GreyHub.auth",
        "needs nativeauthenticator, which is not installed",
        "pip install",
        where="",
    ),
    Mistake(
        "an Authenticator for a Spawner",
        "from jupyterhub.auth import PAMAuthenticator\n"
        "c.GreyHub.spawner = PAMAuthenticator  # here",
        "c.GreyHub.spawner",
        "cannot fill this slot",
        "give SpawnerAdapter's subclass",
    ),
    Mistake(
        "a slot that is filled twice",
        'c.GreyHub.spawner = "local"  # here\nc.JupyterHub.spawner_class = "simple"',
        "c.GreyHub.spawner",
        "this slot is filled twice",
        "keep one of the two lines",
    ),
    Mistake(
        "a home's protocol that nothing knows",
        'c.GreyHub.homespace = "s33://homes/{username}"  # here',
        "c.GreyHub.homespace",
        "no package here knows the protocol 's33'; did you mean 's3'?",
        "write 's3://homes/{username}'",
    ),
    Mistake(
        "a protocol that nothing knows, behind one that is known",
        'c.GreyHub.homespace = "simplecache::abffs://homes/{username}"  # here',
        "c.GreyHub.homespace",
        "knows the protocol 'abffs'",
        "write 'simplecache::abfs://homes/{username}'",
    ),
    Mistake(
        "no spawner at all",
        "c.GreyHub.spawner = None  # here",
        "c.GreyHub.spawner",
        "this slot cannot be empty",
        "name a Spawner class",
    ),
    Mistake(
        "one home for all",
        'c.GreyHub.homespace = "s3://homes"  # here',
        "c.GreyHub.homespace",
        "would be one for all",
        "",
    ),
    Mistake(
        "a home's directory that is not there",
        'c.LocalHomespace.welcome = "wellcome"  # here',
        "c.LocalHomespace.welcome",
        "there is no directory",
        "fix the path",
    ),
    Mistake(
        "a catalogue that is not there",
        'c.LocalData.catalogs = ["ear5.yaml"]  # here',
        "",
        "ear5.yaml",
        "",
        where="",
    ),
    Mistake(
        "a flavour that there is not",
        'c.GreyHub.flavour = "kubernets"  # here',
        "c.GreyHub.flavour",
        "there is no flavour 'kubernets'",
        "choose one of",
    ),
)
