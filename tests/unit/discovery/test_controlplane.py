from __future__ import annotations

from typing import Any

import pytest

from spidercoordinator.discovery.controlplane import BY_APP, WATCHED, ControlPlane, read_flags
from spidercoordinator.discovery.source import Observation, ReadState
from tests.unit.discovery.observing import observe

MANAGER = ControlPlane("kube-controller-manager", ("pod", "service"))


def pod(
    command: list[str] | None = None,
    args: list[str] | None = None,
    component: str = "kube-controller-manager",
    name: str = "kcm",
) -> dict[str, Any]:
    return {
        "metadata": {
            "name": name,
            "namespace": "kube-system",
            "labels": {"component": component, "tier": "control-plane"},
        },
        "spec": {"containers": [{"name": "c", "command": command, "args": args}]},
    }


def observed(*pods: dict[str, Any]) -> dict[str, Observation]:
    entries = {
        f"kube-system/{obj['metadata']['name']}": value
        for obj in pods
        if (value := read_flags(obj)) is not None
    }
    return {
        WATCHED.title: Observation(ReadState.READ, entries=entries),
        BY_APP.title: Observation(ReadState.READ),
    }


@pytest.mark.parametrize(
    "obj",
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
            pod(
                ["sh", "-c"],
                ["set -e\nexec kcm \\\n--v=2 \\\n--cluster-cidr=10.1.0.0/16,fd00::/56 \\\n  --x\n"],
            ),
            id="several lines for a shell",
        ),
        pytest.param(
            pod(["sh", "-c", "exec kcm --cluster-cidr=10.1.0.0/16,fd00::/56; sleep 1"]),
            id="the end of a shell's command",
        ),
        pytest.param(
            pod(["sh", "-c", "(kcm --cluster-cidr 10.1.0.0/16,fd00::/56)&&echo \\'--done"]),
            id="operators of a shell",
        ),
        pytest.param(
            pod(["kcm", "--cluster-cidr=10.9.0.0/16", "--cluster-cidr=10.1.0.0/16,fd00::/56"]),
            id="the last one wins",
        ),
    ],
)
def test_all_forms_of_the_flag_are_understood(obj: dict[str, Any]) -> None:
    assert MANAGER.report(observed(obj)).pod == ("10.1.0.0/16", "fd00::/56")


def test_another_flag_with_a_longer_name_is_not_taken() -> None:
    assert read_flags(pod(["kcm", "--cluster-cidr-mask=10.1.0.0/16"])) is None


def test_the_api_server_reports_service_cidrs_only() -> None:
    source = ControlPlane("kube-apiserver", ("service",))
    report = source.report(
        observed(pod(["x", "--service-cluster-ip-range=10.96.0.0/12"], component="kube-apiserver"))
    )
    assert report.service == ("10.96.0.0/12",)
    assert report.kinds == ("service",)
    assert report.missing == ""


def test_the_components_do_not_answer_for_each_other() -> None:
    observations = observed(pod(["x", "--cluster-cidr=10.1.0.0/16"], component="kube-apiserver"))
    assert (
        MANAGER.report(observations).missing
        == "there is no kube-controller-manager pod in kube-system"
    )


@pytest.mark.parametrize(
    "meta",
    [
        pytest.param({"labels": {"tier": "control-plane"}}, id="Talos"),
        pytest.param({"annotations": {"kubernetes.io/config.mirror": "0a1b"}}, id="kOps"),
    ],
)
def test_pods_labelled_by_their_app_count_too(meta: dict[str, Any]) -> None:
    obj = pod(["kube-controller-manager", "--cluster-cidr=10.244.0.0/16"])
    labels = {"k8s-app": "kube-controller-manager"} | meta.get("labels", {})
    obj["metadata"] = {"name": "kcm", "namespace": "kube-system"} | meta | {"labels": labels}
    given = observe(MANAGER, {BY_APP: [obj]})
    assert MANAGER.report(given).pod == ("10.244.0.0/16",)
    both = observe(MANAGER, {BY_APP: [obj], WATCHED: [obj]})
    assert MANAGER.report(both).warning == ""


def test_a_missing_flag_is_named() -> None:
    report = MANAGER.report(observed(pod(["x", "--cluster-cidr=10.1.0.0/16"])))
    assert report.missing == "pod kube-system/kcm has no usable --service-cluster-ip-range"


def test_replicas_that_differ_are_reported() -> None:
    report = MANAGER.report(
        observed(
            pod(["x", "--cluster-cidr=10.1.0.0/16"], name="kcm-a"),
            pod(["x", "--cluster-cidr=10.2.0.0/16"], name="kcm-b"),
        )
    )
    assert report.pod == ("10.1.0.0/16",)
    assert "kube-system/kcm-b" in report.warning


@pytest.mark.parametrize(
    ("labels", "annotations", "counts"),
    [
        pytest.param({"tier": "control-plane"}, {}, True, id="as kubeadm labels it"),
        pytest.param({}, {"kubernetes.io/config.mirror": "0a1b"}, True, id="a static pod"),
        pytest.param({}, {}, False, id="any pod with the label component"),
        pytest.param({"tier": "node"}, None, False, id="another tier"),
    ],
)
def test_only_pods_of_the_control_plane_count(
    labels: dict[str, str], annotations: dict[str, str] | None, counts: bool
) -> None:
    obj = pod(["kube-controller-manager", "--cluster-cidr=10.1.0.0/16"])
    obj["metadata"]["labels"] = {"component": "kube-controller-manager", **labels}
    obj["metadata"]["annotations"] = annotations
    assert (read_flags(obj) is not None) == counts


def test_pods_that_cannot_be_read_are_not_absent() -> None:
    failed = Observation(ReadState.FAILED, "may not list pods: no")
    report = MANAGER.report({WATCHED.title: failed, BY_APP.title: Observation(ReadState.READ)})
    assert report.unread == report.missing == "may not list pods: no"
