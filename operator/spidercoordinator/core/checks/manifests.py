"""Manifests checked without a cluster.

The same rules as on the API server, and one more: a field that the kind does not have. The API
server drops such a field silently, so a misspelt setting looks as if it were there.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from pydantic import ValidationError
from typing_extensions import override

from spidercoordinator.api.coordinator import SpiderCoordinator
from spidercoordinator.api.crd import KINDS
from spidercoordinator.api.kinds import API_VERSION, COORDINATOR_KIND, GROUP, NETWORK_KIND
from spidercoordinator.api.names import IN_LABEL, IN_SUBDOMAIN, is_label, is_subdomain
from spidercoordinator.api.objects import Name, Object
from spidercoordinator.core.checks.admission import NOT_STORED, review_coordinator, review_network
from spidercoordinator.core.checks.fields import unknown_fields
from spidercoordinator.core.checks.stated import stated_cluster
from spidercoordinator.core.coordinator.cluster import ClusterConfig
from spidercoordinator.core.network.desired import nad_name
from spidercoordinator.core.network.linkuse import LinkIndex
from spidercoordinator.core.network.sharing import AddressPool, pool_of
from spidercoordinator.core.network.validation import (
    Problem,
    find_problems,
    schema_problems,
)

_NAMES: Final = tuple(kind.name for kind in KINDS)
_LIST: Final = "List"
"""End of the kind of a list, such as List and SpiderMultusConfigList."""
DEFAULT_NAMESPACE: Final = "default"
"""Of a manifest that names none, as kubectl has it where its context says nothing."""

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Manifest:
    """One object of ours as written in a file.

    Attributes:
        origin: where it was read, for messages.
        obj: the object, with a namespace if its kind has one.
    """

    origin: str
    obj: Object

    @property
    def kind(self) -> str:
        """Its kind."""
        return str(self.obj["kind"])

    @property
    def name(self) -> str:
        """Its name, with its namespace if it has one."""
        meta = self.obj["metadata"]
        return "/".join(str(meta[key]) for key in ("namespace", "name") if meta.get(key))

    @override
    def __str__(self) -> str:
        """As one line."""
        return f"{self.origin}: {self.kind} {self.name}"


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """An error in a manifest, or a warning about it.

    Attributes:
        subject: which manifest.
        text: the field, and what is wrong with it.
        severity: error if the API server, its webhook or the operator would refuse it.
    """

    subject: str
    text: str
    severity: Severity

    @override
    def __str__(self) -> str:
        """As one line."""
        return f"{self.subject}: {self.severity}: {self.text}"


def own_manifests(
    documents: Iterable[tuple[str, Any]], namespace: str = DEFAULT_NAMESPACE
) -> tuple[list[Manifest], list[Diagnostic]]:
    """The objects of this product among documents of all kinds, and errors in what is no object.

    Args:
        documents: where each was written, and its content; lists of objects are taken apart.
        namespace: of networks that name none.
    """
    manifests: list[Manifest] = []
    diagnostics: list[Diagnostic] = []
    for origin, document in _items(documents):
        if problem := _shape_problem(document):
            diagnostics.append(Diagnostic(origin, problem, "error"))
        elif _is_meant_for_us(document):
            if identity := _identity_problem(document):
                diagnostics.append(
                    Diagnostic(f"{origin}: {document['kind']}", str(identity), "error")
                )
            else:
                manifests.append(Manifest(origin, _completed(document, namespace)))
    return manifests, diagnostics


def review_manifests(manifests: Sequence[Manifest]) -> list[Diagnostic]:
    """All errors and warnings, in the order of the manifests."""
    diagnostics: list[Diagnostic] = []
    counts = Counter((each.kind, each.name) for each in manifests)
    rivals, cluster, pools = _by_nad(manifests), _cluster(manifests), _pools(manifests)
    links = _links(manifests)
    for each in manifests:
        unknown = unknown_fields(each.kind, each.obj.get("spec"))
        reviewed = _review(each, rivals, cluster, pools, links)
        problems = [*((problem, "error") for problem in unknown), *reviewed]
        if counts[each.kind, each.name] > 1:
            problems.append((Problem("metadata.name", "it is there more than once"), "error"))
        diagnostics.extend(
            Diagnostic(str(each), str(problem), severity) for problem, severity in problems
        )
    return diagnostics


def _items(documents: Iterable[tuple[str, Any]]) -> Iterator[tuple[str, Any]]:
    """The objects, those of lists one by one; empty documents are left out."""
    for origin, document in documents:
        if isinstance(document, dict) and isinstance(document.get("items"), list):
            yield from _items((origin, _listed(item, document)) for item in document["items"])
        elif document is not None and not _is_empty_list(document):
            yield origin, document


def _listed(item: Any, collection: Object) -> Any:
    """An item of a SpiderMultusConfigList need not repeat its kind, as Kubernetes' own do not."""
    kind = str(collection.get("kind", "")).removesuffix(_LIST)
    if not isinstance(item, dict) or not kind:
        return item
    return {"apiVersion": collection.get("apiVersion"), "kind": kind} | item


