"""What `spidercoordinator check` prints of files, and that it prints nothing of good ones."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from spidercoordinator.cli.exits import Exit
from spidercoordinator.cli.main import main

ROOT = Path(__file__).parents[3]
API = "spiderpool.spidernet.io/v2beta1"
MACVLAN: dict[str, Any] = {"cniType": "macvlan", "macvlan": {"master": ["eth0"]}}


def network(name: str = "a", spec: Any = MACVLAN, **meta: Any) -> dict[str, Any]:
    meta = {"name": name, **meta}
    return {"apiVersion": API, "kind": "SpiderMultusConfig", "metadata": meta, "spec": spec}


def coordinator(**spec: Any) -> dict[str, Any]:
    meta = {"name": "default"}
    return {"apiVersion": API, "kind": "SpiderCoordinator", "metadata": meta, "spec": spec}


def check(tmp_path: Path, capsys: pytest.CaptureFixture[str], *objects: Any) -> tuple[int, str]:
    """The exit status, and the messages, without the file's name."""
    path = tmp_path / "objects.yaml"
    path.write_text(yaml.safe_dump_all(objects))
    status = main(["check", "-f", str(path)])
    return status, capsys.readouterr().err.replace(f"{path}: ", "")


def test_good_objects_are_counted_and_others_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {}, "spec": {"vethLinkAddress": 1}}
    path = tmp_path / "objects.yaml"
    path.write_text(yaml.safe_dump_all([network(), None, pod, coordinator(hostRuleTable=7)]))
    assert main(["check", "-f", str(path)]) == 0
    message = capsys.readouterr()
    assert message.out == "check: 2 SpiderCoordinators and SpiderMultusConfigs would be taken\n"
    assert message.err == ""


