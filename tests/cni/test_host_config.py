"""The files for NetworkManager and systemd: what they say fits the names that the plugin gives."""

import configparser
import fnmatch
from pathlib import Path

import pytest

from tests.cni.topology import Pod

FILES = Path(__file__).resolve().parents[2] / "cni" / "host-config"


def read(name: str) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(delimiters=("=",), strict=True)
    parser.read_string((FILES / name).read_text())
    return parser


@pytest.mark.parametrize(
    ("name", "section", "key"),
    [
        ("10-spidercoordinator.network", "Match", "Name"),
        ("10-spidercoordinator.link", "Match", "OriginalName"),
        ("90-spidercoordinator-networkmanager.conf", "keyfile", "unmanaged-devices"),
    ],
)
def test_files_match_the_nodes_end_of_the_pair(pod: Pod, name: str, section: str, key: str) -> None:
    pattern = read(name)[section][key].removeprefix("interface-name:")
    pod.attach()
    pod.coordinator()
    names = [link["ifname"] for link in pod.segment.node.ip("link show")]
    assert fnmatch.filter(names, pattern) == [pod.host_veth]


def test_files_say_hands_off() -> None:
    assert read("10-spidercoordinator.network")["Link"]["Unmanaged"] == "yes"
    assert read("10-spidercoordinator.link")["Link"]["MACAddressPolicy"] == "none"
