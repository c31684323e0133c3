"""Where z2jh's own defaults differ from what greyhub does if nothing is said.

Of z2jh 4, ``jupyterhub/values.yaml``. The hub that is moved goes by them without saying so.
"""

from __future__ import annotations

from typing import Any, Final


def _dedicated(to: str) -> list[dict[str, str]]:
    return [
        {
            "key": f"hub.jupyter.org{sign}dedicated",
            "operator": "Equal",
            "value": to,
            "effect": "NoSchedule",
        }
        for sign in "/_"
    ]


DEFAULTS: Final[dict[str, Any]] = {
    "hub": {
        "baseUrl": "/",
        "concurrentSpawnLimit": 64,
        "config": {"JupyterHub": {"authenticator_class": "dummy"}},
        "db": {"type": "sqlite-pvc"},
    },
    "proxy": {"service": {"type": "LoadBalancer"}},
    "singleuser": {
        "storage": {
            "type": "dynamic",
            "capacity": "10Gi",
            "homeMountPath": "/home/jovyan",
            "dynamic": {
                "pvcNameTemplate": "claim-{user_server}",
                "storageAccessModes": ["ReadWriteOnce"],
            },
            "static": {"subPath": "{username}"},
        },
        "cpu": {"limit": None, "guarantee": None},
        "memory": {"limit": None, "guarantee": "1G"},
    },
    "scheduling": {
        "corePods": {"tolerations": _dedicated("core")},
        "userPods": {
            "tolerations": _dedicated("user"),
            "nodeAffinity": {"matchNodePurpose": "prefer"},
        },
    },
    "prePuller": {"continuous": {"enabled": True}},
    "cull": {
        "enabled": True,
        "users": False,
        "adminUsers": True,
        "removeNamedServers": False,
        "timeout": 3600,
        "every": 600,
        "concurrency": 10,
        "maxAge": 0,
    },
}
"""z2jh's values, of which any that is given stands above these."""
