"""Networks whose addresses may not work, by the reason of the warning: warned of, and fine."""

from __future__ import annotations

from tests.unit.network.compatibility.networks import (
    HOST_LOCAL,
    STATIC,
    WHEREABOUTS,
    Spec,
    custom,
    of,
    routed,
)

BROKEN_HOST_LOCAL: list[Spec] = [
    {"subnet": "10.6.0.5/16"},
    {"subnet": "10.6.0.0/31"},
    {"subnet": "10.6.0.0/16", "rangeStart": "10.6.0.1", "rangeEnd": "10.6.0.1"},
    {"subnet": "10.6.0.0/16", "rangeStart": "10.7.0.1"},
    {"subnet": "10.6.0.0/16", "rangeEnd": "ten"},
    {"subnet": "10.6.0.0/16", "rangeStart": "10.6.0.9", "rangeEnd": "10.6.0.8"},
    {"subnet": "10.6.0.0/16", "gateway": "router"},
    {"ranges": [{"subnet": "10.6.0.0/16"}]},
    {"ranges": [[]]},
    {"ranges": [["10.6.0.0/16"]]},
    {"ranges": [[{"subnet": "10.6.0.0/16"}], [{"subnet": "10.6.7.0/24"}]]},
    {"subnet": "10.6.0.0/16", "routes": ["0.0.0.0/0"]},
    {"subnet": "10.6.0.0/16", "routes": [{"dst": "default"}]},
    {"subnet": "10.6.0.0/16", "routes": [{"dst": "10.7.0.1"}]},
    {"subnet": "10.6.0.0/16", "routes": [{"dst": "10.7.0.0/16", "gw": "fd00::1"}]},
    {"subnet": "10.6.0.0/16", "rangeStart": ["10.6.0.9"]},
    {"subnet": "10.6.0.0/16", "gateway": {}},
    {"subnet": "10.6.0.0/16", "routes": {"dst": "0.0.0.0/0"}},
    {"subnet": "10.6.0.0/16", "routes": [{"dst": "10.7.0.0/16", "gw": ["10.6.0.1"]}]},
    {"subnet": "10.6.0.0/16", "routes": [{"dst": "10.7.0.0/16", "priority": "1"}]},
    {"subnet": "10.6.0.0/16", "dataDir": ["/run"]},
    {"Subnet": "10.6.0.0/33"},
    {"subnet": "010.6.0.0/16"},
    {"subnet": "10.6.0.0/16", "routes": [{"DST": "10.7.0.0/33"}]},
    {"ranges": [[{"subnet": "10.6.0.0/16", "RangeEnd": 9}]]},
    {"subnet": "10.6.0.0/16", "ranges": {"subnet": "10.7.0.0/16"}},
]
BROKEN_WHEREABOUTS: list[Spec] = [
    {"range": "10.6.0.0"},
    {"range": "10.6.0.0/33"},
    {"range": "10.7.0.5-10.6.0.9/16"},
    {"range": "10.6.0.5-10.6.0.9"},
    {"range": "10.6.0.0/16", "range_start": "10.7.0.1"},
    {"range": "10.6.0.0/16", "range_end": "ten"},
    {"range": "10.6.0.0/16", "range_end": "10.6.0.09"},
    {"ipRanges": [{"Range": "10.6.0.0/33"}]},
    {"range": "10.6.0.0/16", "exclude": ["ten"]},
    {"range": "10.6.0.0/16", "gateway": "router"},
    {"ipRanges": ["10.6.0.0/16"]},
    {"ipRanges": [{"range": "10.6.0.0/16", "exclude": ["ten"]}]},
    {"range": "10.6.0.0/16", "exclude": "10.6.0.9/32"},
    {"range": "10.6.0.0/16", "gateway": []},
    {"range": "10.6.0.0/16", "sleep_for_race": "1"},
    {"range": "10.6.0.0/16", "enable_overlapping_ranges": "false"},
    {"range": "10.6.0.0/31"},
    {"range": "10.6.0.7/32"},
    {"range": "10.6.0.0/24", "node_slice_size": "/22"},
    {"range": "10.6.0.0/24", "node_slice_size": "many"},
    {"range": "10.6.0.0/24", "node_slice_size": "/33"},
    {"range": "fd06::/64", "node_slice_size": "/80"},
    {"range": "fd06::/127"},
    {"range": "10.6.0.0/24", "exclude": ["10.6.0.0/25", "10.6.0.128/25"]},
    {"range": "10.6.0.0/24", "range_start": "10.6.0.9", "exclude": ["10.6.0.8/29", "10.6.0.0/16"]},
    {"ipRanges": [{"range": "10.6.0.0/16"}, {"range": "fd06::/64", "exclude": ["fd06::/63"]}]},
]