BAD: dict[str, tuple[Any, str]] = {
    "a field that is misspelt": (
        coordinator(vethLinkAdress="169.254.100.1"),
        (
            "SpiderCoordinator default: error: spec.vethLinkAdress: there is no such field; did you"
            " mean vethLinkAddress?"
        ),
    ),
    "a field that is nowhere": (
        network(spec={**MACVLAN, "macvlan": {"master": ["eth0"], "zzz": 1}}),
        (
            "SpiderMultusConfig default/a: error: spec.macvlan.zzz: there is no such field; allowed"
            " are bond, ippools, linkInContainer, master, mode, mtu, rdmaResourceName, vlanID"
        ),
    ),
    "a field of a document of Spiderpool's": (
        coordinator(enableVethLinkLocalAddress=False),
        "spec.enableVethLinkLocalAddress: there is no such field; write vethLinkAddress: 169.254.",
    ),
    "a field that is one level too high": (
        network(
            spec={
                "cniType": "sriov",
                "sriov": {"resourceName": "a.io/b", "matchMasterSubnet": True},
            }
        ),
        "spec.sriov.matchMasterSubnet: there is no such field; it is a field of ippools: ippools.m",
    ),
    "a field of an item": (
        coordinator(policyRoutes=[{"dst": "10.0.0.0/8", "gw": "10.1.1.1", "via": 1}]),
        "spec.policyRoutes[0].via: there is no such field",
    ),
    "a value out of range": (coordinator(hostRuleTable=255), "error: spec.hostRuleTable: "),
    "JSON that is none": (
        network(spec={"cniType": "custom", "customCNI": "{"}),
        "error: spec.customCNI: it is not JSON",
    ),
    "a spec that is no object": (network(spec=[1]), "SpiderMultusConfig default/a: error: spec"),
    "annotations that are none": (network(annotations="x"), "error: metadata.annotations: "),
    "a version of another day": (
        network() | {"apiVersion": "spiderpool.spidernet.io/v2"},
        (
            'SpiderMultusConfig: error: apiVersion: "spiderpool.spidernet.io/v2" is not served;'
            " allowed is spiderpool.spidernet.io/v2beta1"
        ),
    ),
    "a kind of the peer": (
        network() | {"kind": "SpiderIPPool"},
        'SpiderIPPool: error: kind: "SpiderIPPool" is not of this product',
    ),
    "no metadata": (network() | {"metadata": None}, "error: metadata: it is missing"),
    "no name": (network(name=""), "error: metadata.name: '' is no name"),
    "a name of capitals": (network(name="Net"), "error: metadata.name: 'Net' is no name"),
    "a namespace that is none": (network(namespace="a_b"), "metadata.namespace: 'a_b' is no name"),
    "a namespace with dots": (
        network(namespace="a.b"),
        "metadata.namespace: 'a.b' is no namespace",
    ),
    "a namespace that is too long": (
        network(namespace="a" * 64),
        "is no namespace; allowed are up to 63",
    ),
    "a generated name": (
        network() | {"metadata": {"generateName": "a-"}},
        "metadata.name: it is missing; generateName does not stand for it",
    ),
    "no object": ([1, 2], "error: it is no Kubernetes object: it has no kind"),
    "no apiVersion": (
        {"kind": "SpiderMultusConfig", "metadata": {"name": "a"}},
        "error: it is no Kubernetes object: SpiderMultusConfig without an apiVersion",
    ),
    "an apiVersion that is a number": (
        network() | {"apiVersion": 5},
        "error: it is no Kubernetes object: SpiderMultusConfig without an apiVersion",
    ),
    "a group that is misspelt": (
        network() | {"apiVersion": "spiderpool.spidernet.i/v2beta1"},
        'apiVersion: "spiderpool.spidernet.i/v2beta1" is not served; allowed is spiderpool.',
    ),
    "a list that is none": (
        {"apiVersion": "v1", "kind": "List", "items": "a"},
        "error: items of a List must be a list",
    ),
    "an error in a list of lists": (
        {
            "apiVersion": "v1",
            "kind": "List",
            "items": [
                {"apiVersion": "v1", "kind": "List", "items": [coordinator(hostRuleTable=0)]}
            ],
        },
        "SpiderCoordinator default: error: spec.hostRuleTable",
    ),
    "an error in a list of one kind": (
        {
            "apiVersion": API,
            "kind": "SpiderCoordinatorList",
            "items": [{"metadata": {"name": "default"}, "spec": {"hostRuleTable": 0}}],
        },
        "SpiderCoordinator default: error: spec.hostRuleTable",
    ),
    "a status that is a text": (coordinator() | {"status": "a"}, "error: status: must be an obj"),
}


@pytest.mark.parametrize("case", BAD)
def test_each_error_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str], case: str) -> None:
    obj, message = BAD[case]
    status, text = check(tmp_path, capsys, obj)
    assert status == 1
    assert message in text


def test_a_warning_is_no_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    obj = network(spec={**MACVLAN, "ipam": {"type": "mine", "any": ["thing"]}})
    status, text = check(tmp_path, capsys, obj)
    assert status == 0
    assert text.startswith('SpiderMultusConfig default/a: warning: spec.ipam.type: "mine" is no')


