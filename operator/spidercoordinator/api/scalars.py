"""The scalar types of both kinds: what an address, an interface name, a pool name may be.

Each is an annotated Python type whose `Rule`s also become CEL in the CRD. Lengths are bounded
because the API server refuses CEL on unbounded strings and lists (cost budget).
"""

import ipaddress
import re
from functools import lru_cache
from typing import Annotated

from pydantic import Field

from spidercoordinator.api.rules import Rule, matches

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network

_PREFIX_LENGTH = re.compile(r"0|[1-9][0-9]{0,2}")
_ADDRESS_CHARACTERS = re.compile(r"[0-9A-Fa-f:.]+")


def parse_ip(text: str) -> IPAddress | None:
    """The address, or None. As CEL's `isIP`: no zone, no IPv4-mapped IPv6, no leading zeros."""
    if not _ADDRESS_CHARACTERS.fullmatch(text):
        return None
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return None
    return address


# Reconciles parse the CIDRs of thousands of nodes again and again, several times each.
@lru_cache(maxsize=32768)
def parse_network(text: str) -> IPNetwork | None:
    """The network with its host bits masked; a bare address is a network of one."""
    head, slash, length = text.partition("/")
    address = parse_ip(head)
    if address is None:
        return None
    if not slash:
        return ipaddress.ip_network(address)
    if not _PREFIX_LENGTH.fullmatch(length) or int(length) > address.max_prefixlen:
        return None
    return ipaddress.ip_network(f"{address}/{length}", strict=False)


_NO_ADDRESS = '"{value}" is not an IP address; write one such as 169.254.100.1 or fd00::1'
_NO_NETWORK = (
    '"{value}" is neither an IP address nor a CIDR; write 10.1.2.3, 10.1.0.0/16 or fd00::/64'
)


OFF = "none"
"""Switches a text setting off, in a network also one that the SpiderCoordinator sets."""

_ZERO_NETWORK = ipaddress.IPv4Network("0.0.0.0/8")
_BROADCAST = ipaddress.IPv4Address("255.255.255.255")


def is_assignable(address: IPAddress) -> bool:
    """Whether an interface can have the address and be reached by it.

    The kernel refuses the unspecified, multicast and loopback addresses, or drops packets that
    have them or one of 0.0.0.0/8 as martian (net/ipv4/route.c, net/ipv6/addrconf.c).
    """
    return not (
        address.is_unspecified
        or address.is_multicast
        or address.is_loopback
        or address in _ZERO_NETWORK
        or address == _BROADCAST
    )


def _is_assignable_text(text: str) -> bool:
    """As `is_assignable`; a text that is no address is another rule's to refuse."""
    address = parse_ip(text)
    return address is None or is_assignable(address)


# isGlobalUnicast leaves out the unspecified, loopback, multicast, link-local and broadcast ones.
_ASSIGNABLE = (
    "(ip(self).isGlobalUnicast() || ip(self).isLinkLocalUnicast()) && !self.startsWith('0.')"
)
_NOT_ASSIGNABLE = (
    " (unspecified, 0.0.0.0/8, loopback, multicast and broadcast addresses never can be)"
)

# JSON has one kind of number, so the schema alone would take 5.0, but CEL on the same field not.
WHOLE = Rule(
    "self == int(self)",
    lambda v: isinstance(v, int),
    "it must be a whole number, without a decimal point",
)


GatewayIP = Annotated[
    str,
    Field(max_length=64),
    Rule("isIP(self)", lambda v: parse_ip(v) is not None, _NO_ADDRESS),
    Rule(
        f"!isIP(self) || ({_ASSIGNABLE})",
        _is_assignable_text,
        '"{value}" cannot be the address of a gateway; write that of a router, such as 10.6.0.1'
        + _NOT_ASSIGNABLE,
    ),
]
LinkAddress = Annotated[
    str,
    Field(max_length=64),
    Rule(
        f"self == '' || self == '{OFF}' || isIP(self)",
        lambda v: v in {"", OFF} or parse_ip(v) is not None,
        _NO_ADDRESS + f', or "{OFF}" for none',
    ),
    Rule(
        f"!isIP(self) || ({_ASSIGNABLE})",
        _is_assignable_text,
        '"{value}" cannot be the address of an interface; write one such as 169.254.100.1'
        + _NOT_ASSIGNABLE,
    ),
]
CIDR = Annotated[
    str,
    Field(max_length=64),
    Rule("isIP(self) || isCIDR(self)", lambda v: parse_network(v) is not None, _NO_NETWORK),
]

_INTERFACE = r"[!-.0-9;-~]{1,15}"
_NO_INTERFACE = (
    '"{value}" is not a name an interface can have: 1 to 15 characters, no blank, "/" or ":",'
    ' not "." or ".."'
)


def _interface(pattern: str, message: str) -> Rule:
    text = matches(pattern, message)
    return Rule(
        cel=f"{text.cel} && self != '.' && self != '..'",
        holds=lambda v: text.holds(v) and v not in {".", ".."},
        message=message,
    )


