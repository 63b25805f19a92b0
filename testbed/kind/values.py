"""Chart values for kind, from the address ranges of Docker's network that the nodes are on.

`python -m testbed.kind.values SUBNET=GATEWAY...` prints them as JSON, which is YAML. Pods take
their addresses from the upper quarter of the first IPv4 network: Docker gives out the lower ones.
"""

import ipaddress
import json
import sys
from collections.abc import Sequence

_LEAST_ADDRESSES = 256


def values(networks: Sequence[str]) -> dict[str, object]:
    """The values for networks given as `172.18.0.0/16=172.18.0.1`, IPv6 ones among them.

    Raises:
        ValueError: there is no IPv4 network, or it is too small.
    """
    for entry in networks:
        subnet, _, gateway = entry.partition("=")
        network = ipaddress.ip_network(subnet)
        if isinstance(network, ipaddress.IPv4Network):
            return {
                "global": {"imageRegistryOverride": "localhost"},
                "defaultIPAM": _ipam(network, gateway),
            }
    raise ValueError(f"Docker's network has no IPv4 range among {list(networks)}")


def _ipam(network: ipaddress.IPv4Network, gateway: str) -> dict[str, object]:
    if network.num_addresses < _LEAST_ADDRESSES:
        raise ValueError(f"Docker's network {network} is too small: at least a /24 is needed")
    quarter = network.num_addresses // 4
    pool = {
        "subnet": str(network),
        "rangeStart": str(network.broadcast_address - quarter + 1),
        "rangeEnd": str(network.broadcast_address - 1),
        **({"gateway": gateway} if gateway else {}),
    }
    return {"type": "host-local", "ranges": [[pool]], "routes": [{"dst": "0.0.0.0/0"}]}


if __name__ == "__main__":
    try:
        print(json.dumps(values(sys.argv[1:]), indent=2))
    except ValueError as error:
        sys.exit(str(error))
