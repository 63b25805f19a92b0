"""The files for NetworkManager, systemd-networkd and udev match the links that the plugin adds."""

import configparser
import fnmatch
from pathlib import Path

import pytest

from tests.cni.topology import Pod

FILES = Path(__file__).resolve().parents[2] / "cni" / "host-config"
NETWORKD, UDEV = "10-spidercoordinator.network", "10-spidercoordinator.link"
NETWORK_MANAGER = "90-spidercoordinator-networkmanager.conf"


def read(name: str) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(delimiters=("=",), strict=True)
    parser.read_string((FILES / name).read_text())
    return parser


@pytest.mark.parametrize(
    ("name", "section", "key"),
    [
        (NETWORKD, "Match", "Name"),
        (UDEV, "Match", "OriginalName"),
        (NETWORK_MANAGER, "keyfile", "unmanaged-devices"),
    ],
)
def test_files_match_the_host_veth_only(pod: Pod, name: str, section: str, key: str) -> None:
    pattern = read(name)[section][key].removeprefix("interface-name:")
    pod.attach()
    pod.coordinator()
    names = [link["ifname"] for link in pod.segment.node.ip("link show")]
    assert fnmatch.filter(names, pattern) == [pod.host_veth]


@pytest.mark.parametrize("name", [NETWORKD, UDEV])
def test_files_match_the_driver_of_the_host_veth(pod: Pod, name: str) -> None:
    pod.attach()
    pod.coordinator()
    driver = pod.segment.node.run(f"ethtool --driver {pod.host_veth}").splitlines()[0]
    assert driver == f"driver: {read(name)['Match']['Driver']}"
