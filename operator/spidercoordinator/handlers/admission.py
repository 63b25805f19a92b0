"""The admission webhook: kopf passes a review on, `core.checks.admission` answers it.

Nothing depends on it, and it stands in nobody's way: what it stumbles over is allowed, with a
warning that says so. Its failurePolicy is Ignore. `webhookserver` serves it.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from functools import partial
from math import inf
from typing import Any, Final

import kopf

from spidercoordinator.api.nesting import cut
from spidercoordinator.api.objects import mapping, name_of
from spidercoordinator.core.checks.admission import Review, review_coordinator, review_network
from spidercoordinator.core.network.desired import nad_name
from spidercoordinator.core.network.maker import maker_uid
from spidercoordinator.kube.crash import brief
from spidercoordinator.kube.resource import (
    SPIDERCOORDINATORS,
    SPIDERMULTUSCONFIGS,
    Object,
    Resource,
)
from spidercoordinator.reconcilers.manager import Manager

logger = logging.getLogger(__name__)

_NETWORK: Final = SPIDERMULTUSCONFIGS
_COORDINATOR: Final = SPIDERCOORDINATORS
_KINDS: Final = frozenset({SPIDERMULTUSCONFIGS.kind, SPIDERCOORDINATORS.kind})
_INVALID: Final = 422
_REVIEWED: Final = ("CREATE", "UPDATE")
_LONGEST_WARNING: Final = 256
"""The API server cuts longer ones."""


@kopf.on.validate(_NETWORK.group, _NETWORK.version, _NETWORK.plural, id="validate-network")
async def validate_network(memo: Any, warnings: list[str], **request: Any) -> None:
    """Refuse or warn of a SpiderMultusConfig that is created or changed.

    In the event loop, where nothing changes the stores meanwhile: kopf runs others in threads.
    """

    def review(network: Object, before: Object | None) -> Review:
        return _review_network(memo.manager, network, before)

    _answer(memo.manager, _NETWORK, review, warnings, request)


@kopf.on.validate(
    _COORDINATOR.group, _COORDINATOR.version, _COORDINATOR.plural, id="validate-coordinator"
)
async def validate_coordinator(memo: Any, warnings: list[str], **request: Any) -> None:
    """Refuse or warn of a SpiderCoordinator that is created or changed."""
    context = memo.manager.context
    review = partial(
        review_coordinator,
        cluster=context.decided.cluster,
        node_addresses=context.services.discovery.node_addresses(),
    )
    _answer(memo.manager, _COORDINATOR, review, warnings, request)


async def reviewed(manager: Manager, answer: Any, review: Any, **details: Any) -> Any:
    """Pass a review on to kopf; what kopf itself stumbles over is allowed, too."""
    try:
        return await answer(review, **details)
    except Exception as error:
        # Whatever it is, it must not stand in the way.
        request = mapping(mapping(review).get("request"))
        kind = str(mapping(request.get("kind")).get("kind", ""))
        if kind not in _KINDS:
            # Nobody asks of these but by mistake, or on purpose: kopf says that it knows none.
            raise
        what = f"{kind} {request.get('namespace', '')}/{request.get('name', '')}"
        manager.crashes.handle("review", what, error)
        manager.context.services.metrics.reviews.labels(kind, "failed").inc()
        allowed = {"uid": request.get("uid", ""), "allowed": True, "warnings": [_unchecked(error)]}
        return {**{key: review.get(key) for key in ("apiVersion", "kind")}, "response": allowed}


def plain(body: Any) -> Object:
    """An object as kopf shows it, as JSON data, and no deeper than anybody may make it."""
    return {key: cut(body[key]) for key in ("metadata", "spec") if key in body}


def refusals_are_no_errors(_: logging.LogRecord) -> bool:
    """Filter of kopf's log: an object that is refused is its author's matter, logged here as such.

    kopf logs it, as an error, while it handles what was raised.
    """
    return not isinstance(sys.exc_info()[1], kopf.AdmissionError)


def _answer(
    manager: Manager,
    resource: Resource,
    review: Callable[[Object, Object | None], Review],
    warnings: list[str],
    request: dict[str, Any],
) -> None:
    if request.get("operation") not in _REVIEWED or request.get("subresource"):
        return
    metrics = manager.context.services.metrics
    kind, count = resource.kind, metrics.reviews.labels
    name = kind
    try:
        name = resource.describe(*name_of(request["body"]))
        old = request.get("old")
        with metrics.review_seconds.labels(kind).time():
            answer = review(plain(request["body"]), plain(old) if old is not None else None)
    except Exception as error:  # noqa: BLE001 - whatever it is, it must not stand in the way
        manager.crashes.handle("review", name, error)
        count(kind, "failed").inc()
        warnings.append(_unchecked(error))
        return
    warnings.extend(answer.warnings)
    count(kind, "refused" if answer.refusals else "allowed").inc()
    if answer.refusals:
        text = "; ".join(map(str, answer.refusals))
        who = str((request.get("userinfo") or {}).get("username", ""))
        extra = {"object": name, "user": who, "operation": request["operation"]}
        logger.info("refused %s: %s", name, text, extra=extra)
        raise kopf.AdmissionError(text, code=_INVALID)


def _unchecked(error: Exception) -> str:
    text = f"not checked by spidercoordinator, which met an unexpected error: {brief(error)}"
    return text[:_LONGEST_WARNING]


def _review_network(manager: Manager, network: Object, before: Object | None) -> Review:
    stores = manager.context.stores
    name = name_of(network)
    nad = (name[0], nad_name(network))
    others = stores.index.claimants(nad) - {name}
    uid = network["metadata"].get("uid")
    made = (stores.nads.get(each) for each in stores.index.products(name))
    return review_network(
        network,
        before,
        rivals=[stores.networks[each] for each in others if each in stores.networks],
        nad=stores.nads.get(nad),
        has_nad=any(maker_uid(each) == uid for each in made if each is not None),
        nodes=manager.nodes.fleet(fresh=inf) if manager.nodes else None,
        cluster=manager.context.decided.cluster,
        ipam=manager.context.decided.ipam,
        pools=stores.ranges.pools.values(),
        node_addresses=manager.context.services.discovery.node_addresses(),
        links=stores.links,
    )
