"""Each value is driven out of its bounds; schema and values.yaml tell them, of new values too."""

import itertools
import json
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from tests.chart.helm import CHART, Helm, Object, merged, nested
from tests.chart.test_refused_values import REFUSED
from tests.chart.test_values import ALL_VALUES

SCHEMA: Object = json.loads((CHART / "values.schema.json").read_text())
SHAPELESS = {"defaultIPAM", "test.ipam", "extraObjects"}
"""Another program's configuration, and objects of any kind."""


NOWHERE = "nowhere"
_NUMBERS = itertools.count()


def resolved(schema: Object) -> Object:
    while "$ref" in schema:
        schema = SCHEMA["definitions"][schema["$ref"].rpartition("/")[2]]
    return schema


def schema_of(path: str) -> Object:
    schema = SCHEMA
    for key in path.split("."):
        schema = schema["properties"][key]
    return resolved(schema)


def wrong(schema: Object, depth: int = 0) -> Iterator[tuple[str, Any, Any]]:
    """Where in it, a value that the schema must refuse, and what the message must show."""
    schema = resolved(schema)
    types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    if "minimum" in schema:
        yield "", schema["minimum"] - 1, schema["minimum"]
    if "maximum" in schema:
        yield "", schema["maximum"] + 1, schema["maximum"]
    if "pattern" in schema:
        text = next(each for each in ("_?", "", "a b") if not re.search(schema["pattern"], each))
        yield "", text, text
    if "maxLength" in schema:
        yield "", "x" * (schema["maxLength"] + 1), schema["maxLength"]
    if types == ["boolean"]:
        yield "", "perhaps", "boolean"
    if "array" in types:
        yield "", "no-list", "array"
        for where, value, shown in wrong(schema["items"], depth + 1):
            yield f"/0{where}", [value], shown
    if "object" in types:
        yield from wrong_object(schema, depth)


def wrong_object(schema: Object, depth: int) -> Iterator[tuple[str, Any, Any]]:
    if schema.get("additionalProperties") is False:
        yield "", {"unknownKey": 1}, "unknownKey"
    elif isinstance(schema.get("additionalProperties"), dict):
        for where, value, shown in wrong(schema["additionalProperties"], depth + 1):
            yield f"/a{where}", {"a": value}, shown
    if "propertyNames" in schema and "properties" not in schema:
        # Helm does not say where a wrong key is, so the key has to.
        key = f"_?{next(_NUMBERS)}"
        yield NOWHERE, {key: "x"}, key
    for key, inner in schema.get("properties", {}).items() if depth < 2 else ():
        for where, value, shown in wrong(inner, depth + 1):
            yield f"/{key}{where}", {key: value}, shown


ATTEMPTS = {path: list(wrong(schema_of(path))) for path in ALL_VALUES}


def test_every_value_has_bounds() -> None:
    """What no schema bounds is tried in test_refused_values.py, with the templates' own words."""
    judged = {path for path, _, _ in REFUSED}
    bounded = {path for path, attempts in ATTEMPTS.items() if attempts}
    without = ALL_VALUES.keys() - bounded - judged - SHAPELESS
    assert without == set()


def shown_numbers(message: str) -> str:
    """The message with numbers as people write them, not as 65,535 or as a power of ten."""
    long = re.sub(r"([\d.]+)\u00d710⁰⁹", lambda match: str(int(Decimal(match[1]) * 10**9)), message)
    return re.sub(r"(?<=\d),(?=\d{3})", "", long)


@pytest.mark.parametrize("attempt", range(max(map(len, ATTEMPTS.values()))))
def test_a_value_out_of_its_bounds_is_refused(helm: Helm, attempt: int) -> None:
    """One wrong value of each path at once: helm tells all of them."""
    tried = {
        path: attempts[attempt] for path, attempts in ATTEMPTS.items() if attempt < len(attempts)
    }
    values = merged(*(nested(path, value) for path, (_, value, _) in tried.items()))
    lines = shown_numbers(helm.refusal(values)).splitlines()
    for path, (where, value, shown) in tried.items():
        place = f"at '/{path.replace('.', '/')}{where}" if where != NOWHERE else "at ''"
        found = [line for line in lines if place in line and str(shown) in line]
        assert found, f"{path} = {value} is taken, or its message lacks {shown}"


SECTIONS = sorted(
    {""} | {path[: match.start()] for path in ALL_VALUES for match in re.finditer(r"\.", path)}
)


def test_an_unknown_key_of_every_section_is_refused_with_the_known_ones(helm: Helm) -> None:
    sections = [section for section in SECTIONS if section != "global"]
    values = merged(*(nested(f"{section}.unknownKey".lstrip("."), 1) for section in sections))
    message = helm.refusal(values)
    told = re.findall(r"'unknownKey' does not match pattern '\^\((.*)\)\$'", message)
    for section in sections:
        place = f"at '{section and '/' + section.replace('.', '/')}': additional properties"
        assert f"{place} 'unknownKey' not allowed" in message
    for section in sections:
        prefix = section and f"{section}."
        inside = [path.removeprefix(prefix) for path in ALL_VALUES if path.startswith(prefix)]
        assert "|".join(dict.fromkeys(key.partition(".")[0] for key in inside)) in told


def test_an_unknown_key_of_global_is_refused_with_the_known_ones(helm: Helm) -> None:
    message = helm.refusal(nested("global.imageRegistry", "localhost"))
    assert 'global.imageRegistry is "localhost", and there is no such value' in message
    known = [path for path in ALL_VALUES if path.startswith("global.")]
    assert [path for path in known if path not in message] == []
