"""What documents name is there: paths, links, names in the code, metrics, values of the chart."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from spidercoordinator.api.crd import KINDS, Kind, crd
from spidercoordinator.runtime.settings import Settings, variable
from tests.cni.test_node_metrics import MOVED_BY as MOVED_BY_NODES
from tests.unit.reconcilers.test_metrics import MOVED_BY

ROOT = Path(__file__).parents[2]
BASES = (ROOT, ROOT / "operator" / "spidercoordinator")
"""What paths in documents are relative to."""

DOCUMENTS = [
    ROOT / "ARCHITECTURE.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "docs" / "one-patch.md",
    *sorted((ROOT / "docs" / "decisions").glob("*.md")),
]
FILE = re.compile(r"[\w.*-]+\.(?:py|go|md|ya?ml|toml)")
PATH = re.compile(r"\.?[\w.*-]+(?:/[\w.*-]+)*/|[\w.*-]+(?:/[\w.*-]+)+")
NOT_OURS = ("util/", "tools/cache", "tools/leaderelection", "api/v1/", "build/", "nodes/")
"""client-go's packages, kubebuilder's layout, what a build makes, a resource of the API server."""
CHART = ROOT / "charts" / "spidercoordinator"
GUIDES = [
    ROOT / "README.md",
    CHART / "README.md",
    *sorted(each for each in (ROOT / "docs").rglob("*.md") if each not in DOCUMENTS),
]
"""Those for users."""
FOLDERS = ("tests/", "testbed/", "tools/", "cni/", "charts/", "operator/", "docs/")
LIVE = DOCUMENTS[:3]
"""Those whose names must be those of the code; a decision also names what was weighed."""
NAME = re.compile(r"(?:[A-Za-z]\w*\.)?([A-Za-z]\w*)(?:\(.*\))?")
METRIC = re.compile(r"spidercoordinator_(\w+?)(?:_total|_info)?(?:\{.*\})?")


def spans(document: Path) -> list[str]:
    """The code spans of a document, those in code blocks left out."""
    text = re.sub(r"^```.*?^```", "", document.read_text(), flags=re.DOTALL | re.MULTILINE)
    return re.findall(r"`([^`\n]+)`", text)


def paths(document: Path) -> list[str]:
    """The paths that a document names."""
    named = (each for each in spans(document) if FILE.fullmatch(each) or PATH.fullmatch(each))
    return [each for each in named if not each.startswith(NOT_OURS)]


def exists(path: str) -> bool:
    """Whether there is such a path; of a bare file name, whether there is such a file anywhere."""
    if "/" in path:
        return any(next(base.glob(path.rstrip("/")), None) for base in BASES)
    return path in file_names()


@cache
def values() -> dict[str, Any]:
    """The chart's values."""
    found: dict[str, Any] = yaml.safe_load((CHART / "values.yaml").read_text())
    return found


def is_value(path: str) -> bool:
    """Whether the chart has this value; below an empty or a Kubernetes object anything goes."""
    at: Any = values()
    for key in path.split("."):
        if key not in at:
            return False
        at = at[key]
        if at in ({}, []) or key.lower().endswith("securitycontext"):
            return True
    return True


@cache
def file_names() -> frozenset[str]:
    folders = ("operator", "cni", "tools", "docs", "charts", "testbed")
    found = {each.name for folder in folders for each in (ROOT / folder).rglob("*.*")}
    return frozenset(found | {each.name for each in ROOT.glob("*.*")})


@cache
def sources() -> str:
    """The operator's and the plugin's code."""
    files = [*(ROOT / "operator").rglob("*.py"), *(ROOT / "cni").rglob("*.go")]
    return "\n".join(each.read_text() for each in files if not each.name.endswith("_test.go"))


def defined(name: str) -> bool:
    """Whether a function, class, type or constant of this name is in the code."""
    kinds = r"def|class|func(?: \([^)]*\))?|type"
    pattern = rf"\b(?:{kinds}) {name}\b|^\t?{name}(?::| =| struct)|\bkopf\.on\.{name}\("
    return bool(re.search(pattern, sources(), re.MULTILINE))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda each: each.stem)
def test_paths_exist(document: Path) -> None:
    assert [each for each in paths(document) if not exists(each)] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda each: each.stem)
