"""The figures of docs/benchmarks.yaml as data, and how they stand to their goals."""

from typing import Annotated

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, PositiveFloat, model_validator


def _range(value: object) -> object:
    return value if isinstance(value, list) else [value, value]


Range = Annotated[tuple[PositiveFloat, PositiveFloat], BeforeValidator(_range)]
"""The smallest and the largest of what a run has shown."""


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Run(_Closed):
    """When and where figures were measured."""

    title: str
    date: str
    machine: str


class Figure(_Closed):
    """One figure, worse when it is larger.

    Attributes:
        title: what was measured.
        yardstick: what the figure is a ratio to, if it is one.
        unit: `x` for a ratio.
        goal: the largest that is good.
        seen: by the key of the run.
        peer: what the peer showed in the run beside it.
        note: how it came about, where that is not plain.
    """

    title: str
    yardstick: str | None = None
    unit: str
    goal: PositiveFloat
    seen: dict[str, Range]
    peer: PositiveFloat | None = None
    note: str | None = None


class Benchmarks(_Closed):
    """All of them."""

    runs: dict[str, Run]
    figures: tuple[Figure, ...]

    @model_validator(mode="after")
    def _runs_are_told_of(self) -> "Benchmarks":
        for figure in self.figures:
            for run, (low, high) in figure.seen.items():
                if run not in self.runs:
                    raise ValueError(f"{figure.title}: {run} is none of {', '.join(self.runs)}")
                if low > high:
                    raise ValueError(f"{figure.title}, {run}: {low} is more than {high}")
        return self


def read(text: str) -> Benchmarks:
    """The figures in a YAML document.

    Raises:
        pydantic.ValidationError: it is not made as this module says.
    """
    return Benchmarks.model_validate(yaml.safe_load(text))


def amount(value: float, unit: str) -> str:
    """A value with its unit."""
    return f"{value:,.4g} {unit}"


def amounts(seen: Range, unit: str) -> str:
    """What a run has shown, with its unit."""
    low, high = seen
    return amount(high, unit) if low == high else f"{low:,.4g} to {amount(high, unit)}"


def verdict(seen: Range, goal: float) -> str:
    """How what was seen stands to the goal."""
    low, high = seen
    if high <= goal:
        return "met"
    return "missed" if low > goal else "partly missed"
