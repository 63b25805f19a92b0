"""Several replicas: one works, the others follow it; and what becomes of the Lease meanwhile."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import AsyncIterator, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Protocol

import pytest

from spidercoordinator.kube.resource import (
    LEASES,
    NETWORK_ATTACHMENT_DEFINITIONS,
    SPIDERCOORDINATORS,
    SPIDERMULTUSCONFIGS,
    Object,
)
from testbed import kubeconfig
from testbed.apiserver import ApiServer
from tests.apiserver.conftest import kubectl
from tests.apiserver.harness import Cluster, Operator, condition, eventually

LEASE = "test-lease"
EXPIRY = 40.0
"""Seconds within which a Lease of 15 is taken over on a busy machine."""


class Start(Protocol):
    """Start a replica by its name, with another login than the administrator's."""

    def __call__(self, name: str, login: Path | None = None) -> Operator: ...


@pytest.fixture
def start(server: ApiServer, tmp_path: Path) -> Iterator[Start]:
    """Start a replica; every network that it renders carries its name."""
    replicas: list[Operator] = []

    def begin(name: str, login: Path | None = None) -> Operator:
        environ = {
            "SPIDERCOORDINATOR_LEASE": LEASE,
            "SPIDERCOORDINATOR_POD_NAME": name,
            "SPIDERCOORDINATOR_POD_UID": f"uid-of-{name}",
            "SPIDERCOORDINATOR_DEFAULT_IPAM": json.dumps({"type": "host-local", "by": name}),
        }
        replica = Operator(login or server.kubeconfig, tmp_path / name, environ)
        replica.start()
        replicas.append(replica)
        return replica

    yield begin
    for replica in replicas:
        replica.stop(signal.SIGKILL)


@pytest.fixture(autouse=True)
async def _no_lease(cluster: Cluster) -> AsyncIterator[None]:
    await cluster.api.delete(LEASES, LEASE, "default")
    yield
    await cluster.api.delete(LEASES, LEASE, "default")


@pytest.fixture
async def pair(cluster: Cluster, start: Start) -> tuple[Operator, Operator]:
    """One that leads, and one that stands by."""
    await cluster.coordinator({"podCIDRType": "none"})
    first = start("first")
    await leading(first)
    second = start("second")
    await ready(second)
    return first, second


async def leading(replica: Operator, seconds: float = 15.0) -> None:
    async def leads() -> bool:
        return replica.metric("spidercoordinator_leader") == 1

    await eventually("the replica leads", leads, seconds=seconds)


async def ready(replica: Operator) -> None:
    async def is_ready() -> bool:
        return replica.get("/readyz")[0] == 200

    await eventually("the replica is ready", is_ready)


async def ended(replica: Operator) -> str:
    """Wait until a replica has ended by itself, with a failure; gives its log."""

    async def gone() -> bool:
        return not replica.running()

    await eventually("the process ends", gone, seconds=30)
    assert replica.stop() == 1
    assert "Traceback" not in replica.text()
    return replica.text()


async def spec(cluster: Cluster) -> Object:
    lease = await cluster.api.find(LEASES, LEASE, "default")
    return (lease or {}).get("spec") or {}


async def set_holder(cluster: Cluster, holder: str | None) -> None:
    patch = {"spec": {"holderIdentity": holder}}
    await cluster.api.patch(LEASES, LEASE, "default", patch=patch)


async def rendered(cluster: Cluster, by: str, names: list[str], table: int = 500) -> None:
    """Wait until all networks are rendered by one replica, and the status says so."""

    async def in_step() -> bool:
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
            and (status.get("networks") or {}).get("inStep") == len(names)
            and status["observedGeneration"] == main["metadata"]["generation"]
        )

    await eventually(f"{len(names)} networks rendered by {by}", in_step, seconds=60)


async def versions(cluster: Cluster) -> dict[str, str]:
    found: dict[str, str] = {}
    for kind in (SPIDERCOORDINATORS, SPIDERMULTUSCONFIGS, NETWORK_ATTACHMENT_DEFINITIONS):
        things, _ = await cluster.api.list(kind)
        found |= {each["metadata"]["uid"]: each["metadata"]["resourceVersion"] for each in things}
    return found


async def test_one_leads_and_the_other_is_ready(
    cluster: Cluster, pair: tuple[Operator, Operator]
) -> None:
    _, second = pair
    await cluster.network("net")
    await rendered(cluster, "first", ["net"])
    for replica in pair:
        assert replica.get("/livez")[0] == 200
        assert replica.get("/readyz") == (200, "ok")
    assert second.metric("spidercoordinator_leader") == 0
    assert second.metric("spidercoordinator_queue_depth") == 0
    assert "spidercoordinator_reconciles_total{" not in second.get("/metrics")[1]
    now = await spec(cluster)
    assert now["holderIdentity"].startswith("first_uid-of-first_")
    assert (now["leaseDurationSeconds"], now["leaseTransitions"]) == (15, 0)
    assert f"standing by: Lease default/{LEASE} is held by first_" in second.text()

    async def renewed() -> bool:
        later = await spec(cluster)
        return bool(later["renewTime"] > now["renewTime"])

    await eventually("the Lease is renewed", renewed)
    assert (await spec(cluster))["acquireTime"] == now["acquireTime"]


