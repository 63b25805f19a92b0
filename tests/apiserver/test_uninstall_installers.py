"""The uninstall has the nodes' installers restore another product's plugin, and waits for them."""

from __future__ import annotations

import asyncio
import os
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from functools import partial

import pytest

from spidercoordinator.api.objects import Object
from spidercoordinator.cli.installers import CONTAINER, UNINSTALL
from spidercoordinator.kube.client import Client
from spidercoordinator.kube.resource import PODS, SPIDERCOORDINATORS
from testbed.apiserver import ApiServer
from tests.apiserver.harness import COMMAND, Cluster, eventually
from tests.apiserver.installers import Installers

LABELS = {"app.kubernetes.io/component": "installer"}
SELECTOR = "app.kubernetes.io/component=installer"
RUNNING: Object = {"running": {"startedAt": "2026-01-01T00:00:00Z"}}
ENDED: Object = {"terminated": {"exitCode": 0, "reason": "Completed"}}
PENDING: Object = {"waiting": {"reason": "ImagePullBackOff"}}


async def is_now(api: Client, name: str, state: Object) -> None:
    """Report the state of its container."""
    status = {"name": CONTAINER, "image": "none", "imageID": "", "ready": False}
    patch = {"status": {"containerStatuses": [status | {"restartCount": 0, "state": state}]}}
    await api.patch(PODS, name, "default", patch=patch, subresource="status")


async def told(api: Client, name: str) -> bool:
    pod = await api.get(PODS, name, "default")
    return (pod["metadata"].get("annotations") or {}).get(UNINSTALL) == "true"


async def uninstall(server: ApiServer, seconds: int) -> Process:
    environ = {"PATH": os.environ["PATH"], "KUBECONFIG": str(server.kubeconfig)}
    flags = (f"--timeout={seconds}", "--installer-namespace=default")
    argv = ("uninstall", *flags, f"--installer-selector={SELECTOR}")
    return await asyncio.create_subprocess_exec(str(COMMAND), *argv, env=environ, stderr=PIPE)


async def said(process: Process) -> str:
    """What a process that ended well wrote."""
    async with asyncio.timeout(60):
        _, text = await process.communicate()
    assert process.returncode == 0, text.decode()
    return text.decode()


@pytest.fixture
async def api(cluster: Cluster) -> AsyncIterator[Client]:
    """The API server, with a SpiderCoordinator that is to go."""
    await cluster.coordinator({"podCIDRType": "none"})
    yield cluster.api
    left, _ = await cluster.api.list(PODS, "default", labels=SELECTOR)
    await Installers(cluster.api).end(*(pod["metadata"]["name"] for pod in left))


async def installer(api: Client, name: str, state: Object) -> None:
    """Make an installer's pod on a node of the same name, as its kubelet reports it."""
    await Installers(api).start(name, LABELS)
    await is_now(api, name, state)


async def test_it_goes_on_when_every_installer_that_runs_has_ended(
    server: ApiServer, api: Client
) -> None:
    for name, state in (("one", RUNNING), ("two", RUNNING), ("broken", PENDING)):
        await installer(api, name, state)
    process = await uninstall(server, 60)
    for name in ("one", "two", "broken"):
        await eventually(f"{name} is told", partial(told, api, name))
    await is_now(api, "one", ENDED)
    # The other one has not answered, so nothing else is done.
    assert process.returncode is None
    assert await api.find(SPIDERCOORDINATORS, "default") is not None
    await is_now(api, "two", PENDING)
    assert "may not be restored" not in await said(process)
    assert await api.find(SPIDERCOORDINATORS, "default") is None


async def test_an_installer_that_does_not_answer_is_named_and_hinders_nothing(
    server: ApiServer, api: Client
) -> None:
    await installer(api, "silent", RUNNING)
    text = await said(await uninstall(server, 10))
    assert "no answer from the installer on silent" in text
    assert "mv .coordinator.foreign coordinator" in text
    assert await api.find(SPIDERCOORDINATORS, "default") is None
