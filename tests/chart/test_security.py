"""What the pods may do on a node, and what the accounts may do in the cluster."""

import pytest

from tests.chart.helm import (
    EVERYTHING,
    Helm,
    Object,
    merged,
    nested,
    pick,
    pod_templates,
    rules_of,
)

NODE_PATHS = {"/opt/cni/bin", "/var/lib/spidercoordinator"}


@pytest.fixture(scope="module")
def objects(helm: Helm) -> list[Object]:
    return helm.template(EVERYTHING)


@pytest.fixture(scope="module")
def pods(objects: list[Object]) -> dict[str, Object]:
    return {kind: template["spec"] for kind, template in pod_templates(objects).items()}


def test_there_are_three_workloads(pods: dict[str, Object]) -> None:
    assert set(pods) == {"Deployment", "DaemonSet", "Job"}


@pytest.mark.parametrize("kind", ["Deployment", "DaemonSet", "Job"])
def test_no_container_has_privileges(pods: dict[str, Object], kind: str) -> None:
    for container in (*pods[kind]["containers"], *pods[kind].get("initContainers", [])):
        context = container["securityContext"]
        resident = container["name"] == "coordinator-install"
        added = {"add": ["NET_ADMIN"]} if resident else {}
        assert context["capabilities"] == {"drop": ["ALL"]} | added
        assert context["allowPrivilegeEscalation"] is False
        assert context["readOnlyRootFilesystem"] is True
        assert not context.get("privileged")
        assert container["resources"]["limits"]["memory"]
        seccomp = pods[kind].get("securityContext", {}) | context
        assert seccomp["seccompProfile"] == {"type": "RuntimeDefault"}
    assert not {"hostPID", "hostIPC", "shareProcessNamespace"} & set(pods[kind])


@pytest.mark.parametrize("values", [{"restoreRules": False}, {"hostNetwork": False}])
def test_an_installer_that_restores_no_rules_has_no_capability(
    helm: Helm, values: dict[str, bool]
) -> None:
    templates = dict(pod_templates(helm.template({"installer": values})))
    for container in templates["DaemonSet"]["spec"]["containers"]:
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert "--restore-rules" not in container["args"]


@pytest.mark.parametrize("kind", ["Deployment", "Job"])
def test_the_operator_is_not_root_and_touches_no_node(pods: dict[str, Object], kind: str) -> None:
    context = pods[kind]["securityContext"]
    assert (context["runAsNonRoot"], context["runAsUser"]) == (True, 65532)
    assert "hostNetwork" not in pods[kind]
    assert not [volume for volume in pods[kind]["volumes"] if "hostPath" in volume]


def test_the_installer_has_two_folders_of_the_node_and_no_token(pods: dict[str, Object]) -> None:
    installer = pods["DaemonSet"]
    paths = {volume["hostPath"]["path"] for volume in installer["volumes"] if "hostPath" in volume}
    assert paths == NODE_PATHS
    assert installer["automountServiceAccountToken"] is False
    [account] = [volume["name"] for volume in installer["volumes"] if "projected" in volume]
    having = [
        container["name"]
        for container in (*installer["containers"], *installer["initContainers"])
        if account in {mount["name"] for mount in container["volumeMounts"]}
    ]
    assert having == ["metrics"]


def test_there_is_no_token_and_no_port_unless_metrics_are_asked_for(helm: Helm) -> None:
    installer = pod_templates(helm.template())["DaemonSet"]["spec"]
    assert not [volume for volume in installer["volumes"] if "projected" in volume]
    for container in (*installer["containers"], *installer["initContainers"]):
        assert "ports" not in container
        assert "--count" not in container["args"]


def test_the_container_with_the_token_changes_nothing_on_the_node(
    helm: Helm, pods: dict[str, Object]
) -> None:
    loose = {"privileged": True, "runAsUser": 0, "seLinuxOptions": {"type": "spc_t"}}
    given = merged(EVERYTHING, {"installer": {"securityContext": loose}})
    for spec in (pods["DaemonSet"], pod_templates(helm.template(given))["DaemonSet"]["spec"]):
        [metrics] = [each for each in spec["containers"] if each["name"] == "metrics"]
        context = metrics["securityContext"]
        assert (context["runAsNonRoot"], context["runAsUser"]) == (True, 65532)
        assert context["capabilities"] == {"drop": ["ALL"]}
        assert context["allowPrivilegeEscalation"] is False
        assert "privileged" not in context
        assert all(mount["readOnly"] for mount in metrics["volumeMounts"])
    assert context["seLinuxOptions"] == {"type": "spc_t"}


def test_the_installer_says_in_the_pods_status_why_it_failed(pods: dict[str, Object]) -> None:
    for container in (*pods["DaemonSet"]["containers"], *pods["DaemonSet"]["initContainers"]):
        assert container["terminationMessagePolicy"] == "FallbackToLogsOnError"


def test_the_installer_runs_on_every_node_and_is_guaranteed(pods: dict[str, Object]) -> None:
    assert pods["DaemonSet"]["tolerations"] == [{"operator": "Exists"}]
    container = pods["DaemonSet"]["containers"][0]
    assert container["name"] == "coordinator-install"
    assert container["resources"]["requests"] == container["resources"]["limits"]


def roles_by_account(objects: list[Object]) -> list[tuple[str, str]]:
    """The account and the role of each binding."""
    return [
        (subject["name"], thing["roleRef"]["name"])
        for thing in objects
        if thing["kind"].endswith("RoleBinding")
        for subject in thing["subjects"]
    ]


