"""The options of a bond, looked at as the ifacer plugin and the kernel will.

Names and values are those of cni/internal/ifacer/options.go. Which mode takes which option is
unsuppmodes of the kernel's drivers/net/bonding/bond_options.c, which refuses the bond otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from typing import Final

from spidercoordinator.api.scalars import parse_ip

_MOST: Final = 2**31 - 1
_ON_OFF: Final = ("off", "on")
_MAC: Final = re.compile(r"(?i:[0-9a-f]{2}([:-][0-9a-f]{2}){5}|[0-9a-f]{4}(\.[0-9a-f]{4}){2})")
_TARGETS: Final = 16
_IPV4: Final = 4
_SHOWN: Final = 64
"""Characters of what somebody wrote, in a message."""

NUMBERS: Final = {
    "ad_actor_sys_prio": 65535,
    "ad_user_port_key": 1023,
    "arp_interval": _MOST,
    "downdelay": _MOST,
    "lp_interval": _MOST,
    "miimon": _MOST,
    "min_links": _MOST,
    "num_grat_arp": 255,
    "packets_per_slave": 65535,
    "resend_igmp": 255,
    "updelay": _MOST,
}
"""Option → its greatest number; the least is 0."""
WORDS: Final = {
    "ad_select": ("stable", "bandwidth", "count"),
    "all_slaves_active": _ON_OFF,
    "arp_all_targets": ("any", "all"),
    "arp_validate": (
        *("none", "active", "backup", "all", "filter"),
        *("filter_active", "filter_backup"),
    ),
    "fail_over_mac": ("none", "active", "follow"),
    "lacp_rate": ("slow", "fast"),
    "primary_reselect": ("always", "better", "failure"),
    "tlb_dynamic_lb": _ON_OFF,
    "use_carrier": _ON_OFF,
    "xmit_hash_policy": (
        *("layer2", "layer3+4", "layer2+3", "encap2+3", "encap3+4"),
        "vlan+srcmac",
    ),
}
"""Option → the words for its numbers from 0."""
MEMBERS: Final = frozenset({"active_slave", "primary"})
"""Options that name one of the masters."""
ALIASES: Final = {
    "all_slaves_active_mode": "all_slaves_active",
    "down_delay": "downdelay",
    "num_peer_notif": "num_grat_arp",
    "num_unsol_na": "num_grat_arp",
    "peer_notif_delay": "num_grat_arp",
    "up_delay": "updelay",
}
BOND_OPTIONS: Final = frozenset(
    {*NUMBERS, *WORDS, *MEMBERS, *ALIASES, "ad_actor_system", "arp_ip_target"}
)
"""The options that the ifacer plugin knows."""

_WITH_ACTIVE: Final = frozenset({1, 5, 6})
_WITH_ARP: Final = frozenset({0, 1, 2, 3})
_MODES: Final = {
    **dict.fromkeys(
        ("ad_actor_sys_prio", "ad_actor_system", "ad_user_port_key", "lacp_rate"), frozenset({4})
    ),
    **dict.fromkeys(("arp_interval", "arp_validate"), _WITH_ARP),
    **dict.fromkeys(MEMBERS, _WITH_ACTIVE),
    "packets_per_slave": frozenset({0}),
}
"""Option → the modes that take it, where not all do."""


def bond_faults(text: str, mode: int, masters: Sequence[str]) -> Iterator[str]:
    """Why no bond can be made with these options, so that pods fail.

    Args:
        text: The options, such as `miimon=100;xmit_hash_policy=layer3+4`.
        mode: Of the bond, 0 to 6.
        masters: What it is made of.
    """
    given: dict[str, str] = {}
    for item in filter(None, map(str.strip, text.split(";"))):
        name, *values = (word.strip() for word in item.split("="))
        if len(values) != 1 or not values[0]:
            yield (
                f'"{item[:_SHOWN]}" is not written as the plugin that makes the bond needs it, so'
                " pods fail; options are written as miimon=100;min_links=1"
            )
        elif name not in BOND_OPTIONS:
            meant = get_close_matches(name, BOND_OPTIONS, n=1)
            remedy = f"write {meant[0]}" if meant else "docs/ifacer.md lists them"
            yield (
                f'the plugin that makes the bond knows no option "{name[:_SHOWN]}", so pods fail;'
                f" {remedy}"
            )
        else:
            option = ALIASES.get(name, name)
            yield from _of_value(name, option, values[0], masters)
            yield from _of_mode(name, option, values[0], mode)
            value = _compared(option, values[0])
            if given.setdefault(option, value) != value:
                yield f"{name} is there twice, with two values, so pods fail; write it once"
    if all(given.get(each, "0") != "0" for each in ("miimon", "arp_interval")):
        yield "miimon and arp_interval exclude each other, so pods fail; remove one of them"


def _of_value(name: str, option: str, value: str, masters: Sequence[str]) -> Iterator[str]:
    if allowed := _allowed(option, value, masters):
        yield f'{name} is "{value[:_SHOWN]}", so pods fail; allowed is {allowed}'


def _allowed(option: str, value: str, masters: Sequence[str]) -> str:
    """What is allowed instead of a value, empty for one that is."""
    words = WORDS.get(option, ())
    if words or option in NUMBERS:
        most = len(words) - 1 if words else NUMBERS[option]
        number = value.isascii() and value.isdecimal() and int(value[:20]) <= most
        or_words = f" or {', '.join(words)}" if words else ""
        return "" if number or value.lower() in words else f"0 to {most}{or_words}"
    if option in MEMBERS:
        return "" if value in masters else f"one of the masters, {', '.join(masters)}"
    if option == "ad_actor_system":
        return "" if _MAC.fullmatch(value) else "a MAC address"
    if value.startswith("["):
        return ""  # a list in JSON, as Spiderpool takes it
    targets = [parse_ip(each.strip()) for each in value.split(",")]
    fine = len(targets) <= _TARGETS and all(each and each.version == _IPV4 for each in targets)
    return "" if fine else "up to 16 IPv4 addresses, separated by commas"


def _compared(option: str, value: str) -> str:
    """A value as it is compared: numbers instead of words, without zeros in front."""
    words = WORDS.get(option, ())
    if value.lower() in words:
        return str(words.index(value.lower()))
    return value.lstrip("0") or "0" if value.isdecimal() else value


def _of_mode(name: str, option: str, value: str, mode: int) -> Iterator[str]:
    modes = _MODES.get(option)
    if modes is None or mode in modes or (option == "arp_interval" and value == "0"):
        return
    shown = ", ".join(map(str, sorted(modes)))
    yield f"the kernel takes {name} in mode {shown} alone, not in {mode}, so pods fail; remove it"
