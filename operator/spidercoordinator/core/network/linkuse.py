"""Networks that cannot both have pods on a node, since the kernel lets a link serve one of them.

macvlan and ipvlan both take all frames of their master (netdev_rx_handler_register), as a bond does
of its members; macvlan in mode passthru wants it alone; a VLAN is once on its parent, wherever the
interface of it is; and a bond of a name is of one kind (docs/ifacer.md).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from heapq import nsmallest
from typing import Any, Final

from spidercoordinator.api.objects import Name, Object, name_of
from spidercoordinator.core.network.render import json_text
from spidercoordinator.core.status.warnings import FieldWarning

REASON: Final = "LinkShared"
_MACVLAN, _IPVLAN, _PASSTHRU, _VLAN = "macvlan", "ipvlan", "macvlan in mode passthru", "vlan"
_ALONE: Final = frozenset({_PASSTHRU, _VLAN})
"""Uses that no other network may share, be it of the same kind."""
_ON_MASTER: Final = (_MACVLAN, _IPVLAN, _VLAN)

Use = tuple[str, str]
"""A link, and what a network makes of it."""


def link_uses(network: Object) -> frozenset[Use]:
    """What a SpiderMultusConfig makes of links of the node; none of what cannot be read."""
    spec = network.get("spec") or {}
    kind = spec.get("cniType", "custom")
    if kind == "custom":
        return frozenset(_of_text(spec.get("customCNI")))
    section = spec.get(kind)
    if kind not in _ON_MASTER or not isinstance(section, dict):
        return frozenset()
    return frozenset(_of_section(kind, section))


# Thousands of networks have few different ones.
@lru_cache(maxsize=1024)
def _shared(uses: frozenset[Use]) -> frozenset[Use]:
    return uses


def _of_section(kind: str, section: Object) -> Iterator[Use]:
    given, bond = section.get("master"), section.get("bond")
    masters = [each for each in given if isinstance(each, str)] if isinstance(given, list) else []
    vlan = section.get("vlanID")
    if not masters or (section.get("linkInContainer") is True and len(masters) == 1 and not vlan):
        return
    parent = masters[0]
    if len(masters) > 1:
        if not isinstance(bond, dict) or not isinstance(bond.get("name"), str):
            return
        parent = bond["name"]
        settings = f"mode {bond.get('mode')} {str(bond.get('options') or '').strip()}".strip()
        yield f"bond {parent}", f"a bond of {', '.join(sorted(masters))}, {settings}"
        yield from ((each, f"a member of {parent}") for each in masters)
    link = f"{parent}.{vlan}" if vlan else parent
    if kind == _VLAN:
        if vlan:
            yield link, _VLAN
        return
    yield link, _PASSTHRU if kind == _MACVLAN and section.get("mode") == "passthru" else kind


def _of_text(text: Any) -> Iterator[Use]:
    """Those of the first plugin in customCNI."""
    if not isinstance(text, str) or not any(f'"{each}"' in text for each in _ON_MASTER):
        return
    try:
        content = json_text.plain(text)
    except ValueError:
        return
    plugins = content.get("plugins", [content]) if isinstance(content, dict) else ()
    first = plugins[0] if isinstance(plugins, list) and plugins else None
    if not isinstance(first, dict) or first.get("linkInContainer"):
        return
    kind, master, vlan = first.get("type"), first.get("master"), first.get("vlanId")
    if kind not in _ON_MASTER or not isinstance(master, str) or not master:
        return
    if kind == _VLAN:
        if isinstance(vlan, int) and vlan:
            yield f"{master}.{vlan}", _VLAN
    else:
        yield master, _PASSTHRU if first.get("mode") == "passthru" else str(kind)


@dataclass(slots=True)
class LinkIndex:
    """What all networks make of links, and which of them were told of another one.

    Attributes:
        told: what was said of each network of which something is to be said.
    """

    told: dict[Name, str] = field(default_factory=dict)
    _uses: dict[Name, frozenset[Use]] = field(default_factory=dict)
    _users: dict[str, dict[str, set[Name]]] = field(default_factory=dict)
    _first: dict[str, dict[str, list[Name]]] = field(default_factory=dict)
    _changed: set[str] = field(default_factory=set)

    def update(self, network: Object) -> None:
        """Read a network that came or changed."""
        name, uses = name_of(network), _shared(link_uses(network))
        if uses == self._uses.get(name, frozenset()):
            return
        self._drop(name)
        if uses:
            self._uses[name] = uses
        for link, use in uses:
            self._users.setdefault(link, {}).setdefault(use, set()).add(name)
            self._note(link)

    def remove(self, name: Name) -> None:
        """Drop a network."""
        self._drop(name)
        self.told.pop(name, None)

    def _drop(self, name: Name) -> None:
        for link, use in self._uses.pop(name, frozenset()):
            users = self._users[link]
            users[use].discard(name)
            if not users[use]:
                del users[use]
            if not users:
                del self._users[link]
            self._note(link)

    def _note(self, link: str) -> None:
        self._changed.add(link)
        self._first.pop(link, None)

    def conflict(self, name: Name, uses: frozenset[Use]) -> str | None:
        """Why a network with these uses and another one fail on a node; None when they do not."""
        for link, use in sorted(uses):
            for other, names in sorted(self._firsts(link).items()):
                if other == use and use not in _ALONE:
                    continue
                partner = next((each for each in names if each != name), None)
                if partner is not None:
                    return _message(link, use, other, partner)
        return None

    def _firsts(self, link: str) -> Mapping[str, list[Name]]:
        """The first two networks by each use of a link: of thousands, one is named."""
        found = self._first.get(link)
        if found is None:
            users = self._users.get(link, {})
            found = self._first[link] = {use: nsmallest(2, names) for use, names in users.items()}
        return found

    def judge(self, name: Name) -> str | None:
        """What is to be said of a network now; None for nothing."""
        message = self.conflict(name, self._uses.get(name, frozenset()))
        self.told.pop(name, None)
        if message is not None:
            self.told[name] = message
        return message

    def follow(self) -> list[Name]:
        """The networks, on links that changed, of which something else is to be said."""
        links, self._changed = self._changed, set()
        users = (self._users.get(link, {}) for link in links)
        concerned = {name for each in users for names in each.values() for name in names}
        return [
            name
            for name in sorted(concerned)
            if self.conflict(name, self._uses[name]) != self.told.get(name)
        ]


def _message(link: str, use: str, other: str, partner: Name) -> str:
    whose = f"SpiderMultusConfig {'/'.join(partner)}"
    if use.startswith("a bond of"):
        return (
            f"{link} is {use}, and in {whose} {other}: on a node there can be one of them, and pods"
            " of the other fail to start; give the bonds two names, or make them alike"
        )
    return (
        f"{link} is used by {use}, and by {other} in {whose}: on a node it can serve one of them,"
        " and pods of the other fail to start; use two masters, or one cniType"
    )


def shared_link_warning(message: str, cni_type: str) -> FieldWarning:
    """The warning of a network of a type that shares a link with one that it cannot share with."""
    name = "spec.customCNI" if cni_type == "custom" else f"spec.{cni_type}.master"
    return FieldWarning(REASON, name, message)
