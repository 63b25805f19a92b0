"""What all nodes report, asked question by question."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from spidercoordinator.core.nodes.report import NodeReport
from spidercoordinator.core.status.abridged import abridged

NAMED: Final = 2
"""How many nodes a message names."""


class Question(Protocol):
    """What a pod needs of its node. It is hashable: who asks the same gets the same answer."""

    def ask(self, report: NodeReport) -> bool | None:
        """Whether the node has it; None when its report does not tell."""

    def found(self, report: NodeReport) -> str:
        """What a node that lacks it has instead, for people; empty for nothing to tell."""


@dataclass(frozen=True, slots=True)
class Nodes:
    """Some nodes as a message shows them.

    Attributes:
        count: how many.
        shown: names of the first ones.
    """

    count: int = 0
    shown: str = ""

    @classmethod
    def of(cls, names: Iterable[str]) -> Nodes:
        """In the order of their names."""
        ordered = sorted(names)
        return cls(len(ordered), abridged(ordered, NAMED))


@dataclass(frozen=True, slots=True)
class Answer:
    """What the nodes answer to a question. Where none lacks it, nothing else is told.

    Attributes:
        lacking: nodes that do not have it.
        unknown: nodes that do not tell.
        have: how many nodes have it.
        found: what the first node that lacks it has instead.
    """

    lacking: Nodes = Nodes()
    unknown: Nodes = Nodes()
    have: int = 0
    found: str = ""


@dataclass(slots=True)
class Fleet:
    """The nodes' reports at one moment.

    Attributes:
        reports: by the node's name.
        silent: nodes that run an installer and report nothing, or nothing fresh.
        age: seconds since the oldest of the reports was read.
    """

    reports: Mapping[str, NodeReport] = field(default_factory=dict)
    silent: frozenset[str] = frozenset()
    age: float = 0.0
    _answers: dict[Question, Answer] = field(default_factory=dict)

    def answer(self, question: Question) -> Answer:
        """What the nodes answer; asked again it costs nothing."""
        known = self._answers.get(question)
        if known is None:
            known = self._answers[question] = self._ask(question)
        return known

    def changes(self, before: Fleet) -> bool:
        """Whether anything that was asked of the nodes before is now answered otherwise.

        So a change that concerns no network leads to nothing.
        """
        if bool(self.reports) != bool(before.reports):
            return True
        changed = False
        for each, told in before._answers.items():
            # Every question is put, so that it is known for the next time.
            changed |= self.answer(each) != told
        return changed

    def _ask(self, question: Question) -> Answer:
        # Nodes of one kind share their report, so that thousands of them are few to ask.
        asked: dict[int, bool | None] = {}
        sorted_out: dict[bool | None, list[str]] = {True: [], False: [], None: [*self.silent]}
        for node, report in self.reports.items():
            if id(report) not in asked:
                asked[id(report)] = question.ask(report)
            sorted_out[asked[id(report)]].append(node)
        lacking = sorted_out[False]
        if not lacking:
            return Answer()
        return Answer(
            Nodes.of(lacking),
            Nodes.of(sorted_out[None]),
            len(sorted_out[True]),
            question.found(self.reports[min(lacking)]),
        )
