"""What keeps a tree from being released, as pure functions on the texts of its files."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

_DIGEST: Final = re.compile(r"@sha256:[0-9a-f]{64}$")
_COMMIT: Final = re.compile(r"@[0-9a-f]{40} # v\d+\.\d+\.\d+$")
_VERSION: Final = re.compile(r"\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?")


def bases(dockerfile: str) -> Iterator[str]:
    """Why the bases of a Dockerfile are not told by their digests."""
    arguments = dict(re.findall(r"^ARG (\w+)=(\S+)", dockerfile, re.MULTILINE))
    named = re.findall(r"^FROM (?:--\S+ )*(\S+)(?: AS (\w+))?", dockerfile, re.MULTILINE)
    stages = {stage for _, stage in named if stage}
    for image, _ in dict.fromkeys(named):
        variable = re.fullmatch(r"\$\{?(\w+)\}?", image)
        base = arguments.get(variable[1], "") if variable else image
        if base in stages or base == "scratch":
            continue
        if not _DIGEST.search(base):
            where = f"ARG {variable[1]}" if variable else "FROM"
            yield (
                f"Dockerfile: {where} is {base!r}: a release is built on bases by digest,"
                " NAME@sha256:… (docker buildx imagetools inspect NAME tells it)"
            )


def actions(name: str, workflow: str) -> Iterator[str]:
    """Why the actions of a workflow are not told by their commits."""
    for used in re.findall(r"^\s*-?\s*uses:\s*(.+?)\s*$", workflow, re.MULTILINE):
        if not used.startswith("./") and not _COMMIT.search(used):
            yield f"{name}: uses {used}: has to be ACTION@COMMIT # vX.Y.Z, the commit in full"


def versions(said: Mapping[str, str]) -> Iterator[str]:
    """Why what several files say of the version is not one version; by place, the first leads."""
    first, *others = said.items()
    if not _VERSION.fullmatch(first[1]):
        yield f"{first[0]} says version {first[1]!r}: has to be like 1.2.3"
    for place, version in others:
        if version != first[1]:
            yield f"{place} says version {version!r}, and {first[0]} says {first[1]!r}"


def changes(changelog: str, version: str) -> Iterator[str]:
    """Why a changelog does not tell what is new in a version."""
    if not notes(changelog, version):
        yield f"CHANGELOG.md: no section `## [{version}] - YYYY-MM-DD` with something in it"


def notes(changelog: str, version: str) -> str:
    """The text of a version's section, empty when there is none."""
    head = rf"^## \[{re.escape(version)}\] - \d{{4}}-\d\d-\d\d\n(.*?)(?=^## |\Z)"
    found = re.search(head, changelog, re.MULTILINE | re.DOTALL)
    return found[1].strip() + "\n" if found and found[1].strip() else ""
