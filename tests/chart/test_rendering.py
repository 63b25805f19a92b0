"""What a value does to the objects that helm makes."""

from typing import Any

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

DIGEST = f"sha256:{'ab' * 32}"
SPEC_OF_THE_SEED = {
    "announce": True,
    "detectGateway": False,
    "detectIPConflict": False,
    "hijackCIDR": ["169.254.0.0/16"],
    "podRPFilter": 0,
    "hostRPFilter": 0,
    "hostRuleTable": 500,
    "mode": "auto",
    "podCIDRType": "auto",
    "podDefaultRouteNIC": "",
    "vethLinkAddress": "",
    "podMACPrefix": "",
    "tunePodRoutes": True,
    "txQueueLen": 0,
}


def containers(objects: list[Object]) -> dict[str, Object]:
    """The one container of each workload."""
    found = {}
    for kind, template in pod_templates(objects).items():
        [found[kind]] = template["spec"]["containers"]
    return found


def environment(objects: list[Object]) -> dict[str, Any]:
    return {
        entry["name"].removeprefix("SPIDERCOORDINATOR_"): entry.get("value")
        for entry in containers(objects)["Deployment"]["env"]
    }


def test_the_default_object(helm: Helm) -> None:
    coordinator = pick(helm.template(), "SpiderCoordinator")
    assert coordinator["metadata"]["name"] == "default"
    assert "finalizers" not in coordinator["metadata"]
    assert coordinator["spec"] == SPEC_OF_THE_SEED


@pytest.mark.parametrize(
    ("field", "value", "shown"),
    [
        ("vethLinkAddress", "169.254.100.1", "169.254.100.1"),
        ("vethLinkAddress", "fe80::1", "fe80::1"),
        ("vethLinkAddress", None, ""),
        ("vethMTU", 1450, 1450),
        ("vethMTU", 0, None),
        ("mode", "disabled", "disabled"),
        ("podCIDRType", "none", "none"),
        ("podCIDR", ["10.1.0.0/16"], ["10.1.0.0/16"]),
        ("podCIDR", [], None),
        ("serviceCIDR", ["10.2.0.0/16"], ["10.2.0.0/16"]),
        ("hijackCIDR", [], None),
        ("policyRoutes", [{"dst": "::/0", "gw": "fd00::1"}], [{"dst": "::/0", "gw": "fd00::1"}]),
        ("podMACPrefix", "0a:1b", "0a:1b"),
        ("podDefaultRouteNIC", "net1", "net1"),
        ("tunePodRoutes", False, False),
        ("hostRuleTable", 4294967295, 4294967295),
        ("podRPFilter", -1, -1),
        ("hostRPFilter", 2, 2),
        ("txQueueLen", 1000000, 1000000),
        ("detectGateway", True, True),
        ("detectIPConflict", True, True),
        ("announce", False, False),
    ],
)
def test_coordinator_field(helm: Helm, field: str, value: object, shown: object) -> None:
    coordinator = pick(helm.template(nested(f"coordinator.{field}", value)), "SpiderCoordinator")
    assert coordinator["spec"].get(field) == shown


@pytest.mark.parametrize(
    ("values", "image"),
    [
        ({}, "ghcr.io/spidercoordinator/operator:0.1.0"),
        ({"tag": "2"}, "ghcr.io/spidercoordinator/operator:2"),
        ({"tag": "2", "digest": DIGEST}, f"ghcr.io/spidercoordinator/operator@{DIGEST}"),
        ({"registry": "r.example:5000/x/"}, "r.example:5000/x/spidercoordinator/operator:0.1.0"),
        ({"registry": ""}, "spidercoordinator/operator:0.1.0"),
        ({"repository": "mine/op"}, "ghcr.io/mine/op:0.1.0"),
    ],
)
def test_image(helm: Helm, values: Object, image: str) -> None:
    found = containers(helm.template(nested("operator.image", values)))
    assert found["Deployment"]["image"] == found["Job"]["image"] == image


def test_one_registry_for_all_images(helm: Helm) -> None:
    objects = helm.template(nested("global.imageRegistryOverride", "localhost"))
    assert {kind: found["image"] for kind, found in containers(objects).items()} == {
        "Deployment": "localhost/spidercoordinator/operator:0.1.0",
        "Job": "localhost/spidercoordinator/operator:0.1.0",
        "DaemonSet": "localhost/spidercoordinator/cni:0.1.0",
    }


