"""WebDAV on a directory, for one user: ``python -m tests.homespace.filesystem.dav ROOT PORT``.

The password comes in ``DAV_PASSWORD``.
"""

from __future__ import annotations

import logging
import os
import sys

from cheroot.wsgi import Server
from wsgidav.wsgidav_app import WsgiDAVApp


def main() -> None:
    """Serve until the process is told to end."""
    root, port = sys.argv[1:]
    logging.getLogger("wsgidav").setLevel(logging.CRITICAL)
    user = {"ada": {"password": os.environ["DAV_PASSWORD"]}}
    app = WsgiDAVApp(
        {
            "provider_mapping": {"/": root},
            "http_authenticator": {"accept_digest": False, "default_to_digest": False},
            "simple_dc": {"user_mapping": {"*": user}},
            "logging": {"enable": False},
            "verbose": 0,
        }
    )
    Server(("127.0.0.1", int(port)), app, numthreads=16).start()


if __name__ == "__main__":
    main()
