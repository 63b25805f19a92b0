"""What users write in files, judged before any cluster sees it.

The same rules as on the API server, and one more: a field that the kind does not have. The API
server drops such a field silently, so a misspelt setting looks as if it were there.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from typing import Any, Final

from pydantic import ValidationError
from typing_extensions import override

from spidercoordinator.api.coordinator import SpiderCoordinator
from spidercoordinator.api.crd import KINDS, structural_schema
from spidercoordinator.api.kinds import API_VERSION, COORDINATOR_KIND, GROUP, NETWORK_KIND
from spidercoordinator.core.checks.admission import UNBORN, review_coordinator, review_network
from spidercoordinator.core.network.desired import nad_name
from spidercoordinator.core.network.validation import Problem, is_subdomain, schema_problems

_NAMES: Final = tuple(kind.name for kind in KINDS)
_DEFAULT_NAMESPACE: Final = "default"


@dataclass(frozen=True, slots=True)
class Manifest:
    """One object of ours as written in a file.

    Attributes:
        origin: where it was written, for messages.
        thing: the object, with a namespace if its kind has one.
    """

    origin: str
    thing: Mapping[str, Any]

    @property
    def kind(self) -> str:
        """Its kind."""
        return str(self.thing["kind"])

    @property
    def name(self) -> str:
        """Its name, with its namespace if it has one."""
        meta = self.thing["metadata"]
        return "/".join(str(meta[key]) for key in ("namespace", "name") if meta.get(key))

    @override
    def __str__(self) -> str:
        """As one line."""
        return f"{self.origin}: {self.kind} {self.name}"


@dataclass(frozen=True, slots=True)
class Remark:
    """One thing to say of a manifest.

    Attributes:
        subject: which manifest.
        text: the field and what is wrong with it, or doubtful.
        wrong: whether the API server, its webhook or the operator would refuse it.
    """

    subject: str
    text: str
    wrong: bool

    @override
    def __str__(self) -> str:
        """As one line."""
        return f"{self.subject}: {'error' if self.wrong else 'warning'}: {self.text}"


def ours(documents: Iterable[tuple[str, Any]]) -> tuple[list[Manifest], list[Remark]]:
    """The objects of this product among documents of all kinds, and what is no object at all.

    Args:
        documents: where each was written, and its content; lists of objects are taken apart.
    """
    manifests: list[Manifest] = []
    remarks: list[Remark] = []
    for origin, document in _apart(documents):
        if document is None:
            continue
        if not isinstance(document, Mapping) or not isinstance(document.get("kind"), str):
            remarks.append(Remark(origin, "it is no Kubernetes object: it has no kind", wrong=True))
        elif str(document.get("apiVersion", "")).startswith(f"{GROUP}/"):
            if problem := _misnamed(document):
                remarks.append(Remark(f"{origin}: {document['kind']}", str(problem), wrong=True))
            else:
                manifests.append(Manifest(origin, _placed(document)))
    return manifests, remarks


def review(manifests: Sequence[Manifest]) -> list[Remark]:
    """Everything to say of the manifests, in their order."""
    remarks: list[Remark] = []
    counts = Counter((each.kind, each.name) for each in manifests)
    rivals = _by_nad(manifests)
    for each in manifests:
        problems = [*_unknown_fields(each), *_review(each, rivals)]
        if counts[each.kind, each.name] > 1:
            problems.append((Problem("metadata.name", "it is there more than once"), True))
        remarks.extend(Remark(str(each), str(problem), wrong) for problem, wrong in problems)
    return remarks


def _apart(documents: Iterable[tuple[str, Any]]) -> Iterator[tuple[str, Any]]:
    for origin, document in documents:
        if isinstance(document, Mapping) and isinstance(document.get("items"), list):
            yield from ((origin, item) for item in document["items"])
        else:
            yield origin, document


def _misnamed(document: Mapping[str, Any]) -> Problem | None:
    version, kind, meta = (document.get(key) for key in ("apiVersion", "kind", "metadata"))
    if version != API_VERSION:
        return Problem("apiVersion", f'"{version}" is not served; allowed is {API_VERSION}')
    if kind not in _NAMES:
        return Problem("kind", f'"{kind}" is not of this product; its kinds: {", ".join(_NAMES)}')
    if not isinstance(meta, Mapping):
        return Problem("metadata", "it is missing; metadata.name is required")
    for key in ("name", "namespace"):
        value = meta.get(key)
        if key == "namespace" and value is None:
            continue
        if not isinstance(value, str) or not is_subdomain(value):
            return Problem(
                f"metadata.{key}",
                f'{value!r} is no name; allowed are lower-case letters, digits, "-" and "."',
            )
    return None


def _placed(document: Mapping[str, Any]) -> dict[str, Any]:
    """As the API server would complete it."""
    meta = {key: value for key, value in document["metadata"].items() if value is not None}
    if document["kind"] == NETWORK_KIND:
        meta = {"namespace": _DEFAULT_NAMESPACE, **meta}
    made = {**UNBORN, "uid": f"{meta.get('namespace', '')}/{meta['name']}"}
    return {**document, "metadata": made | meta}


def _by_nad(manifests: Iterable[Manifest]) -> dict[tuple[str, str], list[Manifest]]:
    found: dict[tuple[str, str], list[Manifest]] = defaultdict(list)
    for each in manifests:
        if each.kind == NETWORK_KIND:
            found[_nad(each)].append(each)
    return found


def _nad(network: Manifest) -> tuple[str, str]:
    meta = network.thing["metadata"]
    annotations = meta.get("annotations")
    whole = isinstance(annotations, Mapping)
    return meta["namespace"], nad_name(network.thing) if whole else meta["name"]


def _review(
    manifest: Manifest, by_nad: Mapping[tuple[str, str], Sequence[Manifest]]
) -> Iterator[tuple[Problem, bool]]:
    if manifest.kind == COORDINATOR_KIND:
        try:
            SpiderCoordinator.model_validate(manifest.thing)
        except ValidationError as error:
            yield from ((problem, True) for problem in schema_problems(error))
            return
        answer = review_coordinator(manifest.thing)
    else:
        others = [each.thing for each in by_nad[_nad(manifest)] if each.name != manifest.name]
        answer = review_network(manifest.thing, None, rivals=others, current=None)
    yield from ((problem, True) for problem in answer.refusals)
    yield from ((Problem("", text), False) for text in answer.warnings)


def _unknown_fields(manifest: Manifest) -> Iterator[tuple[Problem, bool]]:
    for problem in _strangers(manifest.thing.get("spec"), _spec_schema(manifest.kind), "spec"):
        yield problem, True


@cache
def _spec_schema(kind: str) -> Mapping[str, Any]:
    model = next(each.model for each in KINDS if each.name == kind)
    schema: Mapping[str, Any] = structural_schema(model)["properties"]["spec"]
    return schema


def _strangers(value: Any, schema: Mapping[str, Any], path: str) -> Iterator[Problem]:
    if isinstance(value, list) and "items" in schema:
        for index, item in enumerate(value):
            yield from _strangers(item, schema["items"], f"{path}[{index}]")
    known = schema.get("properties")
    if not isinstance(value, Mapping) or not known:
        return
    for key, item in value.items():
        if key in known:
            yield from _strangers(item, known[key], f"{path}.{key}")
        elif not schema.get("x-kubernetes-preserve-unknown-fields"):
            yield Problem(f"{path}.{key}", _no_such_field(str(key), known))


def _no_such_field(key: str, known: Iterable[str]) -> str:
    like = get_close_matches(key, known, n=1)
    meant = f"did you mean {like[0]}?" if like else f"allowed are {', '.join(sorted(known))}"
    return f"there is no such field; {meant}"