def test_pull_secrets_as_names_and_objects(helm: Helm) -> None:
    values = merged(
        nested("global.imagePullSecrets", ["all", {"name": "both"}]),
        nested("operator.image.imagePullSecrets", ["mine", "both"]),
    )
    pods = pod_templates(helm.template(values))
    names = {kind: pods[kind]["spec"]["imagePullSecrets"] for kind in pods}
    assert names["DaemonSet"] == [{"name": "all"}, {"name": "both"}]
    assert names["Deployment"] == [{"name": "all"}, {"name": "both"}, {"name": "mine"}]
    assert names["Job"] == names["Deployment"]


def test_environment_of_the_operator(helm: Helm) -> None:
    assert environment(helm.template()) == {
        "NAME": "default",
        "DEFAULT_IPAM": "{}",
        "NAMESPACE": None,
        "LEASE": "test-spidercoordinator-operator",
        "POD_NAME": None,
        "POD_UID": None,
        "HTTP_PORT": "8080",
        "LOG_LEVEL": "info",
        "LOG_FORMAT": "json",
        "CILIUM_CONFIGMAP": "kube-system/cilium-config",
        "AGENT_NAMESPACES": "kube-system,calico-system,cilium",
        "NODE_DEFAULTS_CONFIGMAP": "test-spidercoordinator-node-defaults",
        "WEBHOOK_CONFIGURATION": "test-spidercoordinator-webhook",
        "WEBHOOK_PORT": "9443",
        "INSTALLER_PODS": ",".join(
            f"app.kubernetes.io/{key}"
            for key in ("component=installer", "instance=test", "name=spidercoordinator")
        ),
    }


def test_the_lease_is_the_one_the_operator_may_write(helm: Helm) -> None:
    objects = helm.template()
    lease = pick(objects, "Lease")
    assert "spec" not in lease
    rules = [
        (rule["verbs"], rule.get("resourceNames"), role["metadata"]["namespace"])
        for role, rule in rules_of(objects, "-operator")
        if rule["resources"] == ["leases"]
    ]
    name, namespace = lease["metadata"]["name"], lease["metadata"]["namespace"]
    assert environment(objects)["LEASE"] == name
    assert rules == [
        (["create"], None, namespace),
        (["get", "list", "watch", "patch"], [name], namespace),
    ]


def test_default_ipam_is_passed_on_whole(helm: Helm) -> None:
    ipam = {"type": "host-local", "subnet": "10.0.0.0/24", "routes": [{"dst": "0.0.0.0/0"}]}
    passed = environment(helm.template({"defaultIPAM": ipam}))["DEFAULT_IPAM"]
    assert passed == ('{"routes":[{"dst":"0.0.0.0/0"}],"subnet":"10.0.0.0/24","type":"host-local"}')


def test_the_node_mounts_what_the_operator_writes(helm: Helm) -> None:
    objects = helm.template()
    name = environment(objects)["NODE_DEFAULTS_CONFIGMAP"]
    volumes = pod_templates(objects)["DaemonSet"]["spec"]["volumes"]
    assert {"name": "node-defaults", "configMap": {"name": name, "optional": True}} in volumes
    assert "data" not in pick(objects, "ConfigMap", name)


@pytest.mark.parametrize("replaces", [False, True])
def test_an_uninstall_tells_the_installers_that_put_a_plugin_aside(
    helm: Helm, replaces: bool
) -> None:
    objects = helm.template(nested("installer.replaceForeign", replaces))
    [job] = pick(objects, "Job")["spec"]["template"]["spec"]["containers"]
    labels = pod_templates(objects)["DaemonSet"]["metadata"]["labels"]
    [selector] = [arg for arg in job["args"] if "selector" in arg] or [""]
    terms = selector.removeprefix("--installer-selector=").split(",")
    found = dict(term.split("=") for term in terms if term)
    assert found.items() <= labels.items()
    assert bool(found) is replaces
    rights = [
        rule["verbs"]
        for each in objects
        if each["kind"] == "Role" and "uninstall" in each["metadata"]["name"]
        for rule in each["rules"]
    ]
    assert rights == ([["list", "patch"]] if replaces else [])
    volumes = pod_templates(objects)["DaemonSet"]["spec"]["volumes"]
    assert any("downwardAPI" in volume for volume in volumes) is replaces


def test_the_installer_is_ready_once_the_plugin_is_there(helm: Helm) -> None:
    pod = pod_templates(helm.template(nested("installer.replaceForeign", True)))["DaemonSet"][
        "spec"
    ]
    [first], [resident] = pod["initContainers"], pod["containers"]
    own = {"--restore-rules", "--report-interval=1m", "--report-interfaces"}
    common = [flag for flag in resident["args"] if flag not in own]
    telling = "--interfaces-target=/dev/termination-log"
    assert [each for each in first["args"] if each != telling] == [*common, "--once"]
    mark = "--uninstall-mark=/etc/spidercoordinator/pod/uninstall"
    assert {"--replace-foreign", mark} <= set(resident["args"])
    same = first.keys() - {"name", "args", "securityContext"}
    assert {key: first[key] for key in same} == {key: resident[key] for key in same}


