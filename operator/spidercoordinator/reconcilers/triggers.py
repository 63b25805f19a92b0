"""What starts a reconcile: from a change in a store to keys in the work queue.

Our own kinds get into their stores through kopf's handlers (`handlers/`), foreign kinds through
informers (`manager`). The answers of own writes start nothing.
"""

from __future__ import annotations

from functools import partial

from spidercoordinator.api.objects import Name
from spidercoordinator.core.network.desired import nad_name
from spidercoordinator.core.network.maker import maker_name
from spidercoordinator.kube.resource import Object
from spidercoordinator.reconcilers.context import Context, coordinator_key, network_key


def register(context: Context) -> None:
    """Have every change in a store enqueue the keys that it concerns."""
    stores = context.stores
    stores.coordinators.add_event_handler(partial(coordinator_changed, context))
    stores.networks.add_event_handler(partial(network_changed, context))
    stores.nads.add_event_handler(partial(nad_changed, context))
    stores.node_defaults.add_event_handler(partial(node_defaults_changed, context))


def coordinator_changed(
    context: Context, name: Name, before: Object | None, after: Object | None
) -> None:
    """Enqueue the SpiderCoordinator."""
    del before, after
    context.services.queue.add(coordinator_key(name[1]))


def network_changed(
    context: Context, name: Name, before: Object | None, after: Object | None
) -> None:
    """Enqueue the network, and those that desired the same NAD when it does not any more.

    One more, or one fewer, changes the SpiderCoordinator's count of networks.
    """
    concerned = {name}
    if before is not None and (after is None or nad_name(before) != nad_name(after)):
        concerned |= context.stores.index.claimants((name[0], nad_name(before)))
    for each in concerned:
        context.enqueue_network(each)
    if before is None or after is None:
        context.enqueue_coordinator(after=1.0)
    if not (before and after and _generation(before) == _generation(after)):
        # What failed before was about another spec.
        context.services.queue.forget(network_key(name))


def nad_changed(context: Context, name: Name, before: Object | None, after: Object | None) -> None:
    """Enqueue the networks that desire the NAD, and those it is or was made from."""
    makers = {maker_name(each) for each in (before, after) if each is not None}
    concerned = {(name[0], maker) for maker in makers if maker}
    for each in concerned | context.stores.index.claimants(name):
        context.enqueue_network(each)


def node_defaults_changed(
    context: Context, name: Name, before: Object | None, after: Object | None
) -> None:
    """Enqueue the SpiderCoordinator, whose reconcile keeps the nodes' defaults in sync."""
    del name, before, after
    context.enqueue_coordinator()


def nads_served(context: Context, *, served: bool) -> None:
    """Enqueue everything when the kind NetworkAttachmentDefinition comes or goes."""
    if served == context.decided.nads_served:
        return
    context.decided.nads_served = served
    context.enqueue_coordinator()
    context.enqueue_all_networks()


def _generation(network: Object) -> int:
    return int(network["metadata"].get("generation", 0))