# Plugins take keys in any case, and whereabouts some values with leading zeros.
OTHERWISE_SPELT: list[tuple[str, Spec]] = [
    ("host-local", {"ranges": [[{"Subnet": "10.6.0.0/16", "RANGESTART": "10.6.0.9"}]]}),
    ("host-local", {"subnet": "10.6.0.0/16", "routes": [{"Dst": "10.7.0.0/16"}]}),
    ("static", {"addresses": [{"Address": "10.6.0.9/16", "gateway": None}]}),
    ("whereabouts", {"IPRanges": [{"Range": "10.6.0.0/16", "Range_Start": "10.6.0.9"}]}),
    ("whereabouts", {"range": "010.006.0.0/16"}),
    ("whereabouts", {"range": "10.6.0.0/16", "node_slice_size": "/24"}),
    ("whereabouts", {"range": "10.6.0.0/16", "node_slice_size": "24"}),
    ("whereabouts", {"range": "10.6.0.05-10.6.0.09/016", "gateway": "10.6.000.1"}),
    ("whereabouts", {"range": "10.6.0.0/16", "exclude": ["10.6.0.08/32"]}),
    ("whereabouts", {"ipRanges": [{"range": "010.6.0.0/16", "exclude": ["10.6.0.08/32"]}]}),
]