def test_what_a_network_inherits_is_warned_of(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ipvlan = network(spec={"cniType": "ipvlan", "ipvlan": {"master": ["eth0"]}})
    given = coordinator(podMACPrefix="0a:1b", serviceCIDR=["10.96.0.0/12"])
    status, text = check(tmp_path, capsys, given, ipvlan)
    assert status == 0
    assert "default/a: warning: spec.coordinator.podMACPrefix: 0a:1b of SpiderCoordinator" in text
    given["spec"]["vethLinkAddress"] = "10.96.0.1"
    assert "the service CIDR 10.96.0.0/12" in check(tmp_path, capsys, given)[1]
    broken = coordinator(hostRuleTable=0)
    assert check(tmp_path, capsys, broken, ipvlan)[1].count("\n") == 1


def test_two_that_give_one_address(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ipam = {"type": "host-local", "subnet": "10.6.0.0/24"}
    one, two = (network(name, {**MACVLAN, "ipam": ipam}) for name in ("one", "two"))
    status, text = check(tmp_path, capsys, one, two, network("bad", spec=[]), network("c"))
    for own, other in (("one", "two"), ("two", "one")):
        named = f"default/{own}: warning: spec.ipam: 10.6.0.1 to 10.6.0.255 overlaps"
        [line] = [each for each in text.splitlines() if named in each]
        assert f"SpiderMultusConfig default/{other} on the same link" in line
    assert status == 1  # that of the one without a spec


def test_two_that_claim_one_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    claim = {"annotations": {"multus.spidernet.io/cr-name": "b"}, "creationTimestamp": None}
    elsewhere = network("c", namespace="other", **claim)
    status, text = check(tmp_path, capsys, network("b"), network("c", **claim), elsewhere)
    assert status == 1
    assert text.count("\n") == 1
    assert "SpiderMultusConfig default/c: error: metadata.name: " in text
    assert "NetworkAttachmentDefinition default/b is also claimed by SpiderMultusConfig b" in text


def test_one_that_is_there_twice(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, text = check(tmp_path, capsys, network(), network(namespace="default"))
    assert status == 1
    assert text.count("SpiderMultusConfig default/a: error: metadata.name: it is there more") == 2


def test_lists_are_taken_apart(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    objects = {"apiVersion": "v1", "kind": "List", "items": [network(), network("B")]}
    status, text = check(tmp_path, capsys, objects)
    assert (status, text.count("\n")) == (1, 1)


def test_an_empty_list_among_others_is_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    empty = {"apiVersion": API, "kind": "SpiderMultusConfigList", "items": None}
    assert check(tmp_path, capsys, empty, network()) == (0, "")


def test_a_spidercoordinator_is_of_no_namespace(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = coordinator()
    given["metadata"]["namespace"] = "blue"
    status, text = check(tmp_path, capsys, given, coordinator())
    assert status == 1
    assert text.count("SpiderCoordinator default: error: metadata.name: it is there more") == 2


def test_json_of_other_programs_is_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "smc.json"
    path.write_text(json.dumps(network(annotations={"note": "\N{GRINNING FACE}"})))
    assert main(["check", "-f", str(path)]) == 0, capsys.readouterr().err


def test_yaml_is_read_as_kubectl_reads_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "scc.yaml"
    path.write_text(
        f"apiVersion: {API}\nkind: SpiderCoordinator\n"
        "metadata: {name: default, creationTimestamp: 2026-01-02T03:04:05Z}\n"
        "spec: {podMACPrefix: 12:34, hostRuleTable: 0x1f4}\n"
    )
    assert main(["check", "-f", str(path)]) == 0, capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"{a: [}", "it is no YAML: line 1, column 6: while parsing a flow node, expected"),
        (b"a:\n\tb: 1", "it is no YAML: line 2, column 1: "),
        (b"{a: {b: 1, c: 2, b: 3}}", "it is no YAML: line 1, column 18: the key b is there twice"),
        (b"a: &x [1, *x]", "it is no YAML: line 1, column 11: the value of anchor &x contains its"),
        (b"a: !!int x", "it is no YAML: "),
        (b"\xff\xfe\xfd", "it cannot be read: "),
    ],
)
def test_a_file_that_is_no_manifest(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: bytes, message: str
) -> None:
    path = tmp_path / "bad.yaml"
    path.write_bytes(text)
    assert main(["check", "-f", str(tmp_path)]) == Exit.USAGE
    assert f"spidercoordinator: {path}: {message}" in capsys.readouterr().err


def test_a_file_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "-f", "nowhere.yaml"]) == Exit.USAGE
    message = "spidercoordinator: nowhere.yaml: it cannot be read: No such file or directory\n"
    assert capsys.readouterr().err == message
