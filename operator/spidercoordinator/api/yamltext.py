"""Texts in YAML that others wrote, and why one is none.

PyYAML raises errors of its own only for the syntax. Values raise what Python's types do: a month
13 ValueError, a number to base 60 OverflowError, an explicit tag that does not fit KeyError,
IndexError or AttributeError, and depth RecursionError.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import yaml


def parse(text: str) -> Any:
    """The value of a text of one document, None of an empty one.

    Raises:
        ValueError: it is no YAML; says why, and where that is known, in one line.
    """
    with _explained():
        return yaml.safe_load(text)


def parse_all(text: str, loader: type[yaml.SafeLoader] = yaml.SafeLoader) -> list[Any]:
    """The documents of a text.

    Raises:
        ValueError: as of `parse`.
    """
    with _explained():
        return list(yaml.load_all(text, loader))


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        what = ", ".join(filter(None, (error.context, error.problem)))
        raise ValueError(f"{where}{what}") from error
    except (yaml.YAMLError, ValueError, ArithmeticError) as error:
        raise ValueError(" ".join(str(error).split())) from error
    except (LookupError, AttributeError, TypeError) as error:
        raise ValueError("a value does not fit its tag") from error
