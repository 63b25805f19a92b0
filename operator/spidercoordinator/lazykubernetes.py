"""The package `kubernetes`, of which only what is asked for is loaded.

`kubernetes.aio` is what this project uses, and kopf looks for one class of `kubernetes.client`. The
package itself loads its synchronous clients before either, with requests, oauthlib and websocket:
7 MB of each process, and a tenth of a second of each start and each command.
"""

from __future__ import annotations

import sys
from functools import partial
from importlib import import_module
from importlib.util import find_spec, module_from_spec
from typing import Any, Final

_NAME: Final = "kubernetes"


def load_lazily() -> None:
    """Have its modules loaded when they are asked for; a package that is loaded stays as it is."""
    spec = None if _NAME in sys.modules else find_spec(_NAME)
    if spec is not None:
        package = module_from_spec(spec)
        package.__getattr__ = partial(_module, package.__dict__)  # type: ignore[method-assign]
        sys.modules[_NAME] = package


def _module(package: dict[str, Any], name: str) -> Any:
    """A module that is asked for as an attribute, as in `kubernetes.config`.

    Raises:
        AttributeError: There is none of that name.
    """
    try:
        package[name] = import_module(f"{_NAME}.{name}")
    except ModuleNotFoundError as error:
        raise AttributeError(f"module {_NAME!r} has no attribute {name!r}") from error
    return package[name]
