"""What becomes of the Lease by other hands, and of replicas that may not have it."""

from __future__ import annotations

from pathlib import Path

from spidercoordinator.api.objects import Object
from spidercoordinator.kube.resource import LEASES
from testbed import kubeconfig
from testbed.apiserver import ApiServer
from tests.apiserver.conftest import kubectl
from tests.apiserver.harness import Cluster, Operator, eventually
from tests.apiserver.replicas import (
    LEASE,
    Start,
    ended,
    leading,
    rendered,
    set_holder,
    spec,
)


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
    assert f"Lease default/{LEASE} was acquired by somebody" in await ended(first)
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


async def test_options_set_its_times(cluster: Cluster, start: Start) -> None:
    await cluster.coordinator({"podCIDRType": "none"})
    times = ("--leader-elect-lease-duration=1m30s", "--leader-elect-renew-deadline=1m")
    await leading(start("patient", None, *times))
    assert (await spec(cluster))["leaseDurationSeconds"] == 90


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
        return status == 503 and f"cannot acquire the Lease: get Lease default/{LEASE}" in text

    await eventually("why it is not ready", said)
    grant = ["create", "clusterrole", "leases", "--verb=*", "--resource=leases.coordination.k8s.io"]
    bind = ["create", "clusterrolebinding", "leases", "--clusterrole=leases"]
    assert await cluster.section("net") == {}
    kubectl(server.kubeconfig, *grant)
    kubectl(server.kubeconfig, *bind, "--serviceaccount=default:without-leases")
    await leading(refused)
    await rendered(cluster, "refused", ["net"])
    # Other errors may be of a busy API server.
    [line] = [each for each in refused.text().splitlines() if " ERROR " in each and "403" in each]
    assert "check the operator's ClusterRole and its binding" in line
