"""Indexes over networks and NADs, so that one change costs one look-up and not a walk over all."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from spidercoordinator.api.objects import Name, Object, name_of
from spidercoordinator.core.network.desired import nad_name
from spidercoordinator.core.network.maker import maker_name


@dataclass(slots=True)
class Claims:
    """Which networks claim which NAD, and which NADs are made from which network."""

    _claimants: dict[Name, set[Name]] = field(default_factory=lambda: defaultdict(set))
    _claimed: dict[Name, Name] = field(default_factory=dict)
    _products: dict[Name, set[Name]] = field(default_factory=lambda: defaultdict(set))
    _makers: dict[Name, Name] = field(default_factory=dict)

    def update_network(self, network: Object) -> frozenset[Name]:
        """Index the NAD a network claims; returns the others it no longer stands in the way of."""
        name = name_of(network)
        nad = (name[0], nad_name(network))
        freed = self.remove_network(name) if self._claimed.get(name) != nad else frozenset()
        self._claimed[name] = nad
        self._claimants[nad].add(name)
        return freed

    def remove_network(self, network: Name) -> frozenset[Name]:
        """Drop a network; returns the others that claim the same NAD."""
        nad = self._claimed.pop(network, None)
        if nad is None:
            return frozenset()
        others = self._claimants[nad]
        others.discard(network)
        if not others:
            del self._claimants[nad]
        return frozenset(others)

    def update_nad(self, nad: Object) -> frozenset[Name]:
        """Index the network a NAD is made from; returns the networks its change concerns."""
        name = name_of(nad)
        concerned = self.claimants(name) | self._forget_maker(name)
        maker = maker_name(nad)
        if not maker:
            return concerned
        network = (name[0], maker)
        self._makers[name] = network
        self._products[network].add(name)
        return concerned | {network}

    def remove_nad(self, nad: Name) -> frozenset[Name]:
        """Drop a NAD; returns the networks its end concerns."""
        return self.claimants(nad) | self._forget_maker(nad)

    def claimants(self, nad: Name) -> frozenset[Name]:
        """The networks that claim this NAD."""
        return frozenset(self._claimants.get(nad, ()))

    def products(self, network: Name) -> frozenset[Name]:
        """The NADs that are made from this network, or say so."""
        return frozenset(self._products.get(network, ()))

    def makers(self) -> frozenset[Name]:
        """The networks that NADs are made from, or say so, whether they exist or not."""
        return frozenset(self._products)

    def _forget_maker(self, nad: Name) -> frozenset[Name]:
        network = self._makers.pop(nad, None)
        if network is None:
            return frozenset()
        products = self._products[network]
        products.discard(nad)
        if not products:
            del self._products[network]
        return frozenset({network})