@pytest.mark.parametrize("ifacer", [True, False])
def test_the_installer_is_ready_while_the_plugins_are_those_of_the_image(
    helm: Helm, ifacer: bool
) -> None:
    pod = pod_templates(helm.template(nested("installer.ifacer", ifacer)))["DaemonSet"]["spec"]
    [resident] = pod["containers"]
    probe = resident["readinessProbe"]["exec"]["command"]
    assert probe[:2] == ["/coordinator-install", "ready"]
    assert set(probe[2:]) <= set(resident["args"])
    sources = [flag for flag in probe if flag.startswith("--source=")]
    assert sources == ["--source=/coordinator", *(["--source=/ifacer"] if ifacer else [])]
    assert sources == [flag for flag in resident["args"] if flag.startswith("--source=")]


@pytest.mark.parametrize(
    ("release", "values", "name"),
    [
        ("spidercoordinator", {}, "spidercoordinator-operator"),
        ("my", {}, "my-spidercoordinator-operator"),
        ("my", {"nameOverride": "veth"}, "my-veth-operator"),
        ("my", {"fullnameOverride": "veth"}, "veth-operator"),
        ("a" * 53, {}, "a" * 40 + "-operator"),
    ],
)
def test_names_follow_the_release(helm: Helm, release: str, values: Object, name: str) -> None:
    found = pick(helm.template(values, release=release), "Deployment")
    assert found["metadata"]["name"] == name


def test_no_two_objects_are_the_same(helm: Helm) -> None:
    objects = helm.template(EVERYTHING)
    keys = [
        (thing["kind"], thing["metadata"].get("namespace"), thing["metadata"]["name"])
        for thing in objects
    ]
    assert len(set(keys)) == len(keys) > 20


def test_two_releases_share_no_name(helm: Helm) -> None:
    one, two = (
        {
            (thing["kind"], thing["metadata"]["name"])
            for thing in helm.template(EVERYTHING, release=release)
        }
        for release in ("one", "two")
    )
    assert one & two == {("SpiderCoordinator", "default")}


def test_uninstall_runs_as_a_hook_that_leaves_nothing(helm: Helm) -> None:
    hooks = {
        thing["kind"]: thing
        for thing in helm.template()
        if thing["metadata"].get("annotations", {}).get("helm.sh/hook", "test") != "test"
    }
    assert set(hooks) == {"ServiceAccount", "ClusterRole", "ClusterRoleBinding", "Job"}
    for thing in hooks.values():
        annotations = thing["metadata"]["annotations"]
        assert annotations["helm.sh/hook"] == "pre-delete"
        policies = set(annotations["helm.sh/hook-delete-policy"].split(","))
        assert policies == {"before-hook-creation", "hook-succeeded", "hook-failed"}
        weight = int(annotations["helm.sh/hook-weight"])
        assert (weight == 0) is (thing["kind"] == "Job")
    job = hooks["Job"]["spec"]
    pod = job["template"]["spec"]
    assert pod["containers"][0]["args"] == ["uninstall", "--timeout=12"]
    assert pod["tolerations"] == [{"operator": "Exists"}]
    # Pods are ended after the deadline, and helm sees the failure when they are gone.
    assert job["activeDeadlineSeconds"] + pod["terminationGracePeriodSeconds"] <= 25
    assert job["backoffLimit"] == 0


def test_the_job_of_the_longest_name_can_have_pods(helm: Helm) -> None:
    for name in ("n" * 53, "x"):
        objects = helm.template(nested("fullnameOverride", name * 40), release=name)
        assert len(pick(objects, "Job")["metadata"]["name"]) <= 63


SIDECARS = {
    "Istio's sidecar by label": ("labels", "sidecar.istio.io/inject", "false"),
    "Istio's sidecar by annotation": ("annotations", "sidecar.istio.io/inject", "false"),
    "Istio's ambient": ("labels", "istio.io/dataplane-mode", "none"),
    "Linkerd": ("annotations", "linkerd.io/inject", "disabled"),
    "Kuma by label": ("labels", "kuma.io/sidecar-injection", "disabled"),
    "Kuma by annotation": ("annotations", "kuma.io/sidecar-injection", "disabled"),
    "Consul": ("annotations", "consul.hashicorp.com/connect-inject", "false"),
    "Open Service Mesh": ("annotations", "openservicemesh.io/sidecar-injection", "disabled"),
}