def test_the_installer_account_is_bound_to_nothing_without_metrics(helm: Helm) -> None:
    objects = helm.template()
    account = pod_templates(objects)["DaemonSet"]["spec"]["serviceAccountName"]
    bound = [name for name, _ in roles_by_account(objects)]
    assert len(bound) == 8
    assert account not in bound


def test_with_metrics_it_may_ask_who_somebody_is_and_nothing_else(
    objects: list[Object], pods: dict[str, Object]
) -> None:
    account = pods["DaemonSet"]["serviceAccountName"]
    [role] = [role for name, role in roles_by_account(objects) if name == account]
    assert [rule for _, rule in rules_of(objects, role)] == [
        {
            "apiGroups": ["authentication.k8s.io"],
            "resources": ["tokenreviews"],
            "verbs": ["create"],
        },
        {
            "apiGroups": ["authorization.k8s.io"],
            "resources": ["subjectaccessreviews"],
            "verbs": ["create"],
        },
    ]


def test_the_reader_of_metrics_may_read_metrics_and_nothing_else(objects: list[Object]) -> None:
    [role] = [role for name, role in roles_by_account(objects) if name.endswith("-metrics-reader")]
    read = [rule for _, rule in rules_of(objects, role)]
    assert read == [{"nonResourceURLs": ["/metrics"], "verbs": ["get"]}]


def test_a_secret_of_ones_own_spares_the_account_of_the_reader(helm: Helm) -> None:
    mine = nested("metrics.podMonitor.tokenSecret", {"name": "mine", "key": "bearer"})
    objects = helm.template(merged(EVERYTHING, mine))
    monitor = pick(objects, "PodMonitor")
    [endpoint] = monitor["spec"]["podMetricsEndpoints"]
    assert endpoint["authorization"] == {"credentials": {"name": "mine", "key": "bearer"}}
    assert [thing["kind"] for thing in objects if "reader" in thing["metadata"]["name"]] == [
        "ClusterRole"
    ]


def test_a_certificate_of_ones_own_is_served_and_known(helm: Helm) -> None:
    known = {"ca": {"secret": {"name": "tls", "key": "ca.crt"}}, "serverName": "nodes.example"}
    given = merged(
        EVERYTHING,
        nested("installer.metrics.tlsSecret", "tls"),
        nested("metrics.podMonitor.tlsConfig", known),
    )
    objects = helm.template(given)
    [endpoint] = pick(objects, "PodMonitor")["spec"]["podMetricsEndpoints"]
    assert endpoint["tlsConfig"] == known
    spec = pod_templates(objects)["DaemonSet"]["spec"]
    [metrics] = [each for each in spec["containers"] if each["name"] == "metrics"]
    assert "--certificate-dir=/etc/spidercoordinator/tls" in metrics["args"]
    assert {"name": "tls", "secret": {"secretName": "tls"}} in spec["volumes"]


def test_no_rule_has_a_wildcard_or_reads_secrets_of_others(objects: list[Object]) -> None:
    rules = [rule for thing in objects if thing["kind"].endswith("Role") for rule in thing["rules"]]
    assert len(rules) > 10
    for rule in rules:
        words = {word for part in rule.values() for word in part}
        assert not words & {"*", "escalate", "bind", "impersonate", "deletecollection"}
        if "secrets" in words:
            [own] = rule["resourceNames"]
            assert own.endswith("-webhook")
            # Create it by server-side apply, for which the name counts; a POST is refused.
            assert set(rule["verbs"]) == {"get", "list", "watch", "create", "patch"}


def test_what_the_operator_may_write(objects: list[Object]) -> None:
    """The whole list: whatever joins it is a decision."""
    written = {
        (role["kind"], f"{group}/{resource}", verb)
        for role, rule in rules_of(objects, "-operator")
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in set(rule["verbs"]) - {"get", "list", "watch"}
    }
    ours, nads = "spiderpool.spidernet.io", "k8s.cni.cncf.io/network-attachment-definitions"
    assert written == {
        ("ClusterRole", f"{ours}/spidercoordinators", "patch"),
        ("ClusterRole", f"{ours}/spidercoordinators/status", "patch"),
        ("ClusterRole", f"{ours}/spidermultusconfigs", "patch"),
        ("ClusterRole", f"{ours}/spidermultusconfigs/status", "patch"),
        ("ClusterRole", nads, "create"),
        ("ClusterRole", nads, "patch"),
        ("ClusterRole", nads, "delete"),
        ("ClusterRole", "/events", "create"),
        ("Role", "/configmaps", "create"),
        ("Role", "/configmaps", "patch"),
        ("Role", "/services", "create"),
        ("Role", "coordination.k8s.io/leases", "create"),
        ("Role", "coordination.k8s.io/leases", "patch"),
    }


def test_config_maps_are_named_one_by_one(objects: list[Object]) -> None:
    for thing in objects:
        for rule in thing.get("rules", []):
            if "configmaps" in rule.get("resources", []):
                assert rule["resourceNames"]


def test_the_uninstall_account_knows_only_spidercoordinators(objects: list[Object]) -> None:
    [role] = [
        thing
        for thing in objects
        if thing["kind"] == "ClusterRole" and thing["metadata"]["name"].endswith("-uninstall")
    ]
    assert [rule["resources"] for rule in role["rules"]] == [["spidercoordinators"]]
