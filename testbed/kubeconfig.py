"""Kubeconfig files: written for the host, and readiness of the API server they name."""

import base64
import contextlib
import http.client
import json
import ssl
from pathlib import Path
from urllib.parse import urlsplit

import yaml


def with_token(url: str, authority: bytes, token: str) -> str:
    """Render a kubeconfig that authenticates with a bearer token (JSON, which is YAML)."""
    cluster = {
        "server": url,
        "certificate-authority-data": base64.b64encode(authority).decode(),
    }
    return json.dumps(_document(cluster, {"token": token}), indent=2) + "\n"


def _document(cluster: dict[str, str], user: dict[str, str]) -> dict[str, object]:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "testbed", "cluster": cluster}],
        "users": [{"name": "admin", "user": user}],
        "contexts": [{"name": "testbed", "context": {"cluster": "testbed", "user": "admin"}}],
        "current-context": "testbed",
    }


def at_server(kubeconfig: Path, url: str) -> str:
    """Render an existing kubeconfig with another address of the API server."""
    document = yaml.safe_load(kubeconfig.read_text())
    user = document["users"][0]["user"]
    cluster = document["clusters"][0]["cluster"] | {"server": url}
    return json.dumps(_document(cluster, user), indent=2) + "\n"


def is_ready(url: str, authority: Path, token: str | None = None) -> bool:
    """Tell whether the API server answers /readyz with success."""
    target = urlsplit(url)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        context = ssl.create_default_context(cafile=str(authority))
        with contextlib.closing(
            http.client.HTTPSConnection(
                target.hostname or "", target.port, timeout=5, context=context
            )
        ) as connection:
            connection.request("GET", "/readyz", headers=headers)
            return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
