"""The release of the API server."""

from __future__ import annotations

from spidercoordinator.kube.client import Client


async def server_version(client: Client) -> str:
    """The API server's release, such as v1.34.4.

    Raises:
        ApiError: it does not answer.
    """
    answer = await client._request("GET", "/version", action="read the version")  # noqa: SLF001 - the same package
    return str(answer.get("gitVersion", ""))
