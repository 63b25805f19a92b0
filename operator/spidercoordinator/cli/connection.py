"""Which API server a command talks to, and as whom."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from spidercoordinator.kube.client import Client
from spidercoordinator.kube.login import Login


@dataclass(frozen=True, slots=True)
class Connection:
    """What the command line says of it.

    Attributes:
        kubeconfig: file, or files as in $KUBECONFIG; empty: as kubectl finds it.
        context: of the kubeconfig; empty: its current one.
        namespace: empty where it is not given.
    """

    kubeconfig: str = ""
    context: str = ""
    namespace: str = ""

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Client]:
        """Log in, and log out at the end.

        Raises:
            LoginError: there is no way to an API server.
        """
        login = await Login.find(kubeconfig=self.kubeconfig, context=self.context, personal=True)
        async with Client(login) as api:
            yield api
