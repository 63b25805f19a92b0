"""Golden pairs: a SpiderMultusConfig and the NAD made from it, byte for byte.

Each file of golden/ holds two YAML documents. The cases of Spiderpool's reference are among them;
where ours differs, the file's first line says why. `coordinator` stands for the section of CLUSTER.
"""

from pathlib import Path
from typing import Any

import pytest
import yaml

from spidercoordinator.api.coordinator import SpiderCoordinatorSpec
from spidercoordinator.core.coordinator.cluster import ClusterConfig
from spidercoordinator.core.network.desired import desired_nad
from spidercoordinator.core.network.validation import parse

GOLDEN = sorted((Path(__file__).parent / "golden").glob("*.yaml"))
CLUSTER = ClusterConfig(
    "default",
    SpiderCoordinatorSpec(),
    overlay_pod_cidr=("10.244.0.0/16",),
    service_cidr=("10.96.0.0/12",),
)
SECTION = (
    '{"type":"coordinator","mode":"auto","overlayPodCIDR":["10.244.0.0/16"],'
    '"serviceCIDR":["10.96.0.0/12"],"tunePodRoutes":true,"hostRuleTable":500,"podRPFilter":0,'
    '"txQueueLen":0,"detectGateway":false,"detectIPConflict":false,"announce":true}'
)


def load(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    config, nad = yaml.safe_load_all(path.read_text())
    config["metadata"] |= {"namespace": "net-a", "uid": "0001"}
    return config, nad


@pytest.mark.parametrize("path", GOLDEN, ids=[path.stem for path in GOLDEN])
def test_nad_is_as_expected(path: Path) -> None:
    config, nad = load(path)
    wanted = desired_nad(
        parse(config), CLUSTER, default_ipam={"type": "spiderpool"}, coordinator_name="default"
    )
    assert wanted.config.replace(SECTION, "coordinator") == nad["config"].rstrip("\n")
    assert (wanted.name, dict(wanted.annotations)) == (nad["name"], nad.get("annotations", {}))


def test_same_object_gives_same_bytes() -> None:
    config, _ = load(GOLDEN[0])
    texts = {
        desired_nad(
            parse(dict(reversed(config.items()))),
            CLUSTER,
            default_ipam={"type": "spiderpool"},
            coordinator_name="default",
        ).config
        for _ in range(3)
    }
    assert len(texts) == 1