async def test_of_rivals_that_come_at_once_one_wins(
    cluster: Cluster, pair: tuple[Operator, Operator]
) -> None:
    assert all(replica.running() for replica in pair)
    names = [f"wanted-{number}" for number in range(20)]

    async def want(network: str, name: str) -> None:
        meta = {
            "name": network,
            "namespace": "default",
            "annotations": {"multus.spidernet.io/cr-name": name},
        }
        body = {"metadata": meta, "spec": {"cniType": "macvlan", "macvlan": {"master": ["eth0"]}}}
        await cluster.api.create(SPIDERMULTUSCONFIGS, body, "default")

    await asyncio.gather(*(want(f"{side}-{name}", name) for name in names for side in "abc"))

    async def settled() -> dict[str, list[str]] | None:
        things, _ = await cluster.api.list(SPIDERMULTUSCONFIGS)
        found: dict[str, list[str]] = {"True": [], "NameConflict": []}
        for each in things:
            verdict = condition(each.get("status") or {}, "Ready")
            known = verdict.get("status") if verdict.get("status") == "True" else "NameConflict"
            if not verdict or (known == "NameConflict" and verdict["reason"] != "NameConflict"):
                return None
            found[str(known)].append(each["metadata"]["annotations"]["multus.spidernet.io/cr-name"])
        return found if len(found["NameConflict"]) == 2 * len(names) else None

    found = await eventually("every rival has its verdict", settled, seconds=30)
    assert sorted(found["True"]) == sorted(names)
    things, _ = await cluster.api.list(NETWORK_ATTACHMENT_DEFINITIONS)
    # None ever changed hands.
    assert {each["metadata"]["name"]: each["metadata"]["generation"] for each in things} == (
        dict.fromkeys(names, 1)
    )


async def test_a_leader_that_is_told_to_end_hands_over(
    cluster: Cluster, pair: tuple[Operator, Operator]
) -> None:
    first, second = pair
    names = [f"net-{number}" for number in range(10)]
    for name in names:
        await cluster.network(name)
    await rendered(cluster, "first", names)
    before = await spec(cluster)
    assert first.stop() == 0
    assert f"gave Lease default/{LEASE} back" in first.text()
    await leading(second, seconds=5)
    await rendered(cluster, "second", names)
    after = await spec(cluster)
    assert after["leaseTransitions"] == before["leaseTransitions"] + 1
    assert after["acquireTime"] > before["acquireTime"]
    await cluster.api.delete(SPIDERMULTUSCONFIGS, names[0], "default")
    await cluster.api.delete(NETWORK_ATTACHMENT_DEFINITIONS, names[0], "default")
    await cluster.coordinator({"hostRuleTable": 700})
    await rendered(cluster, "second", names[1:], 700)


async def test_what_vanishes_before_the_takeover_is_gone_after_it(
    cluster: Cluster, pair: tuple[Operator, Operator]
) -> None:
    first, second = pair
    await cluster.network("net")
    await rendered(cluster, "first", ["net"])
    first.kill()
    await cluster.api.patch(SPIDERCOORDINATORS, "default", patch={"metadata": {"finalizers": None}})
    await cluster.api.delete(SPIDERCOORDINATORS, "default")
    await leading(second, EXPIRY)

    async def told() -> bool:
        thing = await cluster.api.get(SPIDERMULTUSCONFIGS, "net", "default")
        return condition(thing["status"], "Ready").get("reason") == "CoordinatorNotReady"

    await eventually("the network says what it misses", told)


async def test_a_leader_that_is_frozen_writes_nothing_when_it_wakes(
    cluster: Cluster, pair: tuple[Operator, Operator]
) -> None:
    first, second = pair
    names = [f"net-{number}" for number in range(60)]
    await asyncio.gather(*map(cluster.network, names))
    await rendered(cluster, "first", names)
    # It freezes with its hands full, and there is more to do when it wakes.
    await cluster.coordinator({"hostRuleTable": 700})
    first.pause()
    await cluster.coordinator({"hostRuleTable": 701})
    await leading(second, EXPIRY)
    await rendered(cluster, "second", names, 701)
    before = await versions(cluster)
    first.resume()
    log = await ended(first)
    assert f"spidercoordinator: Lease default/{LEASE} " in log
    assert "this process ends" in log
    after = await versions(cluster)
    assert {uid for uid in after if after[uid] != before[uid]} == set()
    assert second.running()


