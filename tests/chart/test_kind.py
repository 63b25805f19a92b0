"""`make kind-up`: the values for Docker's network, and what is said when a program is missing."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from testbed.kind.values import values
from tests.chart.helm import CHART, Helm, pick

UP = CHART.parents[1] / "testbed" / "kind" / "up.sh"


@pytest.mark.parametrize(
    ("network", "first", "last"),
    [
        ("172.18.0.0/16=172.18.0.1", "172.18.192.0", "172.18.255.254"),
        ("192.168.7.0/24=192.168.7.1", "192.168.7.192", "192.168.7.254"),
    ],
)
def test_pods_get_the_upper_quarter(helm: Helm, network: str, first: str, last: str) -> None:
    found = values(["fc00:f853:ccd:e793::/64=", network])
    pool = {
        "subnet": network.partition("=")[0],
        "rangeStart": first,
        "rangeEnd": last,
        "gateway": network.partition("=")[2],
    }
    assert found["defaultIPAM"] == {
        "type": "host-local",
        "ranges": [[pool]],
        "routes": [{"dst": "0.0.0.0/0"}],
    }
    container = pick(helm.template(found), "Deployment")["spec"]["template"]["spec"]["containers"]
    assert container[0]["image"].startswith("localhost/spidercoordinator/operator:")


@pytest.mark.parametrize("networks", [[], ["fc00::/64="], ["10.0.0.0/25=10.0.0.1"]])
def test_a_network_of_no_use_is_named(networks: list[str]) -> None:
    with pytest.raises(ValueError, match="Docker's network"):
        values(networks)


def test_missing_programs_are_told_at_once(tmp_path: Path) -> None:
    for program in ("bash", "dirname", "env"):
        (tmp_path / program).symlink_to(shutil.which(program) or os.devnull)
    done = subprocess.run(
        [str(UP)], env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert line == (
        "kind-up: not installed: docker kind kubectl helm go (without Docker, use make up instead)"
    )
