"""Indexes over networks and NADs, so that one change costs one look and not a walk over all."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from spidercoordinator.api.objects import Name, Object, name_of
from spidercoordinator.core.network.desired import nad_name
from spidercoordinator.core.network.ownership import network_of, owner


@dataclass(slots=True)
class Claims:
    """Which networks want which NAD, and which NADs are made from which network."""

    _wanters: dict[Name, set[Name]] = field(default_factory=lambda: defaultdict(set))
    _wanted: dict[Name, Name] = field(default_factory=dict)
    _products: dict[Name, set[Name]] = field(default_factory=lambda: defaultdict(set))
    _origin: dict[Name, Name] = field(default_factory=dict)

    def note_network(self, thing: Object) -> frozenset[Name]:
        """Note what a network wants; gives the others it no longer stands in the way of."""
        network = name_of(thing)
        wanted = (network[0], nad_name(thing))
        freed = self.drop_network(network) if self._wanted.get(network) != wanted else frozenset()
        self._wanted[network] = wanted
        self._wanters[wanted].add(network)
        return freed

    def drop_network(self, network: Name) -> frozenset[Name]:
        """Forget a network; gives the others that want the same NAD."""
        wanted = self._wanted.pop(network, None)
        if wanted is None:
            return frozenset()
        others = self._wanters[wanted]
        others.discard(network)
        if not others:
            del self._wanters[wanted]
        return frozenset(others)

    def note_attachment(self, thing: Object) -> frozenset[Name]:
        """Note whose product a NAD is; gives the networks its change concerns."""
        attachment = name_of(thing)
        before = self._forget_origin(attachment)
        found = owner(thing)
        origin = str(found["name"]) if found else network_of(thing).partition("/")[0]
        concerned = self.wanters(attachment) | before
        if not origin:
            return concerned
        network = (attachment[0], origin)
        self._origin[attachment] = network
        self._products[network].add(attachment)
        return concerned | {network}

    def drop_attachment(self, attachment: Name) -> frozenset[Name]:
        """Forget a NAD; gives the networks its end concerns."""
        return self.wanters(attachment) | self._forget_origin(attachment)

    def wanters(self, attachment: Name) -> frozenset[Name]:
        """The networks that want this NAD."""
        return frozenset(self._wanters.get(attachment, ()))

    def products(self, network: Name) -> frozenset[Name]:
        """The NADs that are made from this network, or say so."""
        return frozenset(self._products.get(network, ()))

    def _forget_origin(self, attachment: Name) -> frozenset[Name]:
        network = self._origin.pop(attachment, None)
        if network is None:
            return frozenset()
        products = self._products[network]
        products.discard(attachment)
        if not products:
            del self._products[network]
        return frozenset({network})
