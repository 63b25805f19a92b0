"""Images of no public registry that no node has are refused before anything is made."""

import json
from collections.abc import Iterator

import pytest

from tests.chart.helm import CHART, Helm, Values, merged, nested

OPERATOR = "ghcr.io/spidercoordinator/operator:0.1.0"
PLUGINS = "ghcr.io/spidercoordinator/cni:0.1.0"
REFUSED = (
    'global.imageRegistryOverride is "" and {part}.image is {image}, which is in no public registry'
)


@pytest.fixture
def node(with_kinds: Helm) -> Iterator[Helm]:
    """A cluster of one node, which has no image."""
    cluster = with_kinds
    cluster.apply([{"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node-1"}}])
    yield cluster
    cluster.kubectl("delete", "node", "node-1")


def load(cluster: Helm, *images: str) -> None:
    """Say of the node what its kubelet would once these images are on it."""
    status = {"status": {"images": [{"names": [image], "sizeBytes": 1} for image in images]}}
    flags = ("--subresource=status", "--type=merge", "-p", json.dumps(status))
    cluster.kubectl("patch", "node", "node-1", *flags)


def refusal(cluster: Helm, values: Values) -> str:
    """What helm says of these values; "" if it would install."""
    flags = ("install", "test", str(CHART), "--dry-run=server")
    done = cluster.run(*flags, values=values, check=False)
    assert (done.returncode == 0) is (done.stderr == "")
    return done.stderr


def test_both_images_are_named_with_the_way_out(node: Helm) -> None:
    message = refusal(node, {})
    for part, image in (("operator", OPERATOR), ("installer", PLUGINS)):
        assert REFUSED.format(part=part, image=image) in message
    assert "allowed: the registry that you pushed the images to, or localhost" in message


@pytest.mark.parametrize(
    ("present", "part", "image"),
    [([OPERATOR], "installer", PLUGINS), ([PLUGINS], "operator", OPERATOR)],
)
def test_one_that_is_missing_is_enough(
    node: Helm, present: list[str], part: str, image: str
) -> None:
    load(node, *present)
    [line] = [each for each in refusal(node, {}).splitlines() if "imageRegistryOverride" in each]
    assert REFUSED.format(part=part, image=image) in line


@pytest.mark.parametrize(
    "values",
    [nested("operator.image.tag", "9"), nested("operator.image.digest", f"sha256:{'ab' * 32}")],
)
def test_another_tag_or_digest_is_another_image(node: Helm, values: Values) -> None:
    load(node, OPERATOR, PLUGINS)
    assert refusal(node, {}) == ""
    assert "operator.image is ghcr.io/spidercoordinator/operator" in refusal(node, values)


@pytest.mark.parametrize(
    "values",
    [
        nested("global.imageRegistryOverride", "localhost"),
        nested("global.imageRegistryOverride", "registry.example:5000/team"),
        merged(nested("operator.image.registry", "mine"), nested("installer.image.registry", "")),
        merged(
            nested("operator.image.repository", "mine/operator"),
            nested("installer.image.repository", "mine/cni"),
        ),
    ],
)
def test_images_of_the_users_own_are_not_judged(node: Helm, values: Values) -> None:
    assert refusal(node, values) == ""


def test_without_nodes_nobody_can_tell(with_kinds: Helm) -> None:
    assert refusal(with_kinds, {}) == ""
