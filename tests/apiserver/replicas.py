"""Several replicas of the operator that share a Lease, and waiting for what they do."""

from __future__ import annotations

import json
import signal
from collections.abc import AsyncIterator, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Protocol

import pytest

from spidercoordinator.api.objects import Object
from spidercoordinator.kube.resource import (
    LEASES,
    NETWORK_ATTACHMENT_DEFINITIONS,
    SPIDERCOORDINATORS,
    SPIDERMULTUSCONFIGS,
)
from testbed.apiserver import ApiServer
from tests.apiserver.harness import Cluster, Operator, eventually

LEASE = "test-lease"


class Start(Protocol):
    """Start a replica by its name, with another login than the administrator's."""

    def __call__(self, name: str, login: Path | None = None, *options: str) -> Operator: ...


@pytest.fixture
async def no_lease(cluster: Cluster) -> AsyncIterator[None]:
    """Begin without a Lease, and leave none."""
    await cluster.api.delete(LEASES, LEASE, "default")
    yield
    await cluster.api.delete(LEASES, LEASE, "default")


@pytest.fixture
def start(server: ApiServer, tmp_path: Path, no_lease: None) -> Iterator[Start]:
    """Start a replica; every network that it renders carries its name."""
    del no_lease
    replicas: list[Operator] = []

    def begin(name: str, login: Path | None = None, *options: str) -> Operator:
        environ = {
            "SPIDERCOORDINATOR_LEASE": LEASE,
            "SPIDERCOORDINATOR_POD_NAME": name,
            "SPIDERCOORDINATOR_POD_UID": f"uid-of-{name}",
            "SPIDERCOORDINATOR_DEFAULT_IPAM": json.dumps({"type": "host-local", "by": name}),
        }
        replica = Operator(login or server.kubeconfig, tmp_path / name, environ, *options)
        replica.start()
        replicas.append(replica)
        return replica

    yield begin
    for replica in replicas:
        replica.stop(signal.SIGKILL)


@pytest.fixture
async def pair(cluster: Cluster, start: Start) -> tuple[Operator, Operator]:
    """One that leads, and one that waits and has seen who leads."""
    await cluster.coordinator({"podCIDRType": "none"})
    first = start("first")
    await leading(first)
    second = start("second")
    await ready(second)
    return first, second


async def leading(replica: Operator) -> None:
    async def leads() -> bool:
        return replica.metric("spidercoordinator_leader") == 1

    await eventually("the replica leads", leads)


async def ready(replica: Operator) -> None:
    async def is_ready() -> bool:
        return replica.get("/readyz")[0] == 200

    await eventually("the replica is ready", is_ready)


async def ended(replica: Operator) -> str:
    """Wait until a replica has ended by itself, with a failure; gives its log."""

    async def gone() -> bool:
        return not replica.running()

    await eventually("the process ends", gone)
    assert replica.stop() == 1
    assert "Traceback" not in replica.text(), replica.text()
    return replica.text()


async def spec(cluster: Cluster) -> Object:
    lease = await cluster.api.find(LEASES, LEASE, "default")
    return (lease or {}).get("spec") or {}


async def set_holder(cluster: Cluster, holder: str | None) -> None:
    """Edit the Lease as by hand; a holder has an hour, so that no test has to be quick."""
    patch = {"spec": {"holderIdentity": holder, "leaseDurationSeconds": 3600}}
    await cluster.api.patch(LEASES, LEASE, "default", patch=patch)


async def rendered(cluster: Cluster, by: str, names: list[str], table: int = 500) -> None:
    """Wait until all networks are rendered by one replica, and the status says so."""

    async def in_sync() -> bool:
        things, _ = await cluster.api.list(NETWORK_ATTACHMENT_DEFINITIONS)
        configs = {each["metadata"]["name"]: each["spec"]["config"] for each in things}
        # The hashes in the networks' status come last.
        hashes = {name: sha256(text.encode()).hexdigest()[:16] for name, text in configs.items()}
        networks, _ = await cluster.api.list(SPIDERMULTUSCONFIGS)
        told = {each["metadata"]["name"]: each.get("status", {}) for each in networks}
        main = await cluster.api.get(SPIDERCOORDINATORS, "default")
        status = main.get("status", {})
        return (
            hashes == {name: each.get("configHash") for name, each in told.items()}
            and set(configs) == set(names)
            and all(f'"by":"{by}"' in text for text in configs.values())
            and all(f'"hostRuleTable":{table}' in text for text in configs.values())
            and (status.get("networks") or {}).get("inSync") == len(names)
            and status["observedGeneration"] == main["metadata"]["generation"]
        )

    await eventually(f"{len(names)} networks rendered by {by}", in_sync)


async def versions(cluster: Cluster) -> dict[str, str]:
    found: dict[str, str] = {}
    for kind in (SPIDERCOORDINATORS, SPIDERMULTUSCONFIGS, NETWORK_ATTACHMENT_DEFINITIONS):
        things, _ = await cluster.api.list(kind)
        found |= {each["metadata"]["uid"]: each["metadata"]["resourceVersion"] for each in things}
    return found
