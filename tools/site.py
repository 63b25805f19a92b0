"""The pages of the documentation site: docs/, and documents that stand elsewhere.

`python -m tools.site` writes them to build/docs with links that lead to pages, or to the
repository where there is no page; mkdocs then builds the site (`make docs`), for which this is a
hook as well: https://www.mkdocs.org/user-guide/configuration/#hooks
"""

import posixpath
import re
import shutil
from pathlib import Path
from typing import Any, Final

from mkdocs.config.defaults import MkDocsConfig

ROOT: Final = Path(__file__).parents[1]
DOCS: Final = ROOT / "docs"
PAGES: Final = ROOT / "build" / "docs"
REPOSITORY: Final = "https://github.com/spidercoordinator/spidercoordinator/blob/main"
OUTSIDE: Final = {
    "README.md": "index.md",
    "ARCHITECTURE.md": "architecture.md",
    "CONTRIBUTING.md": "contributing.md",
    "charts/spidercoordinator/README.md": "chart.md",
}
"""Documents outside docs/, and the pages that they become."""
_FOLDERS: Final = {"RUNBOOKS": "runbooks", "DECISIONS": "decisions"}
"""Words of the navigation that stand for all pages of a folder."""
_CHINESE: Final = ".zh.md"
_LINK: Final = re.compile(r"(\]\()([^)#\s]*)([^)]*\))")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put the pages of folders into the navigation."""
    config.nav = _expanded(config.nav)
    return config


def _expanded(entry: Any) -> Any:
    if isinstance(entry, list):
        return [_expanded(each) for each in entry]
    if isinstance(entry, dict):
        return {title: _expanded(below) for title, below in entry.items()}
    folder = _FOLDERS.get(entry)
    return pages_of(folder) if folder else entry


def pages_of(folder: str) -> list[str]:
    """The pages of a folder of docs/, its README first."""
    pages = sorted((DOCS / folder).glob("*.md"), key=lambda page: (page.name != "README.md", page))
    return [f"{folder}/{page.name}" for page in pages]


def documents() -> dict[str, str]:
    """The page that each document becomes; both relative, to the sources and to the pages."""
    own = {f"docs/{name}": name for name in (str(each.relative_to(DOCS)) for each in _files())}
    return own | OUTSIDE


def _files() -> list[Path]:
    return [each for each in DOCS.rglob("*") if each.is_file()]


def target(link: str, origin: str, pages: dict[str, str]) -> str:
    """Where a link of a document leads on the site.

    Args:
        link: As written in the document, without its anchor.
        origin: The document, from the root of the sources.
        pages: What `documents` gives.
    """
    if not link or ":" in link:
        return link
    wanted = posixpath.normpath(posixpath.join(posixpath.dirname(origin), link))
    page = pages.get(wanted) or pages.get(f"{wanted}/README.md")
    # The plugin for languages knows a page by its name without the language, in each of them.
    if page is not None and page.endswith(_CHINESE) and pages[origin].endswith(_CHINESE):
        page = page.removesuffix(_CHINESE) + ".md"
        return posixpath.relpath(page, posixpath.dirname(pages[origin]) or ".")
    if page is not None and page.endswith(_CHINESE):
        here = pages[origin].removesuffix(".md").removesuffix("index")
        return posixpath.relpath(f"zh/{page.removesuffix(_CHINESE)}", here or ".") + "/"
    if page is not None and pages[origin] == page.removesuffix(".md") + _CHINESE:
        return f"../../{page.removesuffix('.md')}/"
    if page is not None:
        return posixpath.relpath(page, posixpath.dirname(pages[origin]) or ".")
    return f"{REPOSITORY}/{wanted}" if (ROOT / wanted).exists() else link


def main() -> None:
    """Write all pages."""
    shutil.rmtree(PAGES, ignore_errors=True)
    pages = documents()
    for document, page in pages.items():
        to = PAGES / page
        to.parent.mkdir(parents=True, exist_ok=True)
        if to.suffix == ".md":
            text = (ROOT / document).read_text(encoding="utf-8")
            to.write_text(rewritten(text, document, pages), encoding="utf-8")
        else:
            shutil.copyfile(ROOT / document, to)


def rewritten(text: str, document: str, pages: dict[str, str]) -> str:
    """The text of a document with the links of its page."""
    return _LINK.sub(lambda link: link[1] + target(link[2], document, pages) + link[3], text)


if __name__ == "__main__":
    main()