@pytest.mark.parametrize(("place", "key", "value"), SIDECARS.values(), ids=SIDECARS)
def test_no_pod_gets_a_sidecar(helm: Helm, place: str, key: str, value: str) -> None:
    templates = pod_templates(helm.template(EVERYTHING))
    assert set(templates) == {"Deployment", "DaemonSet", "Job"}
    for template in templates.values():
        assert template["metadata"][place][key] == value


def test_the_users_own_word_on_sidecars_counts(helm: Helm) -> None:
    values = nested("operator.podLabels", {"sidecar.istio.io/inject": "true"})
    templates = pod_templates(helm.template(values))
    assert templates["Deployment"]["metadata"]["labels"]["sidecar.istio.io/inject"] == "true"
    assert templates["Job"]["metadata"]["labels"]["sidecar.istio.io/inject"] == "false"


def test_spread_constraints_mean_the_operator(helm: Helm) -> None:
    constraint = {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway"}
    objects = helm.template(nested("operator.topologySpreadConstraints", [constraint]))
    template = pod_templates(objects)["Deployment"]
    [found] = template["spec"]["topologySpreadConstraints"]
    assert found["labelSelector"]["matchLabels"].items() <= template["metadata"]["labels"].items()


def test_extra_objects_are_templates(helm: Helm) -> None:
    text = "apiVersion: v1\nkind: Secret\nmetadata: {name: '{{ .Release.Name }}-text'}"
    tree = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "{{ .Release.Name }}-tree"},
    }
    objects = helm.template({"extraObjects": [text, tree]})
    assert pick(objects, "Secret", "-text")["metadata"]["name"] == "test-text"
    assert pick(objects, "Secret", "-tree")["metadata"]["name"] == "test-tree"


def test_namespace_override_moves_every_object(helm: Helm) -> None:
    values = merged(EVERYTHING, nested("namespaceOverride", "elsewhere"))
    objects = helm.template(values)
    places = {thing["metadata"].get("namespace") for thing in objects}
    assert places == {"elsewhere", "kube-system", "cilium", None}
    subjects = {subject["namespace"] for thing in objects for subject in thing.get("subjects", ())}
    assert subjects == {"elsewhere"}
    services = {
        webhook["clientConfig"]["service"]["namespace"]
        for thing in objects
        for webhook in thing.get("webhooks", ())
    }
    assert services == {"elsewhere"}


@pytest.mark.parametrize(
    ("values", "strategy"),
    [
        ({}, {"maxSurge": "25%", "maxUnavailable": "25%"}),
        # Two pods cannot have one port of a node.
        ({"hostNetwork": True}, {"maxSurge": 0, "maxUnavailable": 1}),
    ],
)
def test_an_upgrade_can_end_on_one_node(helm: Helm, values: Object, strategy: Object) -> None:
    deployment = pick(helm.template(nested("operator", values)), "Deployment")
    assert deployment["spec"]["strategy"] == {"type": "RollingUpdate", "rollingUpdate": strategy}


def test_the_uninstall_reaches_the_api_server_as_the_operator_does(helm: Helm) -> None:
    given = {
        "dnsPolicy": "None",
        "dnsConfig": {"nameservers": ["192.0.2.1"]},
        "hostAliases": [{"ip": "192.0.2.2", "hostnames": ["kubernetes"]}],
    }
    pods = pod_templates(helm.template(nested("operator", given)))
    for kind in ("Deployment", "Job"):
        assert {key: pods[kind]["spec"][key] for key in given} == given


def test_volumes_of_the_installer_are_there_for_both_containers(helm: Helm) -> None:
    volume = {"name": "more", "hostPath": {"path": "/more"}}
    mount = {"name": "more", "mountPath": "/more"}
    given = {"extraVolumes": [volume], "extraVolumeMounts": [mount]}
    pod = pod_templates(helm.template(nested("installer", given)))["DaemonSet"]["spec"]
    assert volume in pod["volumes"]
    for container in (*pod["initContainers"], *pod["containers"]):
        assert mount in container["volumeMounts"]


def test_families_of_every_service(helm: Helm) -> None:
    given = {"ipFamilyPolicy": "PreferDualStack", "ipFamilies": ["IPv6", "IPv4"]}
    objects = helm.template(nested("services", given))
    services = [thing["spec"] for thing in objects if thing["kind"] == "Service"]
    assert [{key: spec[key] for key in given} for spec in services] == [given, given]
