"""Flavours: names for a whole set of adapters, one for each slot."""

from __future__ import annotations

LOCAL = {
    "spawner": "local",
    "cluster": "local",
    "auth": "local",
    "homespace": "local",
    "data": "local",
}
"""Everything on one machine: a laptop, a workstation, a server in a cupboard."""

KUBERNETES = {
    "spawner": "kubernetes",
    "cluster": "kubernetes",
    "auth": "oidc",
    "homespace": "kubernetes",
    "data": "kubernetes",
}
"""Servers and clusters in pods, homes on claims, catalogues in ConfigMaps, any OpenID provider."""
