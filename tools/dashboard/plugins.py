"""The row of the plugins and installers, which the nodes tell of.

A node's counters are there from the beginning, at 0: what did not happen is filtered out.
"""

from typing import Final

from tools.dashboard.model import Panel, Query, Row, of_nodes, quantile

_OVER: Final = "[$__rate_interval]"
_ADD: Final = 'verb="ADD"'
_ADDS: Final = f"rate({of_nodes('cni_call_duration_seconds_bucket', _ADD)}{_OVER})"

PLUGINS = Row(
    "Plugins on the nodes",
    "Do pods start and end on every node? Needs `installer.metrics.enabled` and a scrape of the"
    " nodes.",
    (
        Panel(
            "Calls",
            "Calls of coordinator and ifacer a second, by verb and outcome.",
            (
                Query(
                    "sum by (plugin, verb, outcome)"
                    f" (rate({of_nodes('cni_calls_total')}{_OVER})) > 0",
                    "{{plugin}} {{verb}} {{outcome}}",
                ),
            ),
            unit="ops",
            empty="none",
        ),
        Panel(
            "Failures by step",
            "Calls that failed, by node and step: pods there do not start, or are not deleted.",
            (
                Query(
                    "sum by (node, plugin, verb, step)"
                    f" (increase({of_nodes('cni_failures_total')}{_OVER})) > 0",
                    "{{node}} {{plugin}} {{verb}} {{step}}",
                ),
            ),
            empty="none",
        ),
        Panel(
            "Duration of an ADD",
            "Median and 99th percentile, by plugin; it is a part of each pod's start.",
            (
                Query(quantile(0.5, _ADDS, "plugin"), "{{plugin}} median"),
                Query(quantile(0.99, _ADDS, "plugin"), "{{plugin}} 99 %"),
            ),
            unit="s",
        ),
        Panel(
            "Calls without an end",
            "Calls that run now, or were killed, as by the runtime's time limit; a line that stays"
            " above nought counts the killed ones.",
            (
                Query(
                    f"sum by (plugin) ({of_nodes('cni_calls_started_total')})"
                    f" - sum by (plugin) ({of_nodes('cni_calls_total')})",
                    "{{plugin}}",
                ),
            ),
        ),
        Panel(
            "Interfaces by configuration",
            "Interfaces of pods that were set up with the newest configuration of their network"
            " that their node knows, or with an older one, which stays until they start anew.",
            (
                Query(
                    f"sum by (configuration) ({of_nodes('cni_attachments')})",
                    "{{configuration}}",
                ),
            ),
        ),
        Panel(
            "Repairs",
            "What installers put back: plugins that were deleted or damaged, the nodes' rules to"
            " pods. Somebody else removes what comes again and again.",
            (
                Query(
                    f"sum by (object) (increase({of_nodes('node_repairs_total')}{_OVER}))",
                    "{{object}}",
                ),
            ),
        ),
        Panel(
            "Resyncs of installers",
            "Resyncs a second, by outcome; each installer looks every ten seconds.",
            (
                Query(
                    f"sum by (outcome) (rate({of_nodes('node_resyncs_total')}{_OVER}))",
                    "{{outcome}}",
                ),
            ),
            unit="ops",
        ),
        Panel(
            "Since the last resync",
            "How long ago the installer that has waited longest looked at its node.",
            (
                Query(
                    f"time() - min({of_nodes('node_last_resync_timestamp_seconds')})", "longest ago"
                ),
            ),
            unit="s",
        ),
        Panel(
            "Nodes",
            "Nodes that tell of themselves, those whose counters can be read, and those that have"
            " Multus.",
            (
                Query(f"count({of_nodes('node_build_info')})", "scraped"),
                Query(f"sum({of_nodes('node_counters_readable')})", "counters readable"),
                Query(f"sum({of_nodes('node_multus_installed')})", "with Multus"),
            ),
        ),
        Panel(
            "CNI plugins",
            "How many nodes have each program in their folder of CNI plugins; a network needs its"
            " own on all of them.",
            (Query(f"count by (plugin) ({of_nodes('node_plugin_info')})", "{{plugin}}"),),
        ),
        Panel(
            "Interfaces",
            "Interfaces of all nodes, by kind; only with `installer.hostNetwork`.",
            (Query(f"sum by (kind) ({of_nodes('node_interfaces')})", "{{kind}}"),),
            empty="not told",
        ),
        Panel(
            "Versions on nodes",
            "The versions of the installer's image that run; two during an upgrade.",
            (
                Query(
                    f"count by (version, goversion) ({of_nodes('node_build_info')})",
                    "{{version}}, {{goversion}}",
                ),
            ),
            single=True,
            by_name=True,
        ),
    ),
)
