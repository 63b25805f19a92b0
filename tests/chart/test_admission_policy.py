"""The chart's ValidatingAdmissionPolicy refuses what the operator cannot use, in its words."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from spidercoordinator.core.network.validation import find_problems
from testbed.apiserver import ApiServer
from tests.apiserver.harness import eventually
from tests.chart.helm import CHART, Helm, Object, nested, pick

MACVLAN: Object = {"cniType": "macvlan", "macvlan": {"master": ["eth0"]}}
CR_NAME = "multus.spidernet.io/cr-name"
VERSION = "multus.spidernet.io/cni-version"
CONFIG = "cni.spidernet.io/cniconfig-name"
RDMA = "cni.spidernet.io/rdma-resource-inject"
NETWORK = "cni.spidernet.io/network-resource-inject"
POOLS: Object = {"ippools": {"ipv4": ["p"]}}


def of(key: str, cni_type: str = "", **fields: Any) -> Object:
    needed = {"ovs": {"bridge": "br0"}, "ipoib": {"master": "ib0"}}
    of_resource = {"resourceName": "acme.io/vf"} if "sriov" in key else {"master": ["eth0"]}
    return {"cniType": cni_type or key, key: {**needed.get(key, of_resource), **fields}}


# Annotations, and the spec they are with.
TAKEN: list[tuple[dict[str, str], Object]] = [
    ({}, MACVLAN),
    ({"some.org/x": "y"}, {}),
    ({CR_NAME: "a.b-c", VERSION: "1.1.0", CONFIG: "A_b.c"}, MACVLAN),
    ({CONFIG: ""}, MACVLAN),
    ({RDMA: ""}, of("macvlan", rdmaResourceName="acme.io/a", **POOLS)),
    ({RDMA: "blue", NETWORK: "blue"}, of("sriov", ippools={"ipv6": ["p"]})),
    ({RDMA: "blue"}, of("ibsriov", "ib-sriov", **POOLS)),
    ({NETWORK: "blue"}, MACVLAN),
    ({NETWORK: "blue"}, of("ipoib")),
]
REFUSED: list[tuple[dict[str, str], Object]] = [
    *(({CR_NAME: name}, MACVLAN) for name in ("", "A", "a_b", "-a", "a..b", "a" * 254, "ä")),
    *(({VERSION: text}, MACVLAN) for text in ("", "0.2.0", "1.2.0", "v1.0.0")),
    *(({CONFIG: text}, MACVLAN) for text in ("-a", "a b", "a/b")),
    *(({key: "a b"}, of("sriov", **POOLS)) for key in (RDMA, NETWORK)),
    *(({key: "a" * 64}, of("sriov", **POOLS)) for key in (RDMA, NETWORK)),
    *(({key: "a"}, of("ovs")) for key in (RDMA, NETWORK)),
    *(({key: "a"}, {}) for key in (RDMA, NETWORK)),
    ({RDMA: "a"}, of("macvlan", **POOLS)),
    ({RDMA: "a"}, of("ipoib")),
    *(({key: "a"}, of("sriov")) for key in (RDMA, NETWORK)),
    *(({key: "a"}, of("vlan", vlanID=5, rdmaResourceName="a.io/b")) for key in (RDMA, NETWORK)),
    ({NETWORK: "a"}, of("ibsriov", "ib-sriov", ippools={"ipv4": []})),
]


def network(annotations: dict[str, str], spec: Object, name: str = "net") -> Object:
    return {
        "apiVersion": "spiderpool.spidernet.io/v2beta1",
        "kind": "SpiderMultusConfig",
        "metadata": {"name": name, "namespace": "default", "annotations": annotations},
        "spec": spec,
    }


@pytest.fixture(scope="module")
def guarded(
    server: ApiServer, helm: Helm, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Helm]:
    """A cluster with the kinds and the policy, without the operator and its webhook."""
    cluster = Helm(helm.binaries, tmp_path_factory.mktemp("guarded"), server.kubeconfig)
    cluster.kubectl(
        "apply",
        "--server-side",
        "--force-conflicts",
        "-f",
        "-",
        stdin=cluster.run("show", "crds", str(CHART)).stdout,
    )
    cluster.kubectl("wait", "--for=condition=Established", "crd", "--all")
    objects = [each for each in helm.template() if each["kind"].startswith("ValidatingAdmissionP")]
    assert len(objects) == 2
    # Stored while nobody refused it.
    cluster.apply([network({VERSION: "9"}, MACVLAN, "old")])
    cluster.apply(objects)
    yield cluster
    cluster.delete(objects)
    cluster.kubectl("delete", "spidermultusconfigs", "--all", "--namespace=default")


def refusal(cluster: Helm, obj: Object, *, dry: bool = True) -> str:
    """What the API server says when it refuses the object, empty when it takes it."""
    flags = ("--dry-run=server",) if dry else ()
    done = cluster.kubectl("apply", *flags, "-f", "-", stdin=json.dumps(obj), check=False)
    return done.stderr if done.returncode else ""


@pytest.fixture
async def asked(guarded: Helm) -> Helm:
    bad = network({VERSION: "9"}, MACVLAN)

    async def refused() -> bool:
        return "denied request" in refusal(guarded, bad)

    await eventually("the policy is in force", refused)
    return guarded


def test_what_the_operator_can_use_is_taken(asked: Helm) -> None:
    for annotations, spec in TAKEN:
        obj = network(annotations, spec)
        assert list(find_problems(obj)) == []
        assert refusal(asked, obj) == "", annotations


def test_what_the_operator_cannot_use_is_refused_in_its_words(asked: Helm) -> None:
    for annotations, spec in REFUSED:
        obj = network(annotations, spec)
        problems = list(find_problems(obj))
        assert problems, annotations
        said = refusal(asked, obj)
        assert said.count("denied request") == 1, (annotations, said)
        [key] = annotations
        assert f"metadata.annotations[{key}]" in said
        of_annotation = [str(each) for each in problems if each.field.startswith("metadata.")]
        if of_annotation:
            assert of_annotation[0] in re.sub(r"\s+", " ", said)


def test_what_was_stored_before_stays_editable(asked: Helm) -> None:
    for patch, taken in (
        ({"metadata": {"labels": {"a": "b"}}}, True),
        ({"metadata": {"annotations": {VERSION: "7"}}}, False),
        ({"metadata": {"annotations": {VERSION: "0.4.0"}}}, True),
    ):
        done = asked.kubectl(
            *("patch", "spidermultusconfig", "old", "--namespace=default", "--type=merge"),
            *("-p", json.dumps(patch)),
            check=False,
        )
        assert (done.returncode == 0) == taken, done.stderr


def test_a_name_that_pods_use_cannot_change(asked: Helm) -> None:
    assert refusal(asked, network({CR_NAME: "first"}, MACVLAN, "named"), dry=False) == ""

    def patched(patch: Object, *flags: str) -> str:
        return asked.kubectl(
            *("patch", "spidermultusconfig", "named", "--namespace=default", "--type=merge"),
            *flags,
            *("-p", json.dumps(patch)),
            check=False,
        ).stderr

    # No NetworkAttachmentDefinition was made of it yet, as in a conflict of names.
    assert patched({"metadata": {"annotations": {CR_NAME: "second"}}}) == ""
    assert patched({"status": {"nad": "second"}}, "--subresource=status") == ""
    said = patched({"metadata": {"annotations": {CR_NAME: "third"}}})
    assert '"second" cannot become "third": pods name the NetworkAttachmentDefinition' in said
    assert patched({"metadata": {"annotations": {"x": "y"}}}) == ""
    assert patched({"metadata": {"annotations": {CR_NAME: None}}}) == ""
    said = patched({"metadata": {"annotations": {CR_NAME: "fourth"}}})
    assert '"named" cannot become "fourth"' in said


def test_it_can_be_left_out(helm: Helm) -> None:
    kinds = {each["kind"] for each in helm.template(nested("admissionPolicy.enabled", False))}
    assert "ValidatingAdmissionPolicy" not in kinds
    assert pick(helm.template(), "ValidatingAdmissionPolicy")["spec"]["failurePolicy"] == "Fail"
