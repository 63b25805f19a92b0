"""The problems of a SpiderMultusConfig: what keeps it from being used.

The schema is checked once more (a rule may be newer than the object), then what a schema cannot
say: annotations, and JSON inside strings. `PROBLEM_CHECKS` is the list.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from pydantic import ValidationError
from typing_extensions import override

from spidercoordinator.api import nad
from spidercoordinator.api.multus import NETWORK_OF, SpiderMultusConfig
from spidercoordinator.api.names import is_subdomain
from spidercoordinator.api.nesting import TOO_DEEP, is_too_deep
from spidercoordinator.api.objects import Object
from spidercoordinator.core.network.texts import text_problems
from spidercoordinator.errors import InvalidObjectError

_LONGEST: Final = 128
"""Characters of a value in a message."""
_LABEL_VALUE: Final = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")
_CONFIG_NAME: Final = re.compile(r"[A-Za-z0-9][-A-Za-z0-9_.]*")


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem of an object, or a warning about it.

    Attributes:
        field: path in the object, as the API knows it.
        message: what is wrong, which value, what is allowed.
    """

    field: str
    message: str

    @override
    def __str__(self) -> str:
        """The two as one line."""
        return f"{self.field}: {self.message}" if self.field else self.message


_WORDS: Final = {
    "tuple_type": "must be a list",
    "list_type": "must be a list",
    "too_short": "must have at least {min_length} entries",
    "too_long": "must have at most {max_length} entries",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
    "dict_type": "must be an object",
    "string_type": "must be a string",
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "must have at most {max_length} characters",
    "string_pattern_mismatch": "must match {pattern}",
    "int_type": "must be an integer",
    "int_from_float": "must be an integer",
    "int_parsing": "must be an integer",
    "int_parsing_size": "must be an integer of 64 bits",
    "bool_type": "must be a boolean, true or false",
    "bool_parsing": "must be a boolean, true or false",
    "less_than_equal": "must be at most {le}",
    "greater_than_equal": "must be at least {ge}",
    "literal_error": "must be one of {expected}",
    "missing": "is required",
}
"""Kind of error of pydantic → the same in the words of Kubernetes."""

Check = Callable[[SpiderMultusConfig], Iterator[Problem]]


def parse(network: Object) -> SpiderMultusConfig:
    """The object as a model, everything checked.

    Raises:
        InvalidObjectError: It cannot be used; the message lists all problems.
    """
    config = _read(network)
    problems = _problems(config)
    if problems or not isinstance(config, SpiderMultusConfig):
        raise InvalidObjectError("; ".join(map(str, problems)), field=problems[0].field)
    return config


def find_problems(network: Object) -> Iterator[Problem]:
    """Everything that keeps the object from being used."""
    yield from _problems(_read(network))


def _read(network: Object) -> SpiderMultusConfig | ValidationError:
    # What we wrote into status ourselves is not the user's to get right.
    validated = {key: network[key] for key in ("metadata", "spec") if key in network}
    try:
        return SpiderMultusConfig.model_validate(validated)
    except ValidationError as error:
        return error


def _problems(config: SpiderMultusConfig | ValidationError) -> list[Problem]:
    if isinstance(config, ValidationError):
        return list(schema_problems(config))
    return [problem for check in PROBLEM_CHECKS for problem in check(config)]


def schema_problems(error: ValidationError) -> Iterator[Problem]:
    """The models' errors with paths as the API server writes them: `spec.macvlan.master[0]`."""
    for detail in error.errors(include_url=False):
        at = detail.get("ctx", {}).get("at", "")
        steps = [*detail["loc"], *(at.split(".") if isinstance(at, str) and at else ())]
        if isinstance(at, int):
            steps.append(at)
        message = detail["msg"]
        if detail["type"] != "rule":
            message = _WORDS.get(detail["type"], message).format_map(detail.get("ctx", {}))
            if detail["type"] != "missing":
                message = f"{message}, not {_shown(detail['input'])}"
        yield Problem(path(steps), message)


