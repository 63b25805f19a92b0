"""The chart's values.schema.json: `coordinator.*` from the models, the rest from values.yaml.

The shape of values.yaml is taken as it is: a key that is not in it is a typing error. Parts that
are Kubernetes' own (resources, selectors, labels, …) are left open.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from spidercoordinator.api.coordinator import SpiderCoordinatorSpec
from spidercoordinator.api.crd import resolve
from spidercoordinator.api.objects import Object

CHART = Path("charts/spidercoordinator")

_KUBERNETES_OWN = frozenset(
    {"resources", "nodeSelector", "podSecurityContext", "securityContext", "defaultIPAM"}
)
_NUMBER_OR_TEXT = frozenset({"maxUnavailable", "minAvailable"})
_CHOICES = {
    "pullPolicy": ["Always", "IfNotPresent", "Never"],
    "level": ["debug", "info", "warning", "error"],
    "format": ["json", "text"],
}
# Names and types only. What a value may be is said by the chart's templates/_validate.tpl: helm's
# words for a broken rule of a schema ("'allOf' failed") help nobody.
_KEPT = frozenset({"type", "items", "properties", "required", "description"})
# `--set` makes a number of 169 and a truth value of true: the templates say what is wrong there.
_TEXT = ["string", "number", "boolean"]
_TYPES: dict[type, str] = {bool: "boolean", int: "integer", str: "string", list: "array"}


def values_schema(root: Path) -> Iterator[tuple[Path, str]]:
    """The schema file, if there is a chart."""
    values = root / CHART / "values.yaml"
    if not values.exists():
        return
    defaults = yaml.safe_load(values.read_text())
    schema = _object(defaults)
    # Helm itself adds keys to `global`, and parent charts share theirs.
    schema["properties"]["global"]["additionalProperties"] = True
    schema["properties"]["coordinator"] = _coordinator(defaults["coordinator"])
    whole = {"$schema": "http://json-schema.org/draft-07/schema#", **schema}
    yield CHART / "values.schema.json", json.dumps(whole, indent=2, ensure_ascii=False) + "\n"


def _object(defaults: Mapping[str, Any]) -> Object:
    properties = {key: _of_default(key, value) for key, value in defaults.items()}
    return {"type": "object", "additionalProperties": False, "properties": properties}


def _of_default(key: str, default: Any) -> Object:
    if key in _CHOICES:
        return {"enum": _CHOICES[key]}
    if key in _NUMBER_OR_TEXT:
        return {"type": ["integer", "string"]}
    if isinstance(default, Mapping):
        return {"type": "object"} if key in _KUBERNETES_OWN or not default else _object(default)
    if default is None:
        return {}
    return {"type": _TYPES[type(default)]}


def _coordinator(defaults: Mapping[str, Any]) -> Object:
    shape = SpiderCoordinatorSpec.model_json_schema(by_alias=True)
    definitions = shape.get("$defs", {})
    properties = {}
    for key, default in defaults.items():
        if key in shape["properties"]:
            properties[key] = _plain(shape["properties"][key], definitions)
        else:
            properties[key] = _of_default(key, default)
    return {"type": "object", "additionalProperties": False, "properties": properties}


def _plain(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> Object:
    """The model's schema without rules; choices stay as examples, for editors to offer."""
    schema = resolve(schema, definitions)
    result = {key: value for key, value in schema.items() if key in _KEPT}
    if result.get("type") == "string":
        result["type"] = _TEXT
    if "enum" in schema:
        result["examples"] = schema["enum"]
    if "items" in schema:
        result["items"] = _plain(schema["items"], definitions)
    if "properties" in schema:
        result["properties"] = {
            key: _plain(part, definitions) for key, part in schema["properties"].items()
        }
        result["additionalProperties"] = False
    return result
