"""The rows of the cluster: networks, nodes, and where CIDRs come from.

Replicas that wait to lead tell the same of networks and sources, so what is of the cluster is taken
once, by max or min, as the alerts do. A scrape's own labels win over those of a metric of the same
name, so the namespace of a network or of a source is in `exported_namespace`.
"""

from typing import Final

from tools.dashboard.model import Panel, Query, Row, own

_SOURCE: Final = "resource, exported_namespace, selector"
_SOURCE_LEGEND: Final = "{{resource}} {{selector}} {{exported_namespace}}"
_NETWORKS: Final = f"max by (ready, reason) ({own('networks')})"

NETWORKS = Row(
    "Networks",
    "Which networks are not ready, and are their NADs what the settings of now ask for?",
    (
        Panel(
            "Networks by state and reason",
            "SpiderMultusConfigs by status and reason of their condition Ready. Unknown: not"
            " reconciled yet.",
            (Query(_NETWORKS, "{{ready}} {{reason}}"),),
        ),
        Panel(
            "NADs in sync",
            "NADs rendered from the settings of now, beside all networks. Apart for more than"
            " minutes: see the reasons, and what is waiting.",
            (
                Query(f"max({own('networks_in_sync')})", "in sync"),
                Query(f"sum({_NETWORKS})", "networks"),
            ),
        ),
        Panel(
            "Changes of NADs",
            "NADs created, adopted, healed, released and deleted. NADHealed without end: somebody"
            " else writes them.",
            (
                Query(
                    f"sum by (reason) (increase({own('nad_changes_total')}[$__rate_interval]))",
                    "{{reason}}",
                ),
            ),
        ),
        Panel(
            "Writes blocked",
            "Writes that the API server keeps refusing, or that others keep undoing; statuses name"
            " them.",
            (Query(f"max({own('writes_blocked')})", "blocked"),),
        ),
    ),
)

NODES = Row(
    "Nodes",
    "Do the nodes tell what they have, and do they have what networks need?",
    (
        Panel(
            "Nodes that lack something",
            "Nodes that lack what pods of a network need (a plugin, an interface), by network and"
            " reason; its condition NodesReady names them.",
            (
                Query(
                    "max by (exported_namespace, network, reason) "
                    f"({own('network_nodes_lacking')})",
                    "{{exported_namespace}}/{{network}} {{reason}}",
                ),
            ),
            empty="none",
        ),
        Panel(
            "Silent nodes",
            "Nodes that run an installer and report nothing, or nothing fresh.",
            (Query(f"max({own('nodes_silent')})", "silent"),),
        ),
        Panel(
            "Age of the oldest report",
            "How long ago the oldest fresh report of a node was read.",
            (
                Query(
                    f"time() - min({own('node_report_oldest_timestamp_seconds')})",
                    "oldest",
                ),
            ),
            unit="s",
        ),
    ),
)

SOURCES = Row(
    "Sources of CIDRs",
    "Where do the cluster's ranges come from, and can it be read?",
    (
        Panel(
            "Readable",
            "1 while objects that tell of CIDRs can be read, also when there are none; at 0, what"
            " was known stays in use and changes are not noticed.",
            (Query(f"min by ({_SOURCE}) ({own('source_readable')})", _SOURCE_LEGEND),),
        ),
        Panel(
            "Objects that tell something",
            "How many objects of each source name a range.",
            (Query(f"max by ({_SOURCE}) ({own('source_entries')})", _SOURCE_LEGEND),),
        ),
        Panel(
            "Age",
            "How long ago each source was last read; a watch that works hears at least once a"
            " minute.",
            (
                Query(
                    f"time() - max by ({_SOURCE}) "
                    f"({own('source_last_read_timestamp_seconds')} > 0)",
                    _SOURCE_LEGEND,
                ),
            ),
            unit="s",
        ),
    ),
)
