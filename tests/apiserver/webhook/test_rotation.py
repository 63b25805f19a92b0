"""Reviews while the certificate is renewed: none is missed, so nothing passes unchecked."""

from __future__ import annotations

import asyncio

from spidercoordinator.kube.resource import SECRETS
from spidercoordinator.runtime.certificaterotator import CERTIFICATE
from tests.apiserver.harness import eventually
from tests.apiserver.networks import Networks
from tests.apiserver.webhook.conftest import NAME, refuses, secret


async def test_no_review_is_missed_while_the_certificate_is_renewed(networks: Networks) -> None:
    missed = asked = 0
    ended = asyncio.Event()

    async def ask() -> None:
        nonlocal missed, asked
        while not ended.is_set():
            missed += not await refuses(networks)
            asked += 1

    async with asyncio.TaskGroup() as tasks:
        for _ in range(4):
            tasks.create_task(ask())
        for _ in range(3):
            before = await secret(networks)
            await networks.api.delete(SECRETS, NAME, "default")

            async def renewed(former: str = before[CERTIFICATE]) -> bool:
                found = await networks.api.find(SECRETS, NAME, "default")
                return found is not None and (await secret(networks))[CERTIFICATE] != former

            await eventually("another certificate is made", renewed)

            async def is_asked(since: int = asked + 200) -> bool:
                return asked > since

            await eventually("it was asked often since", is_asked)
        ended.set()

    assert asked > 600
    assert missed == 0
