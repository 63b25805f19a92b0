"""The chart's webhook: on unless unwanted, in nobody's way, kept by the operator's account."""

import base64
import json
from pathlib import Path

import pytest

from testbed.apiserver import ApiServer, free_port
from tests.apiserver.harness import Operator, eventually
from tests.chart.helm import Helm, Object, Values, merged, nested, pick, pod_templates, rules_of
from tests.chart.test_access import account, environment

ON: Values = {}
OFF = nested("operator.webhook.enabled", False)
NAME = "test-spidercoordinator-webhook"
CONFIGURATION = "validatingwebhookconfigurations"


TELL = "--interfaces-target=/dev/termination-log"


def kinds(objects: list[Object]) -> set[str]:
    return {thing["kind"] for thing in objects}


def test_it_is_on_unless_unwanted(helm: Helm) -> None:
    assert {"ValidatingWebhookConfiguration", "Secret"} <= kinds(helm.template())
    assert not {"ValidatingWebhookConfiguration", "Secret"} & kinds(helm.template(OFF))


def test_it_is_asked_about_our_kinds_only_and_nothing_waits_for_it(helm: Helm) -> None:
    [found] = [
        thing for thing in helm.template(ON) if thing["kind"] == "ValidatingWebhookConfiguration"
    ]
    asked = {
        (rule["apiGroups"][0], rule["resources"][0])
        for webhook in found["webhooks"]
        for rule in webhook["rules"]
    }
    assert asked == {
        ("spiderpool.spidernet.io", "spidermultusconfigs"),
        ("spiderpool.spidernet.io", "spidercoordinators"),
    }
    for webhook in found["webhooks"]:
        assert (webhook["failurePolicy"], webhook["timeoutSeconds"]) == ("Ignore", 3)
        assert webhook["sideEffects"] == "None"


def test_refusing_while_nobody_answers_is_for_networks_only(helm: Helm) -> None:
    """A SpiderCoordinator comes with each installation, before there is an operator."""
    given = nested("operator.webhook", {"failurePolicy": "Fail", "timeoutSeconds": 7})
    webhooks = pick(helm.template(given), "ValidatingWebhookConfiguration")["webhooks"]
    found = {each["name"].partition(".")[0]: each["failurePolicy"] for each in webhooks}
    assert found == {"network": "Fail", "coordinator": "Ignore"}
    assert {each["timeoutSeconds"] for each in webhooks} == {7}


def flags(objects: list[Object]) -> tuple[list[str], list[str]]:
    """What the installer's init container is told, and what the resident one."""
    spec = pod_templates(objects)["DaemonSet"]["spec"]
    [first], [resident] = spec["initContainers"], spec["containers"]
    assert first["name"] == "install"
    return first["args"], resident["args"]


@pytest.mark.parametrize(
    ("values", "told"),
    [
        pytest.param(OFF, True, id="without the webhook"),
        pytest.param(ON, True, id="with the webhook"),
        pytest.param(
            merged(ON, nested("installer.hostNetwork", False)), False, id="it would not see them"
        ),
    ],
)
def test_nodes_report_their_interfaces(helm: Helm, values: Values, *, told: bool) -> None:
    first, resident = flags(helm.template(values))
    assert (TELL in first) == told
    assert TELL not in resident
    assert ("--report-interfaces" in resident) == told
    assert "--report-interval=1m" in resident
    assert not any("report" in each for each in first)


def test_the_operator_finds_the_installers_pods(helm: Helm) -> None:
    objects = helm.template(merged(ON, nested("nameOverride", "sc")), release="other")
    container = pick(objects, "Deployment")["spec"]["template"]["spec"]["containers"][0]
    [selector] = [
        each["value"]
        for each in container["env"]
        if each["name"] == "SPIDERCOORDINATOR_INSTALLER_PODS"
    ]
    asked = dict(term.split("=") for term in selector.split(","))
    assert asked == pick(objects, "DaemonSet")["spec"]["selector"]["matchLabels"]


@pytest.mark.parametrize("values", [OFF, ON])
def test_pods_and_logs_may_be_read_in_the_releases_namespace(helm: Helm, values: Values) -> None:
    may = [
        (role["metadata"].get("namespace", ""), resource, rule["verbs"])
        for role, rule in rules_of(helm.template(values), "-operator")
        for resource in rule["resources"]
        if resource.startswith("pods")
    ]
    assert sorted(may) == [
        ("default", "pods", ["list", "watch"]),
        ("default", "pods/log", ["get"]),
        ("kube-system", "pods", ["list", "watch"]),
    ]


