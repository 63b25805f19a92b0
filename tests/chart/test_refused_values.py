"""Values that cannot work are refused with one message: which value, what it is, what may be."""

import ipaddress
import random

import pytest

from spidercoordinator.api.scalars import is_assignable
from tests.chart.helm import Helm, merged, nested, pick

REFUSED = [
    ("coordinator.mode", "bridge", "auto, underlay, overlay, disabled, disable"),
    ("coordinator.podCIDRType", "flannel", "auto, cluster, calico, cilium, none"),
    ("coordinator.vethLinkAddress", "169.254.100.300", "one IPv4 or IPv6 address"),
    ("coordinator.vethLinkAddress", "169.254.100.1/32", "without prefix length"),
    ("coordinator.vethLinkAddress", "istio", "such as 169.254.100.1"),
    ("coordinator.vethLinkAddress", 169, '"" for none'),
    ("coordinator.vethLinkAddress", True, '"" for none'),
    ("coordinator.vethLinkAddress", "0.0.0.0", "not an unspecified"),
    ("coordinator.vethLinkAddress", "127.0.0.1", "loopback"),
    ("coordinator.vethLinkAddress", "None", '"" for none'),
    ("coordinator.vethMTU", 67, "68 to 65535"),
    ("coordinator.hostRuleTable", 254, "253, 254 and 255"),
    ("coordinator.podMACPrefix", "01:02", "the first one even"),
    ("coordinator.podMACPrefix", "0a:1b:2c", "two hex octets"),
    ("coordinator.podDefaultRouteNIC", "a-name-that-is-too-long", "at most 15 characters"),
    ("coordinator.podDefaultRouteNIC", "net/1", "no blank"),
    ("coordinator.podDefaultRouteNIC", "veth0", "such as net1"),
    ("coordinator.podDefaultRouteNIC", "lo", "such as net1"),
    ("coordinator.hijackCIDR", ["169.254.0.0/33"], "an IP address or a CIDR"),
    ("coordinator.hijackCIDR", ["10.0.0.1", "10.0.0.1"], "twice"),
    ("coordinator.podCIDR", ["10.0.0.0/8/8"], "an IP address or a CIDR"),
    ("coordinator.serviceCIDR", ["any"], "an IP address or a CIDR"),
    ("coordinator.policyRoutes", [{"dst": "x", "gw": "10.0.0.1"}], "an IP address or a CIDR"),
    ("coordinator.policyRoutes", [{"dst": "10.0.0.0/8", "gw": "10.0.0.0/8"}], "an IP address"),
    ("coordinator.policyRoutes", [{"dst": "10.0.0.0/8", "gw": "fd00::1"}], "both must be IPv4"),
    ("coordinator.name", "De_fault", "lower-case letters"),
    ("defaultIPAM.type", "", "the name of a CNI IPAM plugin"),
    ("global.ciliumConfigMap", "cilium-config", "namespace/name"),
    ("global.ciliumConfigMap", "Kube/c_onfig", "namespace/name"),
    ("global.agentNamespaces", [], "names of namespaces"),
    ("global.agentNamespaces", ["a/b"], "names of namespaces"),
    ("global.cniBinHostPath", "opt/cni/bin", "an absolute path"),
    ("global.cniBinHostPath", "/", "an absolute path"),
    ("global.cniBinHostPath", "/opt/../bin", 'without ".."'),
    ("global.cniBinHostPath", "/opt:/bin", 'and ":"'),
]


def shown(value: object) -> str:
    """The part of a refused value that its message must hold."""
    while isinstance(value, list | dict):
        value = next(iter(value.values() if isinstance(value, dict) else value), "[]")
    return str(value).lower() if isinstance(value, bool) else str(value)


@pytest.mark.parametrize(("path", "value", "allowed"), REFUSED)
def test_message_names_value_and_what_is_allowed(
    helm: Helm, path: str, value: object, allowed: str
) -> None:
    message = helm.refusal(nested(path, value))
    assert "Nothing was installed or changed" in message
    [line] = [line for line in message.splitlines() if line.startswith(f"  - {path}")]
    assert shown(value) in line
    assert allowed in line


def test_all_problems_are_told_at_once(helm: Helm) -> None:
    values = [nested(path, value) for path, value, _ in REFUSED[:3]]
    message = helm.refusal(merged(*values))
    assert [path for path, _, _ in REFUSED[:3] if f"  - {path} is " in message] == [
        "coordinator.mode",
        "coordinator.podCIDRType",
        "coordinator.vethLinkAddress",
    ]


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        ("coordinator.vethlinkaddress", "169.254.100.1", "'vethlinkaddress' not allowed"),
        ("coordinater.mode", "auto", "'coordinater' not allowed"),
        ("operator.image.tagg", "1", "'tagg' not allowed"),
        ("operator.replicas", "two", "at '/operator/replicas': got string, want integer"),
        ("coordinator.hijackCIDR", "10.0.0.0/8", "got string, want array"),
        ("coordinator.policyRoutes", [{"dst": "10.0.0.0/8"}], "missing property 'gw'"),
        ("coordinator.tunePodRoutes", "yes", "got string, want boolean"),
        (
            "operator.log.level",
            "loud",
            "'loud' does not match pattern '^(debug|info|warning|error)$'",
        ),
    ],
)
def test_schema_refuses_wrong_names_and_types(
    helm: Helm, path: str, value: object, told: str
) -> None:
    assert told in helm.refusal(nested(path, value))