# Reason → networks that it is about, and networks near them that are fine.
IPAM_CASES: dict[str, tuple[list[Spec], list[Spec]]] = {
    "RouterInRange": (
        [
            *(
                of("macvlan", ipam={"type": "whereabouts", **section})
                for section in (
                    {"range": "10.6.0.0/16", "gateway": "10.6.0.1"},
                    {"range": "10.6.0.5-10.6.0.9/16", "gateway": "10.6.0.5"},
                    {"range": "10.6.0.0/16", "gateway": "10.6.0.1", "exclude": ["10.6.0.2/31"]},
                    {"ipRanges": [{"range": "fd06::/64"}], "gateway": "fd06::1"},
                    {
                        "range": "10.6.0.0/16",
                        "gateway": "10.6.0.1",
                        "exclude": ["10.6.0.1/32"],
                        "routes": [{"dst": "10.9.0.0/16", "gw": "10.6.0.2"}],
                    },
                )
            ),
            of("macvlan", ipam=HOST_LOCAL | {"routes": [{"dst": "0.0.0.0/0", "gw": "10.6.0.2"}]}),
            of("macvlan", ipam=STATIC | {"routes": [{"dst": "0.0.0.0/0", "gw": "10.6.0.9"}]}),
            of(
                "macvlan",
                ipam={
                    "type": "static",
                    "addresses": [{"address": "10.6.0.1/16", "gateway": "10.6.0.1"}],
                },
            ),
            routed("10.6.0.2", HOST_LOCAL),
            custom(
                {
                    "type": "macvlan",
                    "ipam": {"type": "whereabouts", "range": "10.6.0.0/16", "gateway": "10.6.0.1"},
                }
            ),
        ],
        [
            *(
                of("macvlan", ipam={"type": "whereabouts", **section})
                for section in (
                    {"range": "10.6.0.0/16", "gateway": "10.6.0.1", "exclude": ["10.6.0.0/30"]},
                    {"range": "10.6.0.0/16", "gateway": "10.6.0.1", "exclude": ["10.6.0.1"]},
                    {"range": "10.6.0.5-10.6.0.9/16", "gateway": "10.6.0.1"},
                    {"range": "10.6.0.0/16", "gateway": "10.6.0.0"},
                )
            ),
            of("macvlan", ipam=HOST_LOCAL | {"routes": [{"dst": "0.0.0.0/0"}]}),
            routed("10.6.0.1", HOST_LOCAL),
            routed("10.6.0.1", WHEREABOUTS),
            routed("10.6.0.5", WHEREABOUTS, mode="disabled"),
        ],
    ),
    "AddressUnusable": (
        [
            *(
                of("macvlan", ipam={"type": "static", "addresses": [{"address": address}]})
                for address in (
                    *(
                        "10.6.0.0/16",
                        "10.6.255.255/16",
                        "224.0.0.9/24",
                        "127.0.0.5/8",
                        "0.0.0.9/24",
                    ),
                    *("ff02::9/64", "::1/64"),
                )
            ),
            of("macvlan", ipam={"type": "host-local", "subnet": "239.0.0.0/16"}),
            of(
                "macvlan",
                ipam={
                    "type": "host-local",
                    "subnet": "10.6.0.0/24",
                    "rangeStart": "10.6.0.0",
                    "rangeEnd": "10.6.0.9",
                },
            ),
            of(
                "macvlan",
                ipam={"type": "host-local", "subnet": "10.6.0.0/24", "rangeEnd": "10.6.0.255"},
            ),
            of("macvlan", ipam={"type": "whereabouts", "range": "127.0.0.0/8"}),
        ],
        [
            of("macvlan", ipam=STATIC),
            of("macvlan", ipam=HOST_LOCAL),
            of("macvlan", ipam={"type": "whereabouts", "range": "10.6.0.0/16"}),
            *(
                of("macvlan", ipam={"type": "static", "addresses": [{"address": address}]})
                for address in ("10.6.0.0/31", "10.6.0.7/32", "fd06::/64", "fd06::ffff/64")
            ),
        ],
    ),
    "RangeEndIgnored": (
        [
            of("macvlan", ipam={"type": "whereabouts", "range": "10.6.0.9-10.6.0.5/16"}),
            of(
                "macvlan",
                ipam={
                    "type": "whereabouts",
                    "range": "10.6.0.0/16",
                    "range_start": "10.6.0.9",
                    "range_end": "10.6.0.5",
                },
            ),
        ],
        [
            of("macvlan", ipam=WHEREABOUTS),
            of("macvlan", ipam={"type": "whereabouts", "range": "10.6.0.5-10.6.0.5/16"}),
        ],
    ),
    "NoAddresses": (
        [
            of("macvlan", disableIPAM=True),
            of("sriov", disableIPAM=True),
            of("macvlan", disableIPAM=True, chainCNIJsonData=['{"type":"tuning"}']),
        ],
        [
            of("macvlan", disableIPAM=True, enableCoordinator=False),
            of("macvlan", disableIPAM=True, coordinator={"mode": "disabled"}),
            {"cniType": "custom", "disableIPAM": True},
        ],
    ),
    "IPAMIncomplete": (
        [
            custom({"type": "macvlan", "ipam": {"type": "host-local"}}),
            custom({"type": "bridge", "ipam": {**WHEREABOUTS, "exclude": "10.6.0.9/32"}}),
            of("macvlan", ipam={"type": "host-local"}),
            of("macvlan", ipam={"type": "host-local", "ranges": []}),
            of("macvlan", ipam={"type": "host-local", "subnet": "10.6.0.0/33"}),
            of("macvlan", ipam={"type": "static"}),
            of("macvlan", ipam={"type": "static"}, capabilities={"mac": True}),
            of("macvlan", ipam={"type": "static", "addresses": [{"address": 5}]}),
            of("macvlan", ipam={"type": "whereabouts"}),
            of("macvlan", ipam={"type": "whereabouts", "ipRanges": [{"range": "ten"}]}),
            *(of("macvlan", ipam={"type": "host-local", **each}) for each in BROKEN_HOST_LOCAL),
            *(of("macvlan", ipam={"type": "whereabouts", **each}) for each in BROKEN_WHEREABOUTS),
            of("macvlan", ipam={"type": "static", "addresses": [{"address": "10.6.0.9"}]}),
            of("macvlan", ipam={"type": "static", "addresses": ["10.6.0.9/16"]}),
        ],
        [
            *(of("macvlan", ipam=each) for each in (HOST_LOCAL, STATIC, WHEREABOUTS)),
            of("macvlan", ipam={"type": "host-local", "subnet": "10.6.0.0/16"}),
            of("macvlan", ipam={"type": "whereabouts", "ipRanges": [{"range": "fd00::/64"}]}),
            of("macvlan", ipam={"type": "static"}, capabilities={"ips": True}),
            of("macvlan", ipam={"type": "whereabouts", "range": "10.6.0.9/16"}),
            of("macvlan", ipam={**WHEREABOUTS, "exclude": ["10.6.0.6/32", "10.6.0.7"]}),
            of(
                "macvlan",
                ipam={
                    "type": "whereabouts",
                    "range": "10.6.0.0/16",
                    "range_start": "10.6.8.1",
                    "range_end": "10.6.15.254",
                },
            ),
            of(
                "macvlan",
                ipam={
                    "type": "host-local",
                    "ranges": [
                        [{"subnet": "10.6.0.0/16", "rangeStart": "10.6.8.1"}],
                        [{"subnet": "fd00:0::/64"}],
                    ],
                },
            ),
            of("macvlan", ipam={"type": "dhcp"}),
            of("macvlan", ipam={"type": "some-other"}),
            *(of("macvlan", ipam={"type": kind, **each}) for kind, each in OTHERWISE_SPELT),
        ],
    ),
    "RouteWithoutGateway": (
        [
            of("macvlan", ipam={**WHEREABOUTS, "Routes": [{"DST": "0.0.0.0/0", "gw": None}]}),
            of("macvlan", ipam={**WHEREABOUTS, "routes": [{"dst": "0.0.0.0/0"}]}),
            of("macvlan", ipam={**STATIC, "routes": [{"dst": "10.9.0.0/16"}]}),
            of("macvlan", ipam={**HOST_LOCAL, "routes": [{"dst": "::/0"}]}),
        ],
        [
            of("macvlan", ipam={**HOST_LOCAL, "routes": [{"dst": "0.0.0.0/0"}]}),
            of("macvlan", ipam={**STATIC, "routes": [{"dst": "10.9.0.0/16", "gw": "10.6.0.1"}]}),
            of(
                "macvlan",
                ipam={**WHEREABOUTS, "gateway": "10.6.0.1", "routes": [{"dst": "0.0.0.0/0"}]},
            ),
        ],
    ),
    "GatewayElsewhere": (
        [
            of("macvlan", ipam={"type": "whereabouts", "range": "10.6.8.0/21", "gateway": gateway})
            for gateway in ("10.6.0.1", "10.7.0.1")
        ]
        + [of("macvlan", ipam={**HOST_LOCAL, "routes": [{"dst": "0.0.0.0/0", "gw": "10.7.0.1"}]})],
        [
            of(
                "macvlan",
                ipam={
                    "type": "whereabouts",
                    "range": "10.6.8.0/21",
                    "gateway": gateway,
                    "exclude": [f"{gateway}/32"],
                },
            )
            for gateway in ("10.6.8.1", "10.6.15.254")
        ],
    ),
    "IPAMKeyUnknown": (
        [
            of("macvlan", ipam={**WHEREABOUTS, "rangeStart": "10.6.0.9"}),
            of("macvlan", ipam={**HOST_LOCAL, "range_start": "10.6.0.9"}),
            of("macvlan", ipam={**STATIC, "gateways": []}),
            of(
                "macvlan",
                ipam={
                    "type": "host-local",
                    "ranges": [[{"subnet": "10.6.0.0/16", "range_start": "10.6.0.9"}]],
                },
            ),
            of("macvlan", ipam={**HOST_LOCAL, "routes": [{"dst": "0.0.0.0/0", "via": "10.6.0.1"}]}),
            of(
                "macvlan",
                ipam={
                    "type": "static",
                    "addresses": [{"address": "10.6.0.9/16", "gw": "10.6.0.1"}],
                },
            ),
            of(
                "macvlan",
                ipam={
                    "type": "whereabouts",
                    "ipRanges": [{"range": "10.6.0.0/16", "rangeEnd": "10.6.0.9"}],
                },
            ),
        ],
        [
            of("macvlan", ipam={**WHEREABOUTS, "Exclude": ["10.6.0.1/32"]}),
            of("macvlan", ipam={**WHEREABOUTS, "enable_l3": True}),
            of(
                "macvlan",
                ipam={"type": "host-local", "Ranges": [[{"Subnet": "10.6.0.0/16"}]]},
            ),
            of("macvlan", ipam={"type": "some-other", "any": "thing"}),
        ],
    ),
    "SubnetOverlap": (
        [
            of("macvlan", ipam={"type": "host-local", "subnet": each})
            for each in ("10.96.5.0/24", "10.0.0.0/8", "10.244.0.0/16")
        ]
        + [
            of("macvlan", ipam=WHEREABOUTS, coordinator={"hijackCIDR": [each]})
            for each in ("10.6.0.0/16", "10.6.7.0/24", "10.6.7.8")
        ],
        [
            of("macvlan", ipam=WHEREABOUTS, coordinator={"hijackCIDR": [each]})
            for each in ("10.0.0.0/8", "10.7.0.0/16", "fd00::/64")
        ]
        + [
            of("macvlan", ipam={"type": "whereabouts", "range": "fd00::/64"}),
            of("macvlan", ipam={"type": "whereabouts", "range": "10.96.5.0/24"})
            | {"enableCoordinator": False},
        ],
    ),
    "PoolOfBothFamilies": (
        [of("macvlan", {"ippools": {"ipv4": ["a", "b"], "ipv6": ["b"]}})],
        [
            of("macvlan", {"ippools": {"ipv4": ["a"], "ipv6": ["b"]}}),
            of("macvlan", {"ippools": {"ipv4": ["pool-*"], "ipv6": ["pool-*"]}}),
        ],
    ),
}