def test_links_lead_to_files(document: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#\s]+)", document.read_text())
    assert [each for each in links if not (document.parent / each).exists()] == []


@pytest.mark.parametrize("document", GUIDES, ids=lambda each: each.name)
def test_paths_of_guides_exist(document: Path) -> None:
    ours = [each for each in paths(document) if each.startswith(FOLDERS)]
    assert [each for each in ours if not exists(each)] == []


@pytest.mark.parametrize("document", [*GUIDES, *LIVE], ids=lambda each: each.name)
def test_values_are_those_of_the_chart(document: Path) -> None:
    wanted = re.compile(rf"((?:{'|'.join(values())})(?:\.\w+)+)(?:[=:].*)?")
    named = [
        match[1]
        for each in spans(document)
        if (match := wanted.fullmatch(each)) and not FILE.fullmatch(each)
    ]
    named += re.findall(r"--set ([\w.]+)=", document.read_text())
    assert [each for each in named if not is_value(each)] == []


@pytest.mark.parametrize("document", GUIDES, ids=lambda each: each.name)
def test_commands_are_of_one_release_which_is_said_once(document: Path) -> None:
    text = document.read_text()
    used = set(re.findall(r"(?:-n |namespaces/|serviceaccount:)(spider\w+)", text))
    assert used <= {"spiderpool"}
    if used and document != ROOT / "README.md":
        assert "README.md#install" in text
    objects = "operator|installer|webhook|metrics-reader|dashboard|uninstall-or-no-hooks"
    named = re.findall(rf"([\w-]*)spidercoordinator-(?:{objects})\b", text)
    assert set(named) <= {"spiderpool-"}


@pytest.mark.parametrize("document", LIVE, ids=lambda each: each.stem)
def test_names_are_those_of_the_code(document: Path) -> None:
    # Names of Kubernetes' fields, of events and the like are not written with "_", "." or "()".
    names = [
        match[1]
        for each in spans(document)
        if (match := NAME.fullmatch(each))
        and any(mark in each for mark in "_.(")
        and not each.startswith(("spidercoordinator_", "status.", "spec.", "metadata.", "kopf."))
        and not FILE.fullmatch(each)
    ]
    assert [each for each in names if not defined(each)] == []


def test_metrics_are_those_of_the_code() -> None:
    named = {
        match[1]
        for document in (*LIVE, *(ROOT / "docs").glob("*.md"))
        for each in spans(document)
        if (match := METRIC.fullmatch(each))
    }
    assert named == MOVED_BY.keys() | MOVED_BY_NODES.keys()


def test_every_layer_is_described() -> None:
    packages = {each.parent.name for each in BASES[1].glob("*/__init__.py")}
    rows = set(re.findall(r"^\| `(\w+)` \|", (ROOT / "ARCHITECTURE.md").read_text(), re.MULTILINE))
    assert rows == packages | {"errors"}


def test_a_wrong_name_is_found() -> None:
    assert not exists("core/nothing.py")
    assert not exists("nothing.py")
    assert not defined("nothing_of_this_name")
    assert defined("add_event_handler")
    assert not is_value("operator.replica")
    assert not is_value("operators.replicas")
    assert is_value("operator.affinity.nodeAffinity")


@pytest.mark.parametrize("kind", KINDS, ids=lambda each: each.name)
def test_tables_of_kubectl_have_the_columns_that_it_prints(kind: Kind) -> None:
    version = crd(kind)["spec"]["versions"][0]
    given = version["additionalPrinterColumns"]
    columns = [each["name"].upper() for each in given if not each.get("priority")]
    text = "\n".join(
        each.read_text() for each in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
    )
    heads = [
        re.split(r"  +", line.strip())
        for line in re.findall(r"^ *(?:NAMESPACE +)?NAME +.*AGE$", text, re.MULTILINE)
        if f"  {columns[0]}  " in line
    ]
    assert heads
    for head in heads:
        assert [each for each in head if each not in {"NAMESPACE", "NAME"}] == columns


def test_each_setting_of_the_operator_has_a_row() -> None:
    text = (ROOT / "docs" / "spidercoordinator.md").read_text()
    table = text.split("| variable | default | meaning |")[1].split("\n\n")[0]
    named: set[str] = set()
    for row in table.splitlines():
        spans = re.findall(r"`([A-Z_…]+)`", row.split(" | ")[0])
        # `…_POD_UID` stands beside the whole name of another one.
        named |= {span.replace("…", "SPIDERCOORDINATOR") for span in spans}
        stem = "SPIDERCOORDINATOR_LEADER_ELECT"
        if any(span.startswith(stem) for span in spans):
            named |= {span.replace("…", stem) for span in spans}
    assert {variable(name) for name in Settings.model_fields} - named == set()
