"""Which texts and numbers a field takes, by table; tests/apiserver asks the API server the same."""

from typing import Annotated, Any, get_origin

import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError

from spidercoordinator.api import clusterrange, scalars

TYPES: dict[str, Any] = {
    name: value
    for module in (scalars, clusterrange)
    for name, value in vars(module).items()
    if get_origin(value) is Annotated
}
GOOD: dict[str, list[Any]] = {
    "GatewayIP": ["169.254.100.1", "fd00::1", "FE80::1", "64:ff9b::1.2.3.4", "240.0.0.1"],
    "LinkAddress": ["", "none", "8.8.8.8", "fe80::1", "fd00::1", "169.254.0.0", "1.0.0.0"],
    "CIDR": ["10.0.0.5/8", "10.8.8.8", "::/0", "fd00::1/128", "0.0.0.0/0"],
    "ClusterCIDR": [
        *("10.0.0.5/8", "10.244.0.0/16", "10.96.0.1/32", "fd00::/64", "FD00::5/8", "fd00::1/128"),
        *("240.0.0.0/8", "100.64.0.0/10", "168.0.0.0/8", "128.0.0.0/8"),
    ],
    "InterfaceName": ["eth0", "eth0.100", "a" * 15, "en@p", "-", "...", "lo0"],
    "DefaultRouteInterface": ["", "none", "net1", "veth1"],
    "MACPrefix": ["", "none", "0a:1b", "0A:1B", "fe:ff"],
    "RouteTable": [1, 252, 256, 4294967295],
    "RPFilter": [-1, 0, 1, 2],
    "QueueLength": [0, 2147483647],
    "VethMTU": [68, 1500, 65535],
    "LinkMTU": [0, 68, 65535],
    "TxRate": [0, 2147483647],
    "VlanQoS": [0, 7],
    "VlanID": [0, 4094],
    "ResourceName": ["acme.io/vf_pool", "vf", "a.b/C-d.e_f"],
    "OptionalResourceName": ["", "acme.io/vf_pool"],
    "PoolName": ["p4-a", "pool.v4", "pool-*", "[ab]-pool", "*"],
    "PartitionKey": ["", "0x8001", "0X1"],
    "PCIAddress": ["", "0000:3b:02.1"],
    "BridgeName": ["br-x", "b" * 64],
}
BAD: dict[str, list[Any]] = {
    "GatewayIP": [
        *(
            "",
            "none",
            "1.2.3",
            "1.2.3.4/32",
            "::ffff:1.2.3.4",
            "fe80::1%eth0",
            "01.2.3.4",
            " 1.2.3.4",
        ),
        *("0.0.0.0", "224.0.0.1", "255.255.255.255", "127.0.0.1", "::", "::1", "ff02::1", 1),
    ],
    "LinkAddress": [
        *(
            "169.254.100.300",
            "None",
            "1.2.3.4\n",
            "169.254.100.1/32",
            "fe80::1%eth0",
            "::ffff:1.2.3.4",
        ),
        *("0.0.0.0", "0.1.2.3", "127.0.0.1", "127.255.255.255", "224.0.0.1", "239.255.255.255"),
        *("255.255.255.255", "::", "::1", "ff02::1", "ff00::", "FFFF::1"),
    ],
    "CIDR": ["", "10.0.0.0/33", "10.0.0.0/08", "10.0.0.0/255.0.0.0", "10.0.0.0/", "/8", "a/8"],
    "ClusterCIDR": [
        *("", "10.96.0.0", "fd00::1", "10.0.0.0/33", "a/8", "::ffff:1.2.3.0/120"),
        *("0.0.0.0/0", "::/0", "0.0.0.0/1", "128.0.0.0/1", "8.0.0.0/7", "2000::/3", "fc00::/7"),
        *("0.0.0.0/8", "0.1.0.0/16", "127.0.0.0/8", "127.0.0.1/32", "169.254.0.0/16"),
        *("169.254.100.0/24", "169.0.0.0/8", "224.0.0.0/8", "239.1.2.0/24", "255.0.0.0/8"),
        *("255.255.255.255/32", "::/8", "::1/128", "::/128", "fe80::/10", "fe80::/64"),
        *("fe00::/8", "ff00::/8", "ff02::/16"),
    ],
    "InterfaceName": ["", "a" * 16, "a b", "a/b", "a:b", ".", "..", "é", "a\n", "lo"],
    "DefaultRouteInterface": [".", "x" * 16, "lo", "veth0"],
    "MACPrefix": ["01:10", "0a", "0a:1", "0a-1b", "-2:+f", "0a:1b:2c", "zz:11", "0a:1b\n"],
    "RouteTable": [0, -3, 253, 254, 255, 4294967296, "500", True, 500.0],
    "RPFilter": [-2, 3, None],
    "QueueLength": [-1, 2147483648],
    "VethMTU": [0, 67, 65536],
    "LinkMTU": [-1, 1, 67, 65536, 1500.0],
    "TxRate": [-1, 2147483648],
    "VlanQoS": [-1, 8, 1.0, "1"],
    "VlanID": [-1, 4095],
    "ResourceName": ["", "/x", "a/", "a b", "A/b/c"],
    "OptionalResourceName": ["/x", "none/", "a b"],
    "PoolName": ["", "Pool", "-a", "a_b"],
    "PartitionKey": ["8001", "0x", "0x12345"],
    "PCIAddress": ["3b:02.1", "0000:3b:02.8"],
    "BridgeName": ["", "a/b", "b" * 65],
}


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in GOOD.items() for value in values]
)
def test_is_taken(name: str, value: Any) -> None:
    assert TypeAdapter(TYPES[name]).validate_python(value, strict=True) == value


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in BAD.items() for value in values]
)
def test_is_refused(name: str, value: Any) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(TYPES[name]).validate_python(value, strict=True)


def test_every_scalar_is_in_both_tables() -> None:
    assert set(GOOD) == set(BAD) == TYPES.keys()


@pytest.mark.parametrize(
    ("text", "network"),
    [
        ("10.0.0.5/8", "10.0.0.0/8"),
        ("10.8.8.8", "10.8.8.8/32"),
        ("FD00:0:0::5/64", "fd00::/64"),
        ("fd00::1", "fd00::1/128"),
    ],
)
def test_network_is_normalised(text: str, network: str) -> None:
    assert str(scalars.parse_network(text)) == network


def test_refusal_names_the_value_and_what_is_allowed() -> None:
    class Holder(BaseModel):
        address: scalars.LinkAddress

    with pytest.raises(ValidationError) as refusal:
        Holder.model_validate({"address": "169.254.100.300"})
    message = refusal.value.errors()[0]["msg"]
    assert '"169.254.100.300" is not an IP address' in message
    assert "169.254.100.1" in message


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("10.96.0.0", '"10.96.0.0" is not a range of addresses; write it with its prefix length'),
        ("0.0.0.0/0", '"0.0.0.0/0" is too large for the range of a cluster'),
        ("169.254.0.0/16", '"169.254.0.0/16" has unspecified, loopback, link-local'),
        ("10.96.0.0/12", ""),
    ],
)
def test_the_fault_of_a_range_is_named_with_what_is_allowed(text: str, why: str) -> None:
    fault = clusterrange.cluster_range_fault(text)
    assert fault.startswith(why)
    assert bool(fault) == bool(why)
