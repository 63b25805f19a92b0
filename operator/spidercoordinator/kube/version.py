"""The release of the API server."""

from __future__ import annotations

from spidercoordinator.kube.client import Client


async def server_version(client: Client) -> str:
    """The API server's release, such as v1.34.4.

    Raises:
        ApiError: it does not answer.
    """
    answer = await client.read("/version", "read the version")
    return str(answer.get("gitVersion", ""))
