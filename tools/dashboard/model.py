"""What a dashboard is made of, as plain data that knows nothing of Grafana."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

Unit = Literal["none", "ops", "reqps", "s", "bytes", "percentunit"]
"""Units, by Grafana's names; `ops` and `reqps` are of a second, `percentunit` is 1 for all."""

SAME: Final = 'namespace=~"$namespace"'
"""Selects the release's namespace, as the dashboard's variable chooses it."""

OWN: Final = f'{SAME},job=~"$job"'
"""Selects what the dashboard's variables choose: the release's namespace, and its scrape job."""

NOT_READY: Final = 'ready!="True"'
"""Selects networks whose condition Ready is False or Unknown."""


def own(metric: str, *matchers: str) -> str:
    """A selector of one of the operator's metrics, by its name without `spidercoordinator_`."""
    return f"spidercoordinator_{metric}{{{','.join((OWN, *matchers))}}}"


def rate(metric: str, *matchers: str) -> str:
    """The rate of a counter a second, over as long as Grafana finds right."""
    return f"rate({own(metric, *matchers)}[$__rate_interval])"


def quantile(share: float, buckets: str, *by: str) -> str:
    """A quantile of a histogram, from 0 to 1, by labels, from the rate of its buckets."""
    return f"histogram_quantile({share:g}, sum by ({', '.join(('le', *by))}) ({buckets}))"


def of_nodes(metric: str, *matchers: str) -> str:
    """A selector of one of the nodes' metrics, which another job scrapes in the same namespace."""
    return f"spidercoordinator_{metric}{{{','.join((SAME, *matchers))}}}"


@dataclass(frozen=True)
class Query:
    """A query of Prometheus.

    Attributes:
        expr: in PromQL, with Grafana's variables.
        legend: the name of a series, its labels in double braces.
    """

    expr: str
    legend: str


@dataclass(frozen=True)
class Panel:
    """One panel.

    Attributes:
        title: its name, once in a dashboard.
        says: what it shows and when to worry, one or two sentences.
        queries: at least one.
        unit: of all its values.
        single: one value, large, rather than lines over time.
        states: text and colour of values that are states, for a single value.
        alarming: from which value a single value is red; green below it.
        enough: from which value a single value is green; red below it.
        by_name: a single value shows the names of its series, for their labels are what it tells.
        empty: what stands there when there is no series, because nothing of the kind happened.
    """

    title: str
    says: str
    queries: tuple[Query, ...]
    unit: Unit = "none"
    single: bool = False
    states: Mapping[int, tuple[str, str]] | None = None
    alarming: float | None = None
    enough: float | None = None
    by_name: bool = False
    empty: str | None = None


@dataclass(frozen=True)
class Row:
    """A row of panels.

    Attributes:
        title: its name.
        says: the question that it answers, one sentence.
        panels: from left to right.
    """

    title: str
    says: str
    panels: tuple[Panel, ...]

    @property
    def picture(self) -> str:
        """The file name of its picture."""
        return f"{self.title.lower().replace(' ', '-')}.svg"
