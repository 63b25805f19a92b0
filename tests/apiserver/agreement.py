"""Objects made at random from a CRD's schema: mostly right, now and then wrong in one place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hypothesis import strategies as st

from spidercoordinator.api.crd import SPIDER_MULTUS_CONFIG, structural_schema
from spidercoordinator.api.multus import NETWORK_OF

Schema = Mapping[str, Any]
Values = st.SearchStrategy[Any]

# Texts at the edges of what the fields take; which field takes which is for the judges to say.
TEXTS = (
    *("", "a", "eth0", "ens5", "eth0.100", "a" * 15, "a" * 16, "a" * 65, ".", "..", "a b", "a/b"),
    *("169.254.100.1", "10.0.0.1", "10.0.0.0/8", "10.0.0.5/8", "1.2.3.4/33", "1.2.3.4/08", "1.2.3"),
    *("fd00::1", "fd00::/64", "::ffff:1.2.3.4", "::ffff:1.2.3.0/120", "fe80::1%eth0", "::/0", "::"),
    *("01.2.3.4", "1.2.3.4/", "1.2.3.4/+8", "fd00::1/129", "::1.2.3.4", "FD00::A", "0.0.0.0/0"),
    *("none", "None", "0.0.0.0", "0.1.2.3", "127.0.0.1", "224.0.0.1", "255.255.255.255", "ff02::1"),
    *("lo", "veth0", "240.0.0.1", "::1", "fe80::", "spiderpool"),
    *("10.0.0.0/7", "127.0.0.5/4", "127.1.0.0/16", "169.254.3.0/24", "169.9.9.9/8", "255.1.2.3/8"),
    *(
        "224.0.0.0/4",
        "239.1.1.1/32",
        "240.0.0.0/8",
        "0.0.0.0/8",
        "255.255.255.255/32",
        "8.8.8.8/32",
    ),
    *("::/8", "::1/128", "fe80::/64", "fe00::5/8", "ff02::/16", "fc00::/7", "2001:db8::/8"),
    *("0a:1b", "0A:1B", "01:10", "0a-1b", "0a:1b:2c", "0x8001", "0x12345", "0000:3b:02.1"),
    *("acme.io/vf", "vf_pool", "/x", "p4-a", "pool-*", "Pool", "br-x", "é", "a\n", "{}"),
)
NUMBERS = (-(2**63), -2, -1, 0, 1, 2, 6, 7, 67, 68, 252, 253, 255, 256, 500, 4094, 4095, 65535)
LARGE = (65536, 2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**63 - 1, 2**63, 10**30)
JUNK: tuple[Any, ...] = (None, "", "x", 0, 1.0, 1.5, True, [], {}, [None], {"a": 1})

# Texts that a field takes, by its name; nine times out of ten one of these is used.
FITTING: Mapping[str, tuple[str, ...]] = {
    "podCIDR": ("10.1.0.0/16", "10.2.3.4/8", "fd00::/64", "10.9.9.9/32"),
    "serviceCIDR": ("10.3.0.0/16", "fd01::/112"),
    "hijackCIDR": ("10.4.0.5/16", "10.8.8.8", "fd02::/64"),
    "dst": ("10.5.0.0/16", "10.6.6.6", "fd03::/64"),
    "gw": ("10.7.0.1", "fd04::1"),
    "podMACPrefix": ("", "none", "0a:1b"),
    "podDefaultRouteNIC": ("", "none", "net1"),
    "vethLinkAddress": ("", "none", "169.254.100.1", "fe80::1", "8.8.8.8"),
    "master": ("ens5", "ens6", "e2345678901", "eth0.100"),
    "name": ("bnd0", "bond1234567", "ens5"),
    "rdmaResourceName": ("", "acme.io/hca"),
    "resourceName": ("acme.io/vf", "vf"),
    "ipv4": ("p4-a", "pool-*"),
    "ipv6": ("p6-a", "p6-b"),
    "pkey": ("", "0x8001"),
    "bridge": ("br0", "br-int"),
    "deviceID": ("", "0000:3b:02.1"),
    "type": ("whereabouts", "dhcp", "spiderpool"),
}


def valued(schema: Schema, name: str = "") -> Values:
    """Values for a schema; about one in seventy is anything at all.

    Args:
        schema: a structural schema.
        name: the property the value is for.
    """
    right = _right(schema, name)
    return st.integers(0, 69).flatmap(lambda roll: right if roll else st.sampled_from(JUNK))


def _right(schema: Schema, name: str) -> Values:
    kind = "enum" if "enum" in schema else schema["type"]
    makers: dict[str, Callable[[], Values]] = {
        "object": lambda: _objects(schema),
        "array": lambda: st.lists(valued(schema["items"], name), max_size=3),
        "boolean": st.booleans,
        "integer": lambda: _numbers(schema),
        "enum": lambda: st.sampled_from(schema["enum"]),
        "string": lambda: _texts(name),
    }
    return makers[kind]()


def _texts(name: str) -> Values:
    anything = st.sampled_from(TEXTS) | st.text(max_size=20)
    if name not in FITTING:
        return anything
    fitting = st.sampled_from(FITTING[name])
    return st.integers(0, 9).flatmap(lambda roll: fitting if roll else anything)


def _numbers(schema: Schema) -> Values:
    low, high = schema.get("minimum", 0), schema.get("maximum", 100)
    inside = st.integers(low, high)
    edges = st.sampled_from((low - 1, low, high, high + 1, float(low), *NUMBERS, *LARGE))
    return st.integers(0, 9).flatmap(lambda roll: inside if roll else edges)


def _objects(schema: Schema) -> Values:
    properties = schema.get("properties", {})
    required = {name: valued(properties[name], name) for name in schema.get("required", ())}
    others = {name: valued(part, name) for name, part in properties.items() if name not in required}
    some = (
        st.lists(st.sampled_from(sorted(others)), max_size=5, unique=True)
        if others
        else st.just([])
    )
    whole = some.flatmap(
        lambda names: st.fixed_dictionaries(required | {name: others[name] for name in names})
    )
    needed = sorted(required)
    # One in thirty lacks something needed, one in thirty has something unknown.
    return st.tuples(whole, st.integers(0, 29)).map(lambda pair: _spoil(pair[0], pair[1], needed))


def _spoil(made: dict[str, Any], roll: int, needed: list[str]) -> dict[str, Any]:
    if roll == 0 and needed:
        return {key: value for key, value in made.items() if key != needed[0]}
    return {**made, "unknownField": roll} if roll == 1 else made


def network_specs() -> Values:
    """Specs of SpiderMultusConfig: cniType and the object of that type belong together mostly."""
    schema = structural_schema(SPIDER_MULTUS_CONFIG.model)["properties"]["spec"]
    properties = schema["properties"]
    rest = {name: part for name, part in properties.items() if name not in NETWORK_OF.values()}

    def of_type(cni_type: str) -> Values:
        key = NETWORK_OF[cni_type]
        fitting = st.fixed_dictionaries(
            {"cniType": st.just(cni_type), key: valued(properties[key], key)}
        )
        settings = _objects({"properties": {k: v for k, v in rest.items() if k != "cniType"}})
        quiet = settings.map(lambda made: {k: v for k, v in made.items() if k != "customCNI"})
        return st.tuples(st.one_of(st.just({}), quiet), fitting).map(
            lambda both: {**both[0], **both[1]}
        )

    fitting = st.sampled_from(sorted(NETWORK_OF)).flatmap(of_type)
    return st.integers(0, 9).flatmap(lambda roll: fitting if roll else _objects(schema))


def exists(path: str, schema: Schema) -> bool:
    """Whether a path such as `spec.hijackCIDR[0]` leads somewhere in a schema."""
    for step in path.replace("[", ".[").split("."):
        if step.startswith("["):
            inner = schema.get("items")
        else:
            inner = schema.get("properties", {}).get(step)
        if inner is None:
            return False
        schema = inner
    return True