def _shown(value: object) -> str:
    """A value as JSON writes it, which is how its author knows it."""
    try:
        text = json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def path(steps: list[int | str]) -> str:
    """`["spec", "master", 0]` as `spec.master[0]`."""
    text = ""
    for step in steps:
        text += f"[{step}]" if isinstance(step, int) else f".{step}"
    return text.removeprefix(".")


def annotation_path(key: str) -> str:
    """The path of an annotation."""
    return f"metadata.annotations[{key}]"


def _check_cr_name(config: SpiderMultusConfig) -> Iterator[Problem]:
    name = config.metadata.annotations.get(nad.CR_NAME)
    if name is not None and not is_subdomain(name):
        yield Problem(
            annotation_path(nad.CR_NAME),
            f'"{name}" cannot be the name of a NetworkAttachmentDefinition: lower-case letters,'
            ' digits, "-" and ".", at most 253 characters',
        )


def _check_cni_version(config: SpiderMultusConfig) -> Iterator[Problem]:
    version = config.metadata.annotations.get(nad.CNI_VERSION)
    if version is not None and version not in nad.CNI_VERSIONS:
        allowed = ", ".join(nad.CNI_VERSIONS)
        yield Problem(
            annotation_path(nad.CNI_VERSION),
            f'"{version}" is not a CNI version this works with: {allowed}',
        )


def _check_config_name(config: SpiderMultusConfig) -> Iterator[Problem]:
    name = config.metadata.annotations.get(nad.CNICONFIG_NAME)
    if name and not _CONFIG_NAME.fullmatch(name):
        yield Problem(
            annotation_path(nad.CNICONFIG_NAME),
            f'"{name}" cannot be the name of a CNI configuration: letters, digits, ".", "-" and'
            ' "_", beginning with a letter or digit',
        )


def _check_injection(config: SpiderMultusConfig) -> Iterator[Problem]:
    for key in (nad.RDMA_INJECT, nad.NETWORK_INJECT):
        value = config.metadata.annotations.get(key)
        if value is None:
            continue
        where = annotation_path(key)
        if not _LABEL_VALUE.fullmatch(value):
            yield Problem(
                where,
                f'"{value}" cannot become a label value: at most 63 letters, digits, "-", "_"'
                ' and ".", beginning and ending with a letter or digit',
            )
        if config.spec.cni_type in {"ovs", "custom"}:
            yield Problem(
                where, f"resources cannot be injected with cniType {config.spec.cni_type}"
            )
        else:
            yield from _check_injected(config, key, where)


def _check_injected(config: SpiderMultusConfig, key: str, where: str) -> Iterator[Problem]:
    network = config.spec.network
    pools = network.ippools if network else None
    resource = getattr(network, "resource_name", None) or getattr(
        network, "rdma_resource_name", None
    )
    of = f"spec.{network_field(config)}"
    if not resource:
        if key == nad.RDMA_INJECT:
            yield Problem(of, f"{where} needs the name of a device plugin's resource here")
        return
    if not (pools and (pools.ipv4 or pools.ipv6)):
        yield Problem(f"{of}.ippools", f"{where} needs at least one IPv4 or IPv6 pool here")


def network_field(config: SpiderMultusConfig) -> str:
    """The property of spec that describes the network."""
    return NETWORK_OF.get(config.spec.cni_type, "customCNI")


def _check_texts(config: SpiderMultusConfig) -> Iterator[Problem]:
    yield from (Problem(field, message) for field, message in text_problems(config.spec))


def _check_ipam(config: SpiderMultusConfig) -> Iterator[Problem]:
    if config.spec.ipam is not None and is_too_deep(config.spec.ipam.model_extra):
        yield Problem("spec.ipam", TOO_DEEP)


PROBLEM_CHECKS: Final[tuple[Check, ...]] = (
    _check_cr_name,
    _check_cni_version,
    _check_config_name,
    _check_injection,
    _check_texts,
    _check_ipam,
)
