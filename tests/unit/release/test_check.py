"""What keeps a tree from being released."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tools.release import check
from tools.release.__main__ import ROOT, problems

DIGEST = "sha256:" + "0123456789abcdef" * 4
COMMIT = "0123456789abcdef0123456789abcdef01234567"
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yaml"))


def test_this_tree_can_be_released() -> None:
    assert list(problems(ROOT, "")) == []


def test_a_tag_of_another_version_is_refused_with_both() -> None:
    assert any("tag v99.0.0 says version '99.0.0'" in line for line in problems(ROOT, "v99.0.0"))


@pytest.mark.parametrize(
    ("dockerfile", "expected"),
    [
        (f"FROM debian@{DIGEST}\n", ""),
        (f"ARG BASE=debian:12@{DIGEST}\nFROM ${{BASE}} AS one\nFROM one\nFROM scratch\n", ""),
        (f"ARG BASE=debian@{DIGEST}\nFROM --platform=$BUILDPLATFORM $BASE AS one\n", ""),
        ("ARG BASE=debian:12\nFROM ${BASE}\n", "Dockerfile: ARG BASE is 'debian:12'"),
        ("ARG BASE\nFROM ${BASE}\n", "Dockerfile: ARG BASE is ''"),
        ("FROM debian:12 AS one\nFROM one\n", "Dockerfile: FROM is 'debian:12'"),
        ("FROM --platform=linux/amd64 debian AS one\n", "Dockerfile: FROM is 'debian'"),
        (f"FROM debian@{DIGEST[:-1]}\n", "Dockerfile: FROM is 'debian@sha256:"),
    ],
)
def test_bases_are_told_by_digest(dockerfile: str, expected: str) -> None:
    found = list(check.bases(dockerfile))
    assert len(found) == bool(expected)
    assert all(line.startswith(expected) and "NAME@sha256:" in line for line in found)


@pytest.mark.parametrize(
    ("used", "refused"),
    [
        (f"actions/checkout@{COMMIT} # v5.0.0", False),
        ("./.github/workflows/ci.yaml", False),
        (f"actions/checkout@{COMMIT}", True),
        ("actions/checkout@v5", True),
        (f"actions/checkout@{COMMIT[:-1]} # v5.0.0", True),
        ("docker://alpine:3", True),
    ],
)
@pytest.mark.parametrize("key", ["      - uses: ", "        uses: ", "    uses:  "])
def test_actions_are_told_by_commit(key: str, used: str, refused: bool) -> None:
    found = list(check.actions("ci.yaml", f"jobs:\n{key}{used}\n        with:\n"))
    assert found == (
        [f"ci.yaml: uses {used}: has to be ACTION@COMMIT # vX.Y.Z, the commit in full"] * refused
    )


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"a": "1.2.3", "b": "1.2.3"}, []),
        ({"a": "1.2.3-rc.1", "b": "1.2.3-rc.1"}, []),
        ({"a": "1.2", "b": "1.2"}, ["a says version '1.2': has to be like 1.2.3"]),
        ({"a": "1.2.3", "b": "1.2.4"}, ["b says version '1.2.4', and a says '1.2.3'"]),
    ],
)
def test_all_places_say_one_version(said: dict[str, str], expected: list[str]) -> None:
    assert list(check.versions(said)) == expected


CHANGELOG = """# Changelog

## [Unreleased]

### Added

- Something.

## [1.1.0] - 2026-01-02

### Added

- More.

## [1.0.0] - 2026-01-01

## [0.9.0]

- Undated.
"""


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("1.1.0", "### Added\n\n- More.\n"),
        ("1.0.0", ""),
        ("0.9.0", ""),
        ("1x1.0", ""),
        ("2.0.0", ""),
    ],
)
def test_notes_are_a_dated_section_with_something_in_it(version: str, expected: str) -> None:
    assert check.notes(CHANGELOG, version) == expected
    refused = list(check.changes(CHANGELOG, version))
    assert bool(refused) == (not expected)
    assert all(f"## [{version}] - YYYY-MM-DD" in line for line in refused)


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_checked_out_code_keeps_no_credentials(workflow: Path) -> None:
    for job in yaml.safe_load(workflow.read_text())["jobs"].values():
        for step in job.get("steps", ()):
            if step.get("uses", "").startswith("actions/checkout@"):
                assert step["with"]["persist-credentials"] is False


def test_the_workflow_pushes_where_the_chart_pulls() -> None:
    workflow = yaml.safe_load((ROOT / ".github/workflows/release.yaml").read_text())
    chart = yaml.safe_load((ROOT / "charts/spidercoordinator/Chart.yaml").read_text())
    images = yaml.safe_load(chart["annotations"]["artifacthub.io/images"])
    targets = workflow["jobs"]["images"]["strategy"]["matrix"]["target"]
    assert {image["image"].rpartition(":")[0] for image in images} == {
        f"{workflow['env']['IMAGES']}/{target}" for target in targets
    }


def test_nothing_is_published_before_the_tests_and_the_check() -> None:
    jobs = yaml.safe_load((ROOT / ".github/workflows/release.yaml").read_text())["jobs"]
    publishing = {
        name for name, job in jobs.items() if "write" in job.get("permissions", {}).values()
    }
    assert publishing == {"images", "publish", "package-index"}
    for name in publishing:
        assert {"tests", "files"} <= before(jobs, name)


def before(jobs: dict[str, dict[str, Any]], name: str) -> set[str]:
    """The jobs that have to succeed before one begins."""
    needs = jobs[name].get("needs", [])
    direct = {needs} if isinstance(needs, str) else set(needs)
    return direct.union(*(before(jobs, needed) for needed in direct))


def test_only_images_that_ran_get_the_name_of_the_release() -> None:
    jobs = yaml.safe_load((ROOT / ".github/workflows/release.yaml").read_text())["jobs"]
    [build] = [step for step in jobs["images"]["steps"] if step.get("id") == "build"]
    assert "push-by-digest=true" in build["with"]["outputs"]
    assert "tags" not in build["with"]
    assert build["with"]["platforms"] == "linux/amd64,linux/arm64"
    assert "run-images" in before(jobs, "publish")
