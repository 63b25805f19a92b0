"""The settings of the CNI plugins in a user's JSON texts, looked at as the plugin will.

Plugins decode their configuration with Go's encoding/json: a key in any case of letters, null as
absent, and a value of another kind fails every pod. So do values that the plugin refuses.

Sources: plugins/main and plugins/meta of containernetworking/plugins v1.9, libcni and pkg/types of
containernetworking/cni v1.3 for what all have in common. Other plugins are not judged.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

_TEXT, _NUMBER, _BOOLEAN, _LIST, _OBJECT = (
    "a text",
    "a whole number",
    "true or false",
    "a list",
    "an object",
)
_TEXTS, _SWITCHES = "an object of texts", "an object whose values are true or false"
_KIND_OF: Final = {str: _TEXT, bool: _BOOLEAN, int: _NUMBER, list: _LIST, dict: _OBJECT}
_VALUES_OF: Final[Mapping[str, type]] = {_TEXTS: str, _SWITCHES: bool}

_COMMON: Final = {
    "capabilities": _SWITCHES,
    "ipam": _OBJECT,
    "dns": _OBJECT,
}
_ON_MASTER: Final = {
    **dict.fromkeys(("master", "mode"), _TEXT),
    "mtu": _NUMBER,
    "linkInContainer": _BOOLEAN,
}
_RATES: Final = ("ingressRate", "ingressBurst", "egressRate", "egressBurst")
_KEYS: Final[Mapping[str, Mapping[str, str]]] = {
    "macvlan": {**_ON_MASTER, "mac": _TEXT, "bcqueuelen": _NUMBER},
    "ipvlan": _ON_MASTER,
    "vlan": {**_ON_MASTER, "vlanId": _NUMBER},
    "bridge": {
        "bridge": _TEXT,
        **dict.fromkeys(("mtu", "vlan"), _NUMBER),
        "vlanTrunk": _LIST,
        **dict.fromkeys(
            (
                *("isGateway", "isDefaultGateway", "forceAddress", "ipMasq", "hairpinMode"),
                *("promiscMode", "preserveDefaultVlan", "macspoofchk", "enabledad"),
                *("disableContainerInterface", "portIsolation"),
            ),
            _BOOLEAN,
        ),
    },
    "ptp": {"ipMasq": _BOOLEAN, "mtu": _NUMBER},
    "host-device": dict.fromkeys(("device", "hwaddr", "kernelpath", "pciBusID"), _TEXT),
    "tap": {"mac": _TEXT, "bridge": _TEXT, "mtu": _NUMBER, "multiQueue": _BOOLEAN},
    "tuning": {
        "sysctl": _TEXTS,
        **dict.fromkeys(("mac", "dataDir"), _TEXT),
        **dict.fromkeys(("promisc", "allmulti"), _BOOLEAN),
        **dict.fromkeys(("mtu", "txQLen"), _NUMBER),
    },
    "bandwidth": dict.fromkeys(_RATES, _NUMBER),
    "portmap": {
        **dict.fromkeys(("backend", "externalSetMarkChain"), _TEXT),
        **dict.fromkeys(("snat", "masqAll"), _BOOLEAN),
        **dict.fromkeys(("conditionsV4", "conditionsV6"), _LIST),
        "markMasqBit": _NUMBER,
    },
    "firewall": dict.fromkeys(
        ("backend", "iptablesAdminChainName", "firewalldZone", "ingressPolicy"), _TEXT
    ),
    "vrf": {"vrfname": _TEXT, "table": _NUMBER},
    "sbr": {"table": _NUMBER},
}
_WORDS: Final[Mapping[tuple[str, str], tuple[str, ...]]] = {
    ("macvlan", "mode"): ("bridge", "private", "vepa", "passthru"),
    ("ipvlan", "mode"): ("l2", "l3", "l3s"),
    ("firewall", "ingressPolicy"): ("open", "same-bridge", "isolated"),
}
"""Plugin and key → the words it takes; an empty one stands for the first."""
_MAC: Final = re.compile(r"[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5}|[0-9A-Fa-f]{2}(-[0-9A-Fa-f]{2}){5}")
_LEAST_MTU: Final = 68
_MOST_BURST: Final = 8 * (2**32 - 1)
_LAST_VLAN: Final = 4094
_SHOWN: Final = 64
_VETH: Final = frozenset({"bridge", "ptp", "ovs"})
"""Main plugins whose interface is one end of a veth pair."""

_Plugin = Mapping[str, Any]


def wrong_setting(plugin: _Plugin, main: str) -> str | None:
    """Why a plugin fails every pod; None where it does not, or where that is not known.

    Args:
        plugin: its configuration.
        main: type of the plugin that makes the interface.
    """
    kind = plugin.get("type")
    keys = _KEYS.get(kind) if isinstance(kind, str) else None
    if keys is None:
        return None
    given = _spelt(plugin, {**_COMMON, **keys})
    return next(_wrong_kinds(given, {**_COMMON, **keys}), None) or next(
        _wrong_values(str(kind), given, main), None
    )


def _spelt(plugin: _Plugin, keys: Mapping[str, str]) -> dict[str, Any]:
    names = {each.lower(): each for each in keys}
    pairs = ((names.get(key.lower(), key), value) for key, value in plugin.items())
    return {key: value for key, value in pairs if value is not None}


def _wrong_kinds(given: Mapping[str, Any], keys: Mapping[str, str]) -> Iterator[str]:
    for key, wanted in keys.items():
        if key not in given:
            continue
        value, of_values = given[key], _VALUES_OF.get(wanted)
        if of_values is None:
            if _KIND_OF.get(type(value)) != wanted:
                yield f"{key} is {_shown(value)}; allowed is {wanted}"
        elif not isinstance(value, dict):
            yield f"{key} is {_shown(value)}; allowed is {wanted}"
        else:
            for name, inner in value.items():
                if type(inner) is not of_values:
                    allowed = _KIND_OF[of_values]
                    yield f"{key}.{name[:_SHOWN]} is {_shown(inner)}; allowed is {allowed}"


def _wrong_values(kind: str, given: Mapping[str, Any], main: str) -> Iterator[str]:
    for (plugin, key), words in _WORDS.items():
        if plugin == kind and given.get(key, "") not in ("", *words):
            yield f"{key} is {_shown(given[key])}; allowed is {', '.join(words)}"
    yield from _FURTHER.get(kind, _nothing)(given, main)
    mtu = given.get("mtu", 0)
    if mtu and mtu < _LEAST_MTU:
        yield f"mtu is {mtu}; allowed is {_LEAST_MTU} or more"
    if given.get("mac") and not _MAC.fullmatch(given["mac"]):
        yield f"mac is {_shown(given['mac'])}; allowed is a MAC address such as 0a:1b:c0:ff:ee:01"


def _nothing(_given: Mapping[str, Any], _main: str) -> Iterator[str]:
    yield from ()


def _of_vlan(given: Mapping[str, Any], _main: str) -> Iterator[str]:
    if not given.get("master"):
        yield "it has no master; name the interface that the VLAN is on"
    vlan = given.get("vlanId", 0)
    if not 0 <= vlan <= _LAST_VLAN:
        yield f"vlanId is {vlan}; allowed is 1 to {_LAST_VLAN}"


def _of_host_device(given: Mapping[str, Any], _main: str) -> Iterator[str]:
    asks = (given.get("capabilities") or {}).get("deviceID")
    if not asks and not any(given.get(key) for key in _KEYS["host-device"]):
        yield "it names no device; set device, hwaddr, kernelpath or pciBusID"


def _of_bridge(given: Mapping[str, Any], _main: str) -> Iterator[str]:
    if given.get("hairpinMode") and given.get("promiscMode"):
        yield "hairpinMode and promiscMode exclude each other; remove one of them"
    if given.get("disableContainerInterface") and given.get("ipam"):
        yield "disableContainerInterface and ipam exclude each other; remove one of them"
    vlan = given.get("vlan", 0)
    if not 0 <= vlan <= _LAST_VLAN:
        yield f"vlan is {vlan}; allowed is 1 to {_LAST_VLAN}"


def _of_vrf(given: Mapping[str, Any], _main: str) -> Iterator[str]:
    if not given.get("vrfname"):
        yield "it has no vrfname; name the VRF"


def _of_tuning(given: Mapping[str, Any], _main: str) -> Iterator[str]:
    for key in given.get("sysctl", {}):
        if not key.replace(".", "/").lstrip("/").startswith("net/"):
            yield f"sysctl {_shown(key)} is none of the network's; allowed is net.…"


def _of_firewall(given: Mapping[str, Any], main: str) -> Iterator[str]:
    policy = given.get("ingressPolicy", "")
    if policy in {"same-bridge", "isolated"} and main != "bridge":
        yield (
            f"ingressPolicy is {policy!r}, which is for pods on a bridge, and those of {main} are"
            " on none; remove it"
        )


def _of_bandwidth(given: Mapping[str, Any], main: str) -> Iterator[str]:
    for way in ("ingress", "egress"):
        rate, burst = given.get(f"{way}Rate", 0), given.get(f"{way}Burst", 0)
        if min(rate, burst) < 0:
            yield f"{way}Rate and {way}Burst cannot be negative"
        elif bool(rate) != bool(burst):
            yield f"{way}Rate is {rate} and {way}Burst {burst}; set both, or none"
        elif burst >= _MOST_BURST:
            yield f"{way}Burst is {burst}; allowed is less than {_MOST_BURST}"
    if any(given.get(key) for key in _RATES) and main not in _VETH:
        yield (
            f"it limits a veth pair, and pods of {main} have none on this interface; remove it, and"
            " limit at the switch or by maxTxRateMbps of sriov"
        )


_FURTHER: Final[Mapping[str, Callable[[Mapping[str, Any], str], Iterator[str]]]] = {
    "vlan": _of_vlan,
    "host-device": _of_host_device,
    "bridge": _of_bridge,
    "vrf": _of_vrf,
    "tuning": _of_tuning,
    "firewall": _of_firewall,
    "bandwidth": _of_bandwidth,
}


def _shown(value: object) -> str:
    return repr(value)[:_SHOWN]
