"""The whole dashboard."""

from typing import Final

from tools.dashboard.cluster import NETWORKS, NODES, SOURCES
from tools.dashboard.operating import API, RECONCILING, REPLICAS, WEBHOOK
from tools.dashboard.overview import ALERTING, OVERVIEW
from tools.dashboard.plugins import PLUGINS

ROWS: Final = (
    OVERVIEW,
    ALERTING,
    NETWORKS,
    NODES,
    PLUGINS,
    SOURCES,
    RECONCILING,
    API,
    WEBHOOK,
    REPLICAS,
)
"""Its rows, from the question whether all is well to what the operator costs."""
