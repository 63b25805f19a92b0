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
from spidercoordinator.api.crd import JSONObject, resolve
from spidercoordinator.api.rules import HINT

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
_KEPT = frozenset(
    {"type", "enum", "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems"}
    | {"items", "properties", "required", "description", "pattern"}
)
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


def _object(defaults: Mapping[str, Any]) -> JSONObject:
    properties = {key: _of_default(key, value) for key, value in defaults.items()}
    return {"type": "object", "additionalProperties": False, "properties": properties}


def _of_default(key: str, default: Any) -> JSONObject:
    if key in _CHOICES:
        return {"enum": _CHOICES[key]}
    if key in _NUMBER_OR_TEXT:
        return {"type": ["integer", "string"]}
    if isinstance(default, Mapping):
        return {"type": "object"} if key in _KUBERNETES_OWN or not default else _object(default)
    if default is None:
        return {}
    return {"type": _TYPES[type(default)]}


def _coordinator(defaults: Mapping[str, Any]) -> JSONObject:
    shape = SpiderCoordinatorSpec.model_json_schema(by_alias=True)
    definitions = shape.get("$defs", {})
    properties = {}
    for key, default in defaults.items():
        if key in shape["properties"]:
            model = _plain(shape["properties"][key], definitions)
            properties[key] = _or_default(model, default)
        else:
            properties[key] = _of_default(key, default)
    return {"type": "object", "additionalProperties": False, "properties": properties}


def _plain(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> JSONObject:
    """The model's schema without Kubernetes' extensions; rules stay as far as JSON schema goes."""
    schema = resolve(schema, definitions)
    result = {key: value for key, value in schema.items() if key in _KEPT}
    if "items" in schema:
        result["items"] = _plain(schema["items"], definitions)
    if "properties" in schema:
        result["properties"] = {
            key: _plain(part, definitions) for key, part in schema["properties"].items()
        }
        result["additionalProperties"] = False
    hints = schema.get(HINT, [])
    return {**result, "allOf": hints} if hints else result


def _or_default(schema: JSONObject, default: Any) -> JSONObject:
    """Allow a default below the least value: the chart writes 0 where the API leaves unset."""
    if isinstance(default, int) and default < schema.get("minimum", default):
        described = schema.pop("description", "")
        return {"description": described, "anyOf": [{"const": default}, schema]}
    return schema