def _is_empty_list(document: Any) -> bool:
    """Whether it is one as Go writes it: `items: null`, or none."""
    is_list = isinstance(document, dict) and str(document.get("kind", "")).endswith(_LIST)
    return is_list and document.get("items") is None


def _shape_problem(document: Any) -> str:
    """Why it is no Kubernetes object at all; empty if it is one."""
    if not isinstance(document, dict) or not isinstance(document.get("kind"), str):
        return "it is no Kubernetes object: it has no kind"
    if not isinstance(document.get("apiVersion"), str):
        return f"it is no Kubernetes object: {document['kind']} without an apiVersion"
    if str(document["kind"]).endswith(_LIST) and "items" in document:
        return f"items of a {document['kind']} must be a list"
    return ""


def _is_meant_for_us(document: Object) -> bool:
    """Whether its group is ours, or its kind is and the group is misspelt."""
    return str(document["apiVersion"]).startswith(f"{GROUP}/") or document["kind"] in _NAMES


def _identity_problem(document: Object) -> Problem | None:
    version, kind, meta = (document.get(key) for key in ("apiVersion", "kind", "metadata"))
    if version != API_VERSION:
        return Problem("apiVersion", f'"{version}" is not served; allowed is {API_VERSION}')
    if kind not in _NAMES:
        return Problem("kind", f'"{kind}" is not of this product; its kinds: {", ".join(_NAMES)}')
    if not isinstance(meta, Mapping):
        return Problem("metadata", "it is missing; metadata.name is required")
    return _name_problem(meta)


def _name_problem(meta: Mapping[str, Any]) -> Problem | None:
    name, namespace = meta.get("name"), meta.get("namespace")
    if name is None:
        return Problem("metadata.name", "it is missing; generateName does not stand for it")
    if not is_subdomain(name):
        return Problem("metadata.name", f"{name!r} is no name; allowed are {IN_SUBDOMAIN}")
    if namespace is not None and not is_label(namespace):
        message = f"{namespace!r} is no namespace; allowed are {IN_LABEL}"
        return Problem("metadata.namespace", message)
    return None


def _completed(document: Object, namespace: str) -> Object:
    """As the API server would complete it."""
    meta = {key: value for key, value in document["metadata"].items() if value is not None}
    if document["kind"] == NETWORK_KIND:
        meta = {"namespace": namespace, **meta}
    else:
        meta.pop("namespace", None)  # of no effect: the kind is the cluster's
    defaults = {**NOT_STORED, "uid": f"{meta.get('namespace', '')}/{meta['name']}"}
    return {**document, "metadata": defaults | meta}


def _cluster(manifests: Sequence[Manifest]) -> ClusterConfig | None:
    """What networks inherit: from the only SpiderCoordinator that is given, if it can be used."""
    names = {each.name for each in manifests if each.kind == COORDINATOR_KIND}
    if len(names) != 1:
        return None
    try:
        return stated_cluster((each.obj for each in manifests), names.pop())
    except ValidationError:
        return None  # it is refused itself, which says what is wrong


def _by_nad(manifests: Iterable[Manifest]) -> dict[Name, list[Manifest]]:
    by_nad: dict[Name, list[Manifest]] = defaultdict(list)
    for each in manifests:
        if each.kind == NETWORK_KIND:
            by_nad[_nad(each)].append(each)
    return by_nad


def _nad(network: Manifest) -> Name:
    meta = network.obj["metadata"]
    annotations = meta.get("annotations")
    whole = isinstance(annotations, Mapping)
    return meta["namespace"], nad_name(network.obj) if whole else meta["name"]


def _pools(manifests: Iterable[Manifest]) -> list[AddressPool]:
    """What the networks give addresses from, as far as they can be used and say so themselves."""
    networks = (each.obj for each in manifests if each.kind == NETWORK_KIND)
    pools = (pool_of(each, {}) for each in networks if not any(find_problems(each)))
    return [each for each in pools if each is not None]


def _links(manifests: Iterable[Manifest]) -> LinkIndex:
    """What the networks make of links of nodes."""
    index = LinkIndex()
    for each in manifests:
        if each.kind == NETWORK_KIND and not any(find_problems(each.obj)):
            index.update(each.obj)
    return index


def _review(
    manifest: Manifest,
    by_nad: Mapping[Name, Sequence[Manifest]],
    cluster: ClusterConfig | None,
    pools: Sequence[AddressPool],
    links: LinkIndex,
) -> Iterator[tuple[Problem, Severity]]:
    if manifest.kind == COORDINATOR_KIND:
        try:
            SpiderCoordinator.model_validate(manifest.obj)
        except ValidationError as error:
            yield from ((problem, "error") for problem in schema_problems(error))
            return
        result = review_coordinator(manifest.obj, cluster=cluster)
    else:
        others = [each.obj for each in by_nad[_nad(manifest)] if each.name != manifest.name]
        result = review_network(
            manifest.obj,
            None,
            rivals=others,
            nad=None,
            cluster=cluster,
            pools=pools,
            links=links,
        )
    yield from ((problem, "error") for problem in result.refusals)
    yield from ((Problem("", text), "warning") for text in result.warnings)
