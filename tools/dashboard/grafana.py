"""The dashboard in Grafana's own JSON, by its SDK."""

import itertools
import json
from typing import Final

from grafana_foundation_sdk.builders import common as common_builders
from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.builders import prometheus, stat, timeseries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import common, dashboard

from tools.dashboard.model import Panel, Query, Row

TITLE: Final = "spidercoordinator"
UID: Final = "spidercoordinator"
_WIDTH: Final = 24
"""Columns of Grafana's grid."""
_LINES_IN_ROW: Final = 3
_PROMETHEUS: Final = dashboard.DataSourceRef(type_val="prometheus", uid="${datasource}")
_RUNBOOKS: Final = (
    "https://github.com/spidercoordinator/spidercoordinator/blob/main/docs/runbooks/README.md"
)


def document(rows: tuple[Row, ...]) -> str:
    """The dashboard's JSON, the same bytes for the same rows."""
    made = (
        builders.Dashboard(TITLE)
        .uid(UID)
        .description("The operator, its networks and the webhook of spidercoordinator.")
        .tags(["kubernetes", "cni", "spidercoordinator"])
        .time("now-6h", "now")
        .refresh("1m")
        .timezone("browser")
        .tooltip(dashboard.DashboardCursorSync.CROSSHAIR)
        .readonly()
        .link(_runbooks())
    )
    for variable in _variables():
        made = made.with_variable(variable)
    numbers = itertools.count(1)
    for row in rows:
        made = made.with_row(builders.Row(row.title).id(next(numbers)))
        height = 4 if _all_single(row.panels) else 8
        for panel, width in zip(row.panels, _widths(row.panels), strict=True):
            made = made.with_panel(_panel(panel).span(width).height(height).id(next(numbers)))
    return json.dumps(made.build(), cls=JSONEncoder, indent=1, sort_keys=True) + "\n"


def _runbooks() -> builders.DashboardLink:
    return (
        builders.DashboardLink("Runbooks")
        .type(dashboard.DashboardLinkType.LINK)
        .url(_RUNBOOKS)
        .target_blank(target_blank=True)
    )


def _variables() -> tuple[builders.DatasourceVariable | builders.QueryVariable, ...]:
    chosen = (
        ("namespace", "Namespace", "spidercoordinator_build_info"),
        ("job", "Job", 'spidercoordinator_build_info{namespace=~"$namespace"}'),
    )
    source = builders.DatasourceVariable("datasource").label("Data source").type("prometheus")
    return (source, *(_choice(*each) for each in chosen))


def _choice(label: str, title: str, series: str) -> builders.QueryVariable:
    """A variable that offers the values of a label."""
    return (
        builders.QueryVariable(label)
        .label(title)
        .datasource(_PROMETHEUS)
        .query({"query": f"label_values({series}, {label})", "refId": label})
        .refresh(dashboard.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(dashboard.VariableSort.ALPHABETICAL_ASC)
        .multi(multi=True)
        .include_all(include_all=True)
        # Of a scrape without these labels, everything, too.
        .all_value(".*")
        .current(dashboard.VariableOption(selected=True, text="All", value="$__all"))
    )


def _all_single(panels: tuple[Panel, ...]) -> bool:
    return all(each.single for each in panels)


def _widths(panels: tuple[Panel, ...]) -> list[int]:
    """The columns of each panel, so that each line of the grid is full."""
    columns = len(panels) if _all_single(panels) else _columns(len(panels))
    widths: list[int] = []
    for first in range(0, len(panels), columns):
        count = min(columns, len(panels) - first)
        share, left = divmod(_WIDTH, count)
        widths += [share + (number < left) for number in range(count)]
    return widths


def _columns(count: int) -> int:
    """Panels beside each other: as many as fit, and lines of the grid of about one length."""
    lines = -(-count // _LINES_IN_ROW)
    return -(-count // lines)


def _panel(panel: Panel) -> stat.Panel | timeseries.Panel:
    made = _single(panel) if panel.single else _lines()
    made = made.title(panel.title).description(panel.says).datasource(_PROMETHEUS).unit(panel.unit)
    for letter, query in zip("ABCDEFGH", panel.queries, strict=False):
        made = made.with_target(_target(query, letter, instant=panel.single))
    return made if panel.empty is None else made.no_value(panel.empty)


def _target(query: Query, letter: str, *, instant: bool) -> prometheus.Dataquery:
    made = prometheus.Dataquery().expr(query.expr).legend_format(query.legend).ref_id(letter)
    return made.instant() if instant else made.range()


def _single(panel: Panel) -> stat.Panel:
    mode = common.BigValueTextMode.NAME if panel.by_name else common.BigValueTextMode.VALUE
    made = (
        stat.Panel()
        .graph_mode(common.BigValueGraphMode.NONE)
        .color_mode(common.BigValueColorMode.VALUE)
        .text_mode(mode)
        .reduce_options(common_builders.ReduceDataOptions().calcs(["lastNotNull"]))
        .thresholds(_thresholds(panel))
    )
    if panel.states is None:
        return made
    options = {
        str(value): dashboard.ValueMappingResult(text=text, color=color)
        for value, (text, color) in panel.states.items()
    }
    return made.mappings([dashboard.ValueMap(options)])


def _thresholds(panel: Panel) -> builders.ThresholdsConfig:
    steps = [dashboard.Threshold(None, "text")]
    if panel.alarming is not None:
        steps = [dashboard.Threshold(None, "green"), dashboard.Threshold(panel.alarming, "red")]
    if panel.enough is not None:
        steps = [dashboard.Threshold(None, "red"), dashboard.Threshold(panel.enough, "green")]
    return builders.ThresholdsConfig().mode(dashboard.ThresholdsMode.ABSOLUTE).steps(steps)


def _lines() -> timeseries.Panel:
    legend = (
        common_builders.VizLegendOptions()
        .display_mode(common.LegendDisplayMode.LIST)
        .placement(common.LegendPlacement.BOTTOM)
        .show_legend(show_legend=True)
    )
    tooltip = common_builders.VizTooltipOptions().mode(common.TooltipDisplayMode.MULTI)
    return timeseries.Panel().legend(legend).tooltip(tooltip).fill_opacity(10).min(0)
