"""What `kubectl get` tells of both kinds."""

from __future__ import annotations

from spidercoordinator.api.crd import KINDS
from testbed.apiserver import ApiServer
from tests.apiserver.conftest import kubectl
from tests.apiserver.harness import Cluster, Operator, eventually, kubeadm_config
from tests.apiserver.networks import NAMESPACE, Networks


def shown(server: ApiServer, *arguments: str) -> dict[str, str]:
    """The columns of one object, cut where kubectl begins them."""
    text = kubectl(server.kubeconfig, "get", *arguments, "-o", "wide")
    head, row = text.splitlines()
    starts = [
        index
        for index, letter in enumerate(head)
        if letter != " " and (index == 0 or head[index - 2 : index] == "  ")
    ]
    ends = [*starts[1:], None]
    return {head[a:b].strip(): row[a:b].strip() for a, b in zip(starts, ends, strict=True)}


async def test_wide_columns_tell_the_story(
    server: ApiServer, cluster: Cluster, operator: Operator
) -> None:
    del operator
    await cluster.coordinator({"podCIDRType": "cluster"})

    async def not_ready() -> bool:
        return (await cluster.status()).get("phase") == "NotReady"

    await eventually("nothing is known", not_ready)
    row = shown(server, "spco", "default")
    reason = (await cluster.status())["reason"]
    assert (row["PHASE"], row["WHY NOT READY"]) == ("NotReady", reason)

    pools = kubeadm_config("10.244.0.0/16", "10.96.0.0/16")
    await cluster.config_map("kube-system", "kubeadm-config", pools)
    networks = Networks(cluster.api)
    await networks.make("good")
    await networks.ready("good")
    await networks.make_nad("foreign", '{"type":"macvlan"}')
    await networks.wanting("rival", "foreign")
    await networks.has("rival", "Ready", "False")

    async def counted() -> bool:
        return shown(server, "scc", "default").get("IN SYNC") == "1 of 2"

    await eventually("both are counted", counted)
    row, status = shown(server, "scc", "default"), await cluster.status()
    assert row["PHASE"] == "Synced"
    assert row["POD CIDRS"] == '["10.244.0.0/16"]'
    assert row["POD SOURCE"] == status["sources"]["overlayPodCIDR"]
    assert row["SERVICE CIDRS"] == '["10.96.0.0/16"]'
    assert row["SERVICE SOURCE"] == status["sources"]["serviceCIDR"]
    assert row["WHY NOT READY"] in {"", "<none>"}

    row = shown(server, "smc", "rival", "-n", NAMESPACE)
    assert (row["READY"], row["REASON"]) == ("False", "NameConflict")
    assert "foreign" in row["WHY NOT READY"]
    row = shown(server, "smc", "good", "-n", NAMESPACE)
    assert (row["READY"], row["REASON"], row["NAD"]) == ("True", "InSync", "good")
    hash_in_status = (await networks.get("good"))["status"]["configHash"]
    assert row["CONFIG HASH"] == hash_in_status


def test_short_names_are_served(server: ApiServer) -> None:
    listed = kubectl(server.kubeconfig, "api-resources", "--api-group=spiderpool.spidernet.io")
    for kind in KINDS:
        assert ",".join(kind.short) in listed
