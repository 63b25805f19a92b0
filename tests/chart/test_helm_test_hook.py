"""What the chart makes for `helm test`: one pod that makes another, and the rights for it."""

import json
from pathlib import Path

import pytest

from tests.chart.helm import CHART, Helm, Object, merged, nested, pick, rules_of

NETWORK = "test-spidercoordinator-test-network"
OFF = nested("test.enabled", False)
GIVEN = merged(
    nested("global.imageRegistryOverride", "mine:5000"),
    nested("installer", {"nodeSelector": {"a": "b"}, "tolerations": [{"key": "c"}]}),
    nested("installer.image.imagePullSecrets", ["plugins"]),
    nested("operator.image.imagePullSecrets", ["operator"]),
    nested("operator.image.digest", f"sha256:{'ab' * 32}"),
    nested("test", {"interface": "ens3", "ipam": {"type": "dhcp"}, "deadlineSeconds": 40}),
    nested("namespaceOverride", "there"),
    nested("coordinator.name", "other"),
)


@pytest.fixture(scope="module")
def objects(helm: Helm) -> list[Object]:
    return helm.template(GIVEN)


@pytest.fixture(scope="module")
def runner(objects: list[Object]) -> Object:
    return pick(objects, "Pod", "-test")


def option(runner: Object, name: str) -> str:
    [container] = runner["spec"]["containers"]
    [value] = [arg.partition("=")[2] for arg in container["args"] if arg.startswith(f"--{name}=")]
    return str(value)


@pytest.fixture(scope="module")
def attached(runner: Object) -> Object:
    pod: Object = json.loads(option(runner, "pod"))
    return pod


def test_helm_runs_it_as_a_test_and_keeps_it_for_its_log(runner: Object) -> None:
    marks = runner["metadata"]["annotations"]
    assert marks["helm.sh/hook"] == "test"
    assert marks["helm.sh/hook-delete-policy"] == "before-hook-creation"
    assert marks["helm.sh/hook-output-log-policy"] == "hook-failed"


def test_nothing_else_is_a_hook_of_the_test(objects: list[Object]) -> None:
    """`helm test --logs` reads the log of each, as if it were a pod."""
    marks = "helm.sh/hook"
    hooks = [o for o in objects if o["metadata"].get("annotations", {}).get(marks) == "test"]
    assert [each["kind"] for each in hooks] == ["Pod"]


def test_values_say_what_is_tried(runner: Object) -> None:
    assert option(runner, "namespace") == runner["metadata"]["namespace"] == "there"
    assert option(runner, "interface") == "ens3"
    assert json.loads(option(runner, "ipam")) == {"type": "dhcp"}
    assert option(runner, "timeout") == "25"
    assert runner["spec"]["activeDeadlineSeconds"] == 40
    [container] = runner["spec"]["containers"]
    assert {"name": "SPIDERCOORDINATOR_NAME", "value": "other"} in container["env"]


def test_each_pod_has_its_own_image_and_pull_secrets(runner: Object, attached: Object) -> None:
    [mine], [other] = runner["spec"]["containers"], attached["spec"]["containers"]
    assert mine["image"] == f"mine:5000/spidercoordinator/operator@sha256:{'ab' * 32}"
    assert other["image"] == "mine:5000/spidercoordinator/cni:0.1.0"
    assert runner["spec"]["imagePullSecrets"] == [{"name": "operator"}]
    assert attached["spec"]["imagePullSecrets"] == [{"name": "plugins"}]


def test_the_image_of_the_attached_pod_is_a_value(helm: Helm) -> None:
    image = "there:5000/cni@sha256:" + "ab" * 32
    runner = pick(helm.template(nested("test.image", image)), "Pod", "-test")
    [container] = json.loads(option(runner, "pod"))["spec"]["containers"]
    assert container["image"] == image


def test_the_attached_pod_goes_where_the_installer_does_and_may_do_nothing(
    attached: Object,
) -> None:
    spec = attached["spec"]
    assert spec["nodeSelector"] == {"kubernetes.io/os": "linux", "a": "b"}
    assert spec["tolerations"] == [{"key": "c"}]
    assert spec["automountServiceAccountToken"] is False
    assert spec["restartPolicy"] == "Never"
    assert not {"hostNetwork", "hostPID", "hostIPC", "volumes"} & set(spec)


@pytest.mark.parametrize("which", ["runner", "attached"])
def test_both_pods_are_allowed_by_the_strictest_pod_security(
    which: str, request: pytest.FixtureRequest
) -> None:
    spec = request.getfixturevalue(which)["spec"]
    [container] = spec["containers"]
    context = spec.get("securityContext", {}) | container["securityContext"]
    assert (context["runAsNonRoot"], context["runAsUser"]) == (True, 65532)
    assert context["capabilities"] == {"drop": ["ALL"]}
    assert context["allowPrivilegeEscalation"] is False
    assert context["readOnlyRootFilesystem"] is True
    assert context["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["resources"]["limits"]["memory"]


@pytest.mark.parametrize("which", ["runner", "attached"])
def test_no_mesh_puts_a_sidecar_beside_either(which: str, request: pytest.FixtureRequest) -> None:
    meta = request.getfixturevalue(which)["metadata"]
    assert meta["labels"]["sidecar.istio.io/inject"] == "false"
    assert meta["labels"]["istio.io/dataplane-mode"] == "none"
    assert meta["annotations"]["linkerd.io/inject"] == "disabled"


def test_the_account_may_do_that_and_no_more(objects: list[Object]) -> None:
    """The whole list: whatever joins it is a decision."""
    given = {
        (role["kind"], "/".join((*rule["apiGroups"], *rule["resources"])), verb, name)
        for role, rule in rules_of(objects, "-test")
        for verb in rule["verbs"]
        for name in rule.get("resourceNames", ["*"])
    }
    ours, runner = "spiderpool.spidernet.io", "test-spidercoordinator-test"
    assert given == {
        ("ClusterRole", f"{ours}/spidercoordinators", "get", "other"),
        ("Role", f"{ours}/spidermultusconfigs", "create", "*"),
        ("Role", f"{ours}/spidermultusconfigs", "get", NETWORK),
        ("Role", f"{ours}/spidermultusconfigs", "delete", NETWORK),
        ("Role", "k8s.cni.cncf.io/network-attachment-definitions", "get", NETWORK),
        ("Role", "/pods", "create", "*"),
        ("Role", "/pods", "get", NETWORK),
        ("Role", "/pods", "delete", NETWORK),
        ("Role", "/pods/log", "get", NETWORK),
        ("Role", "/events", "list", "*"),
        ("Role", "/pods", "patch", runner),
        ("Role", "/serviceaccounts", "get", runner),
    }
    roles = [o for o in objects if o["kind"] == "Role" and o["metadata"]["name"].endswith("-test")]
    assert [each["metadata"]["namespace"] for each in roles] == ["there"]


def test_without_it_nothing_of_it_is_made(helm: Helm) -> None:
    names = {each["metadata"]["name"] for each in helm.template(OFF)}
    assert not [name for name in names if name.endswith("-test")]


def test_its_account_is_nobody_elses(helm: Helm) -> None:
    name = "test-spidercoordinator-test"
    message = helm.refusal(nested("operator.serviceAccount.name", name))
    assert f'operator.serviceAccount.name is "{name}", as is the account of helm test' in message


def test_the_guide_names_the_command() -> None:
    assert "    helm test spiderpool -n spiderpool\n" in Path(CHART / "README.md").read_text()