async def test_a_leader_without_the_api_server_ends(
    cluster: Cluster, start: Start, server: ApiServer
) -> None:
    await cluster.coordinator({"podCIDRType": "none"})
    only = start("only")
    await leading(only)
    server.stop_apiserver()
    try:
        log = await ended(only)
    finally:
        server.start_apiserver()
    assert "could not be renewed for 10 s" in log
    # The kubelet starts the container again: the pod is the same, nobody has to be waited for.
    only.start()
    await leading(only)


async def test_a_container_that_was_killed_starts_without_waiting(
    cluster: Cluster, start: Start
) -> None:
    await cluster.coordinator({"podCIDRType": "none"})
    only = start("only")
    await leading(only)
    only.kill()
    only.start()
    await leading(only)
    assert "standing by" not in only.text()
    assert (await spec(cluster))["leaseTransitions"] == 1


async def test_a_lease_that_is_deleted_stays_with_its_holder(
    cluster: Cluster, pair: tuple[Operator, Operator]
) -> None:
    holder = (await spec(cluster))["holderIdentity"]
    for _ in range(3):
        await cluster.api.delete(LEASES, LEASE, "default")

        async def back() -> Object:
            return await spec(cluster)

        assert (await eventually("the Lease is there again", back))["holderIdentity"] == holder
    await cluster.network("net")
    await rendered(cluster, "first", ["net"])
    assert all(replica.running() for replica in pair)


async def test_a_lease_that_is_edited(cluster: Cluster, pair: tuple[Operator, Operator]) -> None:
    first, second = pair
    await set_holder(cluster, "somebody")
    assert f"Lease default/{LEASE} was taken by somebody" in await ended(first)
    assert (await spec(cluster))["holderIdentity"] == "somebody"

    async def heard() -> bool:
        return "is held by somebody" in second.text()

    await eventually("the other knows whom it waits for", heard)
    assert second.metric("spidercoordinator_leader") == 0
    await set_holder(cluster, None)
    await leading(second)


async def test_other_peoples_metadata_on_the_lease_stays(
    cluster: Cluster, pair: tuple[Operator, Operator]
) -> None:
    marks = {"labels": {"team": "network"}, "annotations": {"meta.helm.sh/release-name": "one"}}
    version = await cluster.api.patch(LEASES, LEASE, "default", patch={"metadata": marks})

    async def renewed() -> Object | None:
        lease = await cluster.api.get(LEASES, LEASE, "default")
        later = lease["spec"]["renewTime"] > version["spec"]["renewTime"]
        return lease if later else None

    def marks_of(lease: Object) -> Object:
        return {key: lease["metadata"].get(key) for key in marks}

    assert marks_of(await eventually("the Lease is renewed", renewed)) == marks
    await cluster.api.delete(LEASES, LEASE, "default")

    async def there() -> Object | None:
        return await cluster.api.find(LEASES, LEASE, "default")

    # Without them helm would not install over what was left of another release.
    assert marks_of(await eventually("the Lease is there again", there)) == marks
    assert all(replica.running() for replica in pair)


RIGHTS = """
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: without-leases}
rules:
  - apiGroups: ["", apps, spiderpool.spidernet.io, k8s.cni.cncf.io, apiextensions.k8s.io]
    resources: ["*"]
    verbs: ["*"]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: without-leases}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: without-leases}
subjects: [{kind: ServiceAccount, name: without-leases, namespace: default}]
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: without-leases, namespace: default}
"""


async def test_without_rights_to_the_lease_it_says_so_once_and_waits(
    cluster: Cluster, start: Start, server: ApiServer, tmp_path: Path
) -> None:
    (tmp_path / "rights").write_text(RIGHTS)
    kubectl(server.kubeconfig, "apply", "-f", str(tmp_path / "rights"))
    token = kubectl(server.kubeconfig, "create", "token", "without-leases").strip()
    login = tmp_path / "kubeconfig"
    login.write_text(kubeconfig.with_token(server.url, server.authority.read_bytes(), token))
    await cluster.coordinator({"podCIDRType": "none"})
    await cluster.network("net")
    refused = start("refused", login)

    async def said() -> bool:
        status, text = refused.get("/readyz")
        return status == 503 and f"cannot lead: get Lease default/{LEASE}" in text

    await eventually("why it is not ready", said)
    grant = ["create", "clusterrole", "leases", "--verb=*", "--resource=leases.coordination.k8s.io"]
    bind = ["create", "clusterrolebinding", "leases", "--clusterrole=leases"]
    assert await cluster.section("net") == {}
    kubectl(server.kubeconfig, *grant)
    kubectl(server.kubeconfig, *bind, "--serviceaccount=default:without-leases")
    await leading(refused)
    await rendered(cluster, "refused", ["net"])
    [line] = [each for each in refused.text().splitlines() if " ERROR " in each]
    assert "403" in line
    assert "check the operator's ClusterRole and its binding" in line
