"""What the testbed has only when a variable of the environment asks for it."""

import os

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
