"""What the testbed has only, or in another way, when a variable of the environment asks for it."""

import os
from collections.abc import Mapping, Sequence

from testbed.errors import TestbedError


def asked_for(variable: str, extra: str, *, without: str) -> bool:
    """Tell whether an environment variable asks for an extra, the only one it can name.

    Args:
        variable: its name.
        extra: the value that asks.
        without: what there is when it is unset, for the message.

    Raises:
        TestbedError: it names something that there is none of here.
    """
    value = os.environ.get(variable, "")
    if value not in {"", extra}:
        raise TestbedError(f"{variable}={value!r}: give {extra}, or unset it for {without}")
    return value == extra


def chosen(
    variable: str, values: Sequence[str], environment: Mapping[str, str] = os.environ
) -> str:
    """Return which of several values an environment variable names, the first one when it is unset.

    Raises:
        TestbedError: it names something else.
    """
    value = environment.get(variable) or values[0]
    if value not in values:
        allowed = " or ".join(values)
        raise TestbedError(f"{variable}={value!r}: give {allowed}, or unset it for {values[0]}")
    return value