def reach(cluster: Helm, port: int) -> None:
    """Let the API server find the operator where it runs here, which is in no pod."""
    webhooks = cluster.get(CONFIGURATION, NAME)["webhooks"]
    changes = [
        {
            "op": "replace",
            "path": f"/webhooks/{index}/clientConfig",
            "value": {"url": f"https://127.0.0.1:{port}{each['clientConfig']['service']['path']}"},
        }
        for index, each in enumerate(webhooks)
    ]
    cluster.kubectl("patch", CONFIGURATION, NAME, "--type=json", "-p", json.dumps(changes))


def installer_pod(cluster: Helm) -> Object:
    """A pod as the DaemonSet would make it on a node."""
    template = cluster.get("daemonset", "test-spidercoordinator-installer")["spec"]["template"]
    spec = template["spec"] | {"nodeName": "node-1"}
    meta = template["metadata"] | {"name": "told", "namespace": "default"}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec}


def report(cluster: Helm, message: str) -> None:
    """Say of the pod what a kubelet would when its init container has ended."""
    container = {
        "name": "install",
        "state": {"terminated": {"exitCode": 0, "message": message}},
        "image": "",
        "imageID": "",
        "ready": True,
        "restartCount": 0,
    }
    status = json.dumps({"status": {"initContainerStatuses": [container]}})
    cluster.kubectl("patch", "pod", "told", "--subresource=status", "--type=merge", "-p", status)


async def test_missing_master_is_noticed_with_the_operators_own_account(
    cluster: Helm, server: ApiServer, tmp_path: Path
) -> None:
    cluster.install(ON)
    port = free_port()
    reach(cluster, port)
    given = {"SPIDERCOORDINATOR_WEBHOOK_PORT": str(port)}
    login = account(cluster, server, "test-spidercoordinator-operator")
    operator = Operator(login, tmp_path / "log", environment(cluster, ON) | given)
    operator.start()
    network = {
        "apiVersion": "spiderpool.spidernet.io/v2beta1",
        "kind": "SpiderMultusConfig",
        "metadata": {"name": "net", "namespace": "default"},
        "spec": {"cniType": "macvlan", "macvlan": {"master": ["eth9"]}},
    }
    apply = ("apply", "--dry-run=server", "-f", "-")

    async def warned() -> bool:
        shown = cluster.kubectl(*apply, stdin=json.dumps(network)).stderr
        return '"eth9" is not on the only node that reports (node-1)' in shown

    try:
        cluster.apply([installer_pod(cluster)])
        report(cluster, '{"interfaces":["eth0"],"unlisted":[]}')
        await eventually("the master is missed", warned, seconds=30)
    finally:
        operator.stop()
        cluster.kubectl("delete", "pod", "told", "--force", "--grace-period=0")
    assert "orbidden" not in operator.text()


async def test_certificate_is_kept_with_the_operators_own_account_over_an_upgrade(
    cluster: Helm, server: ApiServer, tmp_path: Path
) -> None:
    cluster.install(ON)
    login = account(cluster, server, "test-spidercoordinator-operator")
    given = {"SPIDERCOORDINATOR_WEBHOOK_PORT": str(free_port())}
    operator = Operator(login, tmp_path / "log", environment(cluster, ON) | given)
    operator.start()

    def certificate() -> str:
        return str((cluster.get("secret", NAME).get("data") or {}).get("tls.crt", ""))

    def bundles() -> set[str]:
        webhooks = cluster.get(CONFIGURATION, NAME)["webhooks"]
        return {webhook["clientConfig"].get("caBundle", "") for webhook in webhooks}

    async def trusted() -> bool:
        return bool(certificate()) and bundles() == {certificate()}

    try:
        await eventually("the certificate is made and trusted", trusted, seconds=30)
        before = certificate()
        assert b"BEGIN CERTIFICATE" in base64.b64decode(before)
        cluster.kubectl("delete", "secret", NAME)

        async def renewed() -> bool:
            shown = cluster.kubectl("get", "secret", NAME, "--ignore-not-found", "-o", "json")
            return bool(shown.stdout) and certificate() not in {"", before}

        await eventually("a Secret that is deleted is made again", renewed, seconds=30)
        before, [bundle] = certificate(), bundles()
        assert base64.b64decode(bundle).startswith(base64.b64decode(before))
        cluster.install(merged(ON, nested("operator.log.level", "debug")))
        assert certificate() == before
        assert bundles() == {bundle}
    finally:
        operator.stop()
    assert "orbidden" not in operator.text()
