"""Misspelt annotations are told of, and those of others are not."""

from typing import Any

import pytest

from spidercoordinator.core.checks.admission import review_network
from spidercoordinator.core.checks.annotations import unknown_annotations

SPEC: dict[str, Any] = {"cniType": "macvlan", "macvlan": {"master": ["eth0"]}}


def network(key: str) -> dict[str, Any]:
    return {"metadata": {"name": "a", "namespace": "b", "annotations": {key: "x"}}, "spec": SPEC}


@pytest.mark.parametrize(
    ("key", "told"),
    [
        ("multus.spidernet.io/crname", "did you mean multus.spidernet.io/cr-name?"),
        ("multus.spidernet.io/cni_version", "did you mean multus.spidernet.io/cni-version?"),
        ("cni.spidernet.io/cr-name", "did you mean multus.spidernet.io/cr-name?"),
        ("cr-name", "did you mean multus.spidernet.io/cr-name?"),
        ("multus.spidernet.io/cniconfig-name", "did you mean cni.spidernet.io/cniconfig-name?"),
        ("cni.spidernet.io/rdma-inject", "did you mean cni.spidernet.io/rdma-resource-inject?"),
        ("multus.spidernet.io/zzz", "known are multus.spidernet.io/cr-name, "),
        ("spidercoordinator.spiderpool.spidernet.io/adopt", "that is to be adopted, not here"),
    ],
)
def test_one_that_nobody_reads_is_told_of(key: str, told: str) -> None:
    [problem] = unknown_annotations(network(key))
    assert problem.field == f"metadata.annotations[{key}]"
    assert told in problem.message
    shown = review_network(network(key), None, rivals=[], nad=None).warnings
    assert [each for each in shown if told in each and len(each) <= 256]


@pytest.mark.parametrize(
    "key",
    [
        "multus.spidernet.io/cr-name",
        "cni.spidernet.io/network-resource-inject",
        "kubectl.kubernetes.io/last-applied-configuration",
        "team",
        "example.org/name",
        "ipam.spidernet.io/ippool",
    ],
)
def test_those_that_are_read_or_of_others_are_fine(key: str) -> None:
    assert list(unknown_annotations(network(key))) == []
