"""Write, or with --check compare, every file that is made from another.

The CRDs, the chart's copies of them, the schema of the chart's values and the field tables of the
docs all come from the models in operator/spidercoordinator/api; the tables of the chart's README
come from its values.yaml; the Grafana dashboard and the tables of its page from tools/dashboard;
the picture and the tables of docs/benchmarks.md from docs/benchmarks.yaml.
"""

import argparse
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import yaml

from spidercoordinator.api.crd import KINDS, crd
from tools.benchmarks import files as benchmarks
from tools.dashboard import files as dashboard
from tools.field_tables import documents
from tools.values_schema import values_schema
from tools.values_table import readme

ROOT = Path(__file__).resolve().parent.parent
CRD_FOLDERS = (Path("crds"), Path("charts/spidercoordinator/crds"))
# `helm show crds` puts the files one after another: each has to begin a document of its own.
HEADER = "---\n# Made by `make generate` from operator/spidercoordinator/api. Do not edit.\n"

Generated = Iterator[tuple[Path, str]]


def crd_files(_root: Path) -> Generated:
    """One file a kind, in each folder that holds them."""
    for kind in KINDS:
        text = HEADER + yaml.safe_dump(crd(kind), sort_keys=False, width=100, allow_unicode=True)
        for folder in CRD_FOLDERS:
            yield folder / f"{kind.plural}.yaml", text


GENERATORS: tuple[Callable[[Path], Generated], ...] = (
    crd_files,
    values_schema,
    readme,
    documents,
    dashboard.generated,
    benchmarks.generated,
)


def process(root: Path, *, check: bool) -> list[Path]:
    """Write each generated file that differs, or only name it.

    Returns:
        The files that differed, relative to the root.
    """
    stale = []
    for generator in GENERATORS:
        for path, text in generator(root):
            target = root / path
            if target.exists() and target.read_text() == text:
                continue
            stale.append(path)
            if not check:
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(text)
    return stale


def main() -> int:
    """Run the command; 1 if --check found a stale file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="only say which files are out of date")
    check = parser.parse_args().check
    stale = process(ROOT, check=check)
    for path in stale:
        print(f"{path}: {'out of date, run `make generate`' if check else 'written'}")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
