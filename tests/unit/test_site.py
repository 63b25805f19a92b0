"""The documentation site: where links of documents lead, and that a broken one fails the build."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from mkdocs.commands.build import build
from mkdocs.config import load_config
from mkdocs.exceptions import Abort

from tools import site

PAGES = site.documents()


@pytest.mark.parametrize(
    ("origin", "link", "expected"),
    [
        ("docs/istio.md", "coordinator.md", "coordinator.md"),
        ("docs/istio.md", "../README.md", "index.md"),
        ("docs/runbooks/README.md", "../migration.md", "../migration.md"),
        ("docs/decisions/README.md", "../../ARCHITECTURE.md", "../architecture.md"),
        ("README.md", "docs/istio.zh.md", "zh/istio/"),
        ("docs/istio.md", "istio.zh.md", "../zh/istio/"),
        ("docs/istio.zh.md", "istio.md", "../../istio/"),
        ("docs/datapath.zh.md", "istio.md", "istio.md"),
        ("docs/datapath.zh.md", "istio.zh.md", "istio.md"),
        ("README.md", "charts/spidercoordinator/README.md", "chart.md"),
        ("README.md", "docs/decisions", "decisions/README.md"),
        ("charts/spidercoordinator/README.md", "../../docs/istio.md", "istio.md"),
        ("README.md", "LICENSE", f"{site.REPOSITORY}/LICENSE"),
        ("docs/testbed.md", "../testbed/kind", f"{site.REPOSITORY}/testbed/kind"),
        ("README.md", "https://istio.io", "https://istio.io"),
        ("README.md", "", ""),
        ("README.md", "nowhere.md", "nowhere.md"),
    ],
)
def test_where_a_link_leads(origin: str, link: str, expected: str) -> None:
    assert site.target(link, origin, PAGES) == expected


def test_only_the_link_is_rewritten() -> None:
    text = "see [the chart](../charts/spidercoordinator/README.md#values) and `../README.md`"
    assert site.rewritten(text, "docs/istio.md", PAGES) == (
        "see [the chart](chart.md#values) and `../README.md`"
    )


@pytest.mark.parametrize(
    ("added", "fails"),
    [("", False), ("[gone](gone.md)", True), ("[gone](istio.md#no-such-heading)", True)],
)
def test_a_broken_link_fails_the_build(tmp_path: Path, added: str, fails: bool) -> None:
    site.main()
    shutil.copytree(site.PAGES, tmp_path / "docs")
    with (tmp_path / "docs" / "kernels.md").open("a") as page:
        page.write(f"\n\n{added}\n")
    config = load_config(
        str(site.ROOT / "mkdocs.yml"),
        docs_dir=str(tmp_path / "docs"),
        site_dir=str(tmp_path / "site"),
    )
    if not fails:
        build(config)
        assert (tmp_path / "site" / "zh" / "datapath" / "index.html").exists()
        return
    with pytest.raises(Abort):
        build(config)
