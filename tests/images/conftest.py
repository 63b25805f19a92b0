"""The product's images, as the testbed builds them of the Dockerfile."""

from __future__ import annotations

from pathlib import Path

import pytest

from testbed.images import PRODUCT, build_product
from tests.images.archive import Archive


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test of this folder as one that needs root."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.root)


@pytest.fixture(scope="session")
def product() -> dict[str, Archive]:
    return {target: Archive(path) for target, path in zip(PRODUCT, build_product(), strict=True)}
