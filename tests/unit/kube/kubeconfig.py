"""A kubeconfig for a server of a test."""

from __future__ import annotations

import json
from pathlib import Path

from aiohttp.test_utils import TestServer


def write_kubeconfig(server: TestServer, folder: Path) -> Path:
    """Write one for a user with a token; the server must be listening."""
    url = str(server.make_url("")).rstrip("/")
    config = {
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": url}}],
        "users": [{"name": "u", "user": {"token": "t"}}],
    }
    path = folder / "kubeconfig"
    path.write_text(json.dumps(config))
    return path