# None of macvlan, ipvlan, 802.1q and bonding takes a loopback device.
InterfaceName = Annotated[
    str,
    Field(max_length=64),
    _interface(_INTERFACE, _NO_INTERFACE),
    Rule(
        "self != 'lo'",
        lambda v: v != "lo",
        '"{value}" is the loopback interface, which no network can be on; write one such as eth0',
    ),
]
# The plugin refuses both: the one has no route to anywhere, the other is its own.
DefaultRouteInterface = Annotated[
    str,
    Field(max_length=64),
    _interface(
        rf"(?:{_INTERFACE})?", _NO_INTERFACE + f', or "{OFF}" to leave the choice to the plugin'
    ),
    Rule(
        "self != 'lo' && self != 'veth0'",
        lambda v: v not in {"lo", "veth0"},
        '"{value}" cannot have the default route; write an interface of the pod that a network'
        " makes, such as eth0 or net1",
    ),
]

MACPrefix = Annotated[
    str,
    Field(max_length=64),
    matches(
        rf"(?:[0-9A-Fa-f][02468ACEace]:[0-9A-Fa-f]{{2}}|{OFF})?",
        '"{value}" is not the start of a unicast MAC address: two hex octets, the first one even,'
        f' such as 0a:1b, or "{OFF}" for none',
    ),
]

# default, main and local (rt_tables of iproute2).
_KERNEL_TABLES = range(253, 256)
RouteTable = Annotated[
    int,
    Field(ge=1, le=2**32 - 1),
    WHOLE,
    Rule(
        "self < 253 || self > 255",
        lambda v: v not in _KERNEL_TABLES,
        "{value} is one of the kernel's own tables, 253 (default), 254 (main) and 255 (local);"
        " choose another number between 1 and 4294967295",
        shown="(self == 253 ? '253' : self == 254 ? '254' : '255')",
    ),
]
RPFilter = Annotated[int, Field(ge=-1, le=2, json_schema_extra={"format": "int32"}), WHOLE]
QueueLength = Annotated[
    int, Field(ge=0, le=2**31 - 1, json_schema_extra={"format": "int32"}), WHOLE
]
# 68 is the least MTU IPv4 allows (RFC 791), 65535 the most a veth takes.
VethMTU = Annotated[int, Field(ge=68, le=65535, json_schema_extra={"format": "int32"}), WHOLE]
LEAST_MTU = 68
LinkMTU = Annotated[
    int,
    Field(ge=0, le=65535, json_schema_extra={"format": "int32"}),
    WHOLE,
    Rule(
        f"self == 0 || self >= {LEAST_MTU}",
        lambda v: v == 0 or v >= LEAST_MTU,
        f"an interface with an MTU below {LEAST_MTU} cannot have an IP address; write 0 to leave it"
        f" alone, or {LEAST_MTU} to 65535",
    ),
]
VlanID = Annotated[int, Field(ge=0, le=4094, json_schema_extra={"format": "int32"}), WHOLE]
VlanQoS = Annotated[int, Field(ge=0, le=7, json_schema_extra={"format": "int32"}), WHOLE]
TxRate = Annotated[int, Field(ge=0, le=2**31 - 1, json_schema_extra={"format": "int32"}), WHOLE]

ResourceName = Annotated[
    str,
    Field(max_length=317),
    matches(
        r"(?:[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?",
        '"{value}" is not the name of a device plugin\'s resource; write one such as'
        " acme.io/vf_pool",
    ),
]
OptionalResourceName = Annotated[
    str,
    Field(max_length=317),
    matches(
        r"(?:(?:[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?)?",
        '"{value}" is not the name of a device plugin\'s resource; write one such as'
        ' acme.io/vf_pool, or "" for none',
    ),
]
PoolName = Annotated[
    str,
    Field(max_length=253),
    matches(
        r"[a-z0-9*?\[](?:[-a-z0-9.*?\[\]!^]*[a-z0-9*?\]])?",
        '"{value}" is not the name of an IP pool: lower-case letters, digits, "-" and "."'
        " (or a pattern with * ? [])",
    ),
]
PartitionKey = Annotated[
    str,
    Field(max_length=64),
    matches(
        r"(?:0[xX][0-9A-Fa-f]{1,4})?",
        '"{value}" is not an InfiniBand partition key; write one such as 0x8001, or "" for none',
    ),
]
PCIAddress = Annotated[
    str,
    Field(max_length=64),
    matches(
        r"(?:[0-9A-Fa-f]{4,8}:[0-9A-Fa-f]{2}:[0-9A-Fa-f]{2}\.[0-7])?",
        '"{value}" is not a PCI address; write one such as 0000:3b:02.1, or "" for none',
    ),
]
BridgeName = Annotated[
    str,
    Field(max_length=64),
    matches(
        r"[!-.0-~]{1,64}",
        '"{value}" is not a name a bridge can have: 1 to 64 visible characters, no blank or "/"',
    ),
]
