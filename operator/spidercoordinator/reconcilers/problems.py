"""Which writes of which key the API server keeps refusing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final

from spidercoordinator.core.status.problems import Problem
from spidercoordinator.errors import ApiError
from spidercoordinator.runtime.workqueue import Key

_TOLD_AFTER: Final = 3
"""Failures in a row before one that will likely pass by itself is told of."""


@dataclass(slots=True)
class Problems:
    """By key of the work queue, and by what is written."""

    _problems: dict[Key, dict[str, Problem]] = field(default_factory=dict)
    _failures: dict[Key, dict[str, int]] = field(default_factory=dict)

    def failed(self, key: Key, what: str, error: ApiError) -> tuple[Problem | None, bool]:
        """Note that a write was refused.

        Returns:
            What to tell of it, None while the next try will likely do; and whether that is new.
        """
        failures = self._failures.setdefault(key, {})
        count = failures[what] = failures.get(what, 0) + 1
        if error.refusal.is_transient and count < _TOLD_AFTER:
            return None, False
        return self.noted(key, Problem(what, str(error.refusal), str(error)))

    def noted(self, key: Key, problem: Problem) -> tuple[Problem, bool]:
        """Note a problem; whether it is new."""
        of_key = self._problems.setdefault(key, {})
        before = of_key.get(problem.what)
        of_key[problem.what] = problem
        return problem, before is None or before.reason != problem.reason

    def passed(self, key: Key, what: str) -> None:
        """Note that a write got through, or is not needed any more."""
        for noted in (self._failures, self._problems):
            of_key: dict[str, Any] = noted.get(key, {})
            of_key.pop(what, None)
            if not of_key:
                noted.pop(key, None)

    def of(self, key: Key, *told: str) -> list[Problem]:
        """What there is to tell of a key.

        Args:
            key: of the work queue.
            told: what is told of otherwise, such as a status, which is refused no more once it
                is written.
        """
        problems = self._problems.get(key, {}).values()
        return [each for each in problems if each.what not in told]

    def __len__(self) -> int:
        """How many writes do not get through now."""
        return sum(map(len, self._problems.values()))

    def forget(self, key: Key) -> None:
        """Forget a key whose object is gone."""
        self._problems.pop(key, None)
        self._failures.pop(key, None)

    async def attempt(
        self, key: Key, what: str, write: Callable[[], Awaitable[object]]
    ) -> ApiError | None:
        """Make a write that must not keep others from being made; gives the error, noted."""
        try:
            await write()
        except ApiError as error:
            self.failed(key, what, error)
            return error
        self.passed(key, what)
        return None