def test_values_of_a_disabled_coordinator_do_not_matter(helm: Helm) -> None:
    objects = helm.template(nested("coordinator", {"enabled": False, "vethLinkAddress": "x"}))
    assert "SpiderCoordinator" not in {thing["kind"] for thing in objects}


NO_ADDRESSES = [
    "1.2.3",
    "1.2.3.4.5",
    "1.2.3.256",
    "01.2.3.4",
    "1.2.3.4 ",
    "1,2.3.4",
    ":",
    ":::",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "1:2:3:4:5:6:7::8",
    "1::2::3",
    "12345::",
    "fe80::1%eth0",
    "fe80::g",
    "[::1]",
    "::ffff:1.2.3.4",
    "::ffff:102:304",
    "0:0:0:0:0:ffff:1.2.3.4",
    "64:ff9b::1.2.3.256",
    "1:2:3:4:5:6:7:1.2.3.4",
    "1.2.3.4::",
    "10.0.0.0/",
    "10.0.0.0/33",
    "10.0.0.0/08",
    "10.0.0.0/-1",
    "fd00::/129",
    "/8",
]


def addresses(seed: int, count: int) -> list[str]:
    """IPv6 addresses of every shape: groups of zeros at random places, written short and long."""
    dice = random.Random(seed)  # noqa: S311 - examples, not secrets
    texts = []
    for _ in range(count):
        groups = [dice.choice((0, 0, dice.getrandbits(4), dice.getrandbits(16))) for _ in range(8)]
        address = ipaddress.IPv6Address(sum(g << (16 * i) for i, g in enumerate(groups)))
        if address.ipv4_mapped is None:
            texts += [str(address), address.exploded.upper()]
        texts += [
            str(ipaddress.IPv4Address(dice.getrandbits(32))),
            f"{address}/{dice.randint(0, 128)}",
        ]
    return sorted(set(texts))


def test_every_address_is_taken(helm: Helm) -> None:
    given = [*addresses(seed=3, count=300), "64:ff9b::1.2.3.4", "1:2:3:4:5:6:1.2.3.4", "::1"]
    objects = helm.template(nested("coordinator.hijackCIDR", given))
    coordinator = pick(objects, "SpiderCoordinator")
    assert coordinator["spec"]["hijackCIDR"] == given


def test_every_other_text_is_refused(helm: Helm) -> None:
    message = helm.refusal(nested("coordinator.hijackCIDR", NO_ADDRESSES))
    kept = [
        text for i, text in enumerate(NO_ADDRESSES) if f'hijackCIDR[{i}] is "{text}"' not in message
    ]
    assert kept == []


UNASSIGNABLE = [
    *("0.0.0.0", "0.1.2.3", "127.0.0.1", "127.9.9.9", "224.0.0.1", "239.1.2.3", "255.255.255.255"),
    *("::", "::1", "0:0:0:0:0:0:0:0", "0:0:0:0:0:0:0:1", "0000:0::0001", "::0.0.0.0", "::0.0.0.1"),
    *("ff02::1", "FF00::", "ffff:1:2:3:4:5:6:7"),
]


def routes(gateways: list[str]) -> list[dict[str, str]]:
    return [{"dst": "::/0" if ":" in each else "0.0.0.0/0", "gw": each} for each in gateways]


def test_every_address_that_an_interface_can_have_is_taken(helm: Helm) -> None:
    given = [each for each in addresses(seed=4, count=300) if "/" not in each]
    good = [each for each in given if is_assignable(ipaddress.ip_address(each))]
    good += [
        "::2",
        "::10",
        "::0.0.0.2",
        "1::",
        "10::1",
        "1.0.0.0",
        "128.0.0.1",
        "240.0.0.1",
        "ff::1",
    ]
    objects = helm.template(nested("coordinator.policyRoutes", routes(good)))
    taken = pick(objects, "SpiderCoordinator")["spec"]["policyRoutes"]
    assert [each["gw"] for each in taken] == good


def test_every_address_that_an_interface_cannot_have_is_refused(helm: Helm) -> None:
    message = helm.refusal(nested("coordinator.policyRoutes", routes(UNASSIGNABLE)))
    kept = [each for each in UNASSIGNABLE if f'gw is "{each}"' not in message]
    assert kept == []


@pytest.mark.parametrize("field", ["vethLinkAddress", "podMACPrefix", "podDefaultRouteNIC"])
def test_none_switches_a_text_off(helm: Helm, field: str) -> None:
    objects = helm.template(nested(f"coordinator.{field}", "none"))
    assert pick(objects, "SpiderCoordinator")["spec"][field] == "none"
