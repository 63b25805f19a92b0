"""Keeps the labels of a network that mirror its inject annotations."""

from __future__ import annotations

from functools import partial
from typing import Final

from spidercoordinator.api.multus import SpiderMultusConfig
from spidercoordinator.core.network.desired import INJECTION_KEYS, injected_labels
from spidercoordinator.kube.resource import SPIDERMULTUSCONFIGS, Object
from spidercoordinator.reconcilers.context import Context, network_key
from spidercoordinator.reconcilers.writes import Target, once_a_minute

_LABELS: Final = tuple(("metadata", "labels", key) for key in INJECTION_KEYS)


async def sync(context: Context, observed: Object, config: SpiderMultusConfig) -> None:
    """Write those labels if they differ; those of the user are left alone.

    Args:
        context: What reconcilers share.
        observed: The network.
        config: It, parsed.

    Raises:
        ApiError: the API server refused or was not reached.
    """
    desired = injected_labels(config)
    labels = observed["metadata"].get("labels") or {}
    present = {key: labels[key] for key in INJECTION_KEYS if key in labels}
    meta = config.metadata
    network, what = (meta.namespace, meta.name), "labels in dispute"
    key, target = network_key(network), Target(SPIDERMULTUSCONFIGS, *network, _LABELS, meta.uid)
    if desired == present:
        contest = context.writes.settled(key, target)
    else:
        write = partial(_apply, context, config, desired)
        digest = str(sorted(desired.items()))
        contest = await once_a_minute(context.writes, key, target, digest, write)
    context.note_contest(key, what, contest)


async def _apply(context: Context, config: SpiderMultusConfig, desired: dict[str, str]) -> None:
    meta = {"name": config.metadata.name, "namespace": config.metadata.namespace}
    body = {"metadata": {**meta, "uid": config.metadata.uid, "labels": desired}}
    await context.services.client.apply(SPIDERMULTUSCONFIGS, body)
