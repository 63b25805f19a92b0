"""The field tables in the docs, between marker comments, from the CRDs.

A document holds `<!-- fields: KIND PATH -->` … `<!-- end of fields -->`; what is between is
replaced by the table of all fields below PATH of the KIND.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from spidercoordinator.api.crd import KINDS, structural_schema

DOCUMENTS = (Path("docs/spidercoordinator.md"), Path("docs/spidermultusconfig.md"))

_SECTION = re.compile(
    r"(?P<begin><!-- fields: (?P<kind>\w+) (?P<path>[\w.]+) -->\n)"
    r".*?(?P<end><!-- end of fields -->)",
    re.DOTALL,
)


def documents(root: Path) -> Iterator[tuple[Path, str]]:
    """Each document that exists, with its tables made anew."""
    for path in DOCUMENTS:
        if (root / path).exists():
            yield path, _SECTION.sub(_section, (root / path).read_text())


def _section(match: re.Match[str]) -> str:
    [kind] = [kind for kind in KINDS if kind.name == match["kind"]]
    schema = structural_schema(kind.model)
    for step in match["path"].split("."):
        schema = schema["properties"][step]
    rows = "\n".join(_rows(schema, ""))
    head = "| field | type | default | allowed | meaning |\n|---|---|---|---|---|"
    return f"{match['begin']}{head}\n{rows}\n{match['end']}"


def _rows(schema: Mapping[str, Any], prefix: str) -> Iterator[str]:
    required = schema.get("required", ())
    for name, field in schema["properties"].items():
        path = f"{prefix}{name}"
        default = f"`{field['default']!r}`" if "default" in field else ""
        default = {"`True`": "`true`", "`False`": "`false`"}.get(default, default).replace("'", "")
        if name in required:
            default = "needed"
        text = " ".join(field.get("description", "").split()).replace("|", "\\|")
        yield f"| `{path}` | {_type(field)} | {default} | {_allowed(field)} | {text} |"
        inner = field["items"] if field["type"] == "array" else field
        if "properties" in inner:
            yield from _rows(inner, f"{path}[]." if field["type"] == "array" else f"{path}.")


def _type(field: Mapping[str, Any]) -> str:
    if field["type"] == "array":
        return f"list of {field['items']['type']}"
    return str(field["type"])


def _allowed(field: Mapping[str, Any]) -> str:
    if "enum" in field:
        return ", ".join(f"`{value}`" if value else '`""`' for value in field["enum"])
    if "minimum" in field:
        return f"{field['minimum']} to {field['maximum']}"
    if "minItems" in field:
        return f"{field['minItems']} to {field['maxItems']} entries"
    if "maxItems" in field:
        return f"up to {field['maxItems']} entries"
    return ""
