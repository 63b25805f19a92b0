"""The chart's values.schema.json, from the models, from values.yaml, and from its bounds.

The shape of values.yaml is taken as it is: a key that is not in it is a typing error, and what is
allowed there is said beside it. What a value may be comes from the models for `coordinator.*`, and
from tools/values_bounds.py for the rest.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from spidercoordinator.api.coordinator import SpiderCoordinatorSpec
from spidercoordinator.api.crd import resolve
from spidercoordinator.api.objects import Object
from tools.kubernetes_schema import Definitions
from tools.values_bounds import bounds_of

CHART = Path("charts/spidercoordinator")

# Names and types of the coordinator's fields, and the outermost bounds of numbers. The rest is said
# by the chart's templates/_validate.tpl: a pattern of addresses would help nobody.
_KEPT = frozenset({"type", "items", "properties", "required", "description", "minimum", "maximum"})
# `--set` makes a number of 169 and a truth value of true: the templates say what is wrong there.
_TEXT = ["string", "number", "boolean"]


def values_schema(root: Path) -> Iterator[tuple[Path, str]]:
    """The schema file, if there is a chart.

    Raises:
        ValueError: a value has no bounds.
    """
    values = root / CHART / "values.yaml"
    if not values.exists():
        return
    defaults = yaml.safe_load(values.read_text())
    definitions = Definitions()
    schema = _section(defaults, "", definitions)
    # A parent chart shares its own keys of `global`; the templates refuse others without a parent.
    for closed in ("additionalProperties", "propertyNames"):
        del schema["properties"]["global"][closed]
    whole = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        **schema,
        "definitions": dict(sorted(definitions.schemas.items())),
    }
    yield CHART / "values.schema.json", json.dumps(whole, indent=2, ensure_ascii=False) + "\n"


def _section(defaults: Mapping[str, Any], prefix: str, definitions: Definitions) -> Object:
    return _closed(
        {key: _value(f"{prefix}{key}", value, definitions) for key, value in defaults.items()}
    )


def _closed(properties: Mapping[str, Object]) -> Object:
    """An object of these keys; sections, numbers and switches cannot be taken away with null."""
    return {
        "type": "object",
        "additionalProperties": False,
        # Tells what is allowed, beside what is not.
        "propertyNames": {"pattern": f"^({'|'.join(properties)})$"},
        "required": [key for key, schema in properties.items() if _needed(schema)],
        "properties": dict(properties),
    }


def _needed(schema: Mapping[str, Any]) -> bool:
    return schema.get("type") in ("boolean", "integer") or "required" in schema


def _value(path: str, default: Any, definitions: Definitions) -> Object:
    bounds = bounds_of(path, definitions)
    if bounds is not None:
        return bounds
    if isinstance(default, bool):
        return {"type": "boolean"}
    if path == "coordinator":
        return _coordinator(default, definitions)
    if isinstance(default, Mapping) and default:
        return _section(default, f"{path}.", definitions)
    raise ValueError(f"values.yaml: {path} has no bounds in tools/values_bounds.py")


def _coordinator(defaults: Mapping[str, Any], definitions: Definitions) -> Object:
    shape = SpiderCoordinatorSpec.model_json_schema(by_alias=True)
    properties = {}
    for key, default in defaults.items():
        if key in shape["properties"]:
            properties[key] = _plain(shape["properties"][key], shape.get("$defs", {}))
            if "minimum" in properties[key]:
                # 0 is "unset" where the kind's own field would be absent.
                properties[key]["minimum"] = min(properties[key]["minimum"], default)
        else:
            properties[key] = _value(f"coordinator.{key}", default, definitions)
    return _closed(properties)


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
