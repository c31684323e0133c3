"""What batchspawner-singleuser does, without JupyterHub: tell the hub a port, become a server."""

import json
import os
import socket
import sys
from urllib.request import Request, urlopen

with socket.socket() as free:
    free.bind(("", 0))
    port = free.getsockname()[1]
request = Request(
    os.environ["JUPYTERHUB_API_URL"].rstrip("/") + "/batchspawner",
    json.dumps({"port": port}).encode(),
    {"Authorization": f"token {os.environ['JUPYTERHUB_API_TOKEN']}"},
)
urlopen(request, timeout=10).close()
scheme, _, rest = os.environ["JUPYTERHUB_SERVICE_URL"].partition("://")
host, slash, path = rest.partition("/")
os.environ["JUPYTERHUB_SERVICE_URL"] = f"{scheme}://{host.rpartition(':')[0]}:{port}{slash}{path}"
os.execvp(sys.argv[1], sys.argv[1:])
