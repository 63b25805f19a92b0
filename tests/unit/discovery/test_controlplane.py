from __future__ import annotations

from typing import Any

import pytest

from spidercoordinator.discovery.controlplane import TOPIC, ControlPlane, read_pod
from spidercoordinator.discovery.source import Observed

MANAGER = ControlPlane("kube-controller-manager", ("pod", "service"))


def pod(
    command: list[str] | None = None,
    args: list[str] | None = None,
    component: str = "kube-controller-manager",
    name: str = "kcm",
) -> dict[str, Any]:
    return {
        "metadata": {"name": name, "namespace": "kube-system", "labels": {"component": component}},
        "spec": {"containers": [{"name": "c", "command": command, "args": args}]},
    }


def observed(*pods: dict[str, Any]) -> dict[str, Observed]:
    kept = {
        f"kube-system/{thing['metadata']['name']}": value
        for thing in pods
        if (value := read_pod(thing)) is not None
    }
    return {TOPIC.title: Observed(known=True, served=True, kept=kept)}


@pytest.mark.parametrize(
    "thing",
    [
        pytest.param(
            pod(["kube-controller-manager", "--cluster-cidr=10.1.0.0/16,fd00::/56"]), id="="
        ),
        pytest.param(
            pod(["kube-controller-manager", "--cluster-cidr", "10.1.0.0/16,fd00::/56"]),
            id="two arguments",
        ),
        pytest.param(
            pod(["kube-controller-manager"], ["--cluster-cidr=10.1.0.0/16,fd00::/56"]), id="args"
        ),
        pytest.param(
            pod(
                ["sh", "-c", "exec kcm --v=2 --cluster-cidr='10.1.0.0/16,fd00::/56' --leader-elect"]
            ),
            id="one line for a shell",
        ),
        pytest.param(
            pod(["kcm", "--cluster-cidr=10.9.0.0/16", "--cluster-cidr=10.1.0.0/16,fd00::/56"]),
            id="the last one wins",
        ),
    ],
)
def test_all_forms_of_the_flag_are_understood(thing: dict[str, Any]) -> None:
    assert MANAGER.find(observed(thing)).pod == ("10.1.0.0/16", "fd00::/56")


def test_another_flag_with_a_longer_name_is_not_taken() -> None:
    assert read_pod(pod(["kcm", "--cluster-cidr-mask=10.1.0.0/16"])) is None


def test_the_api_server_tells_service_cidrs_only() -> None:
    source = ControlPlane("kube-apiserver", ("service",))
    finding = source.find(
        observed(pod(["x", "--service-cluster-ip-range=10.96.0.0/12"], component="kube-apiserver"))
    )
    assert finding.service == ("10.96.0.0/12",)
    assert finding.tells == ("service",)
    assert finding.lacks == ""


def test_the_components_do_not_answer_for_each_other() -> None:
    board = observed(pod(["x", "--cluster-cidr=10.1.0.0/16"], component="kube-apiserver"))
    assert MANAGER.find(board).lacks == "there is no kube-controller-manager pod in kube-system"


def test_a_missing_flag_is_named() -> None:
    finding = MANAGER.find(observed(pod(["x", "--cluster-cidr=10.1.0.0/16"])))
    assert finding.lacks == "pod kube-system/kcm has no usable --service-cluster-ip-range"


def test_replicas_that_differ_are_reported() -> None:
    finding = MANAGER.find(
        observed(
            pod(["x", "--cluster-cidr=10.1.0.0/16"], name="kcm-a"),
            pod(["x", "--cluster-cidr=10.2.0.0/16"], name="kcm-b"),
        )
    )
    assert finding.pod == ("10.1.0.0/16",)
    assert "kube-system/kcm-b" in finding.doubts
