"""Structured logging, one line a record, on stderr: JSON for machines, text for a shell."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any, Final

from typing_extensions import override

_STANDARD_ATTRIBUTES: Final = frozenset(
    {*vars(logging.makeLogRecord({})), "message", "asctime", "taskName"}
)
"""Attributes every record has; any other one came in by `extra`."""

_LIBRARY_LEVELS: Final = {
    "kopf": logging.WARNING,
    "kopf.objects": logging.ERROR,
    "aiohttp.access": logging.WARNING,
    "asyncio": logging.WARNING,
}
"""Levels of libraries' loggers, whose routine messages help nobody; `debug` shows them all."""


class JSONFormatter(logging.Formatter):
    """Keys `time`, `level`, `logger`, `message`, what `extra` brought, and `trace` of an error."""

    @override
    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": _timestamp(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= _extra(record)
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str, ensure_ascii=False)


class TextFormatter(logging.Formatter):
    """The same as a line to read, `key=value` at the end; a trace follows on lines of its own."""

    @override
    def format(self, record: logging.LogRecord) -> str:
        extra = "".join(f" {key}={value}" for key, value in _extra(record).items())
        text = f"{_timestamp(record)} {record.levelname:<7} {record.getMessage()}{extra}"
        # What a user wrote must not look like a line of its own.
        text = text.replace("\r", "\\r").replace("\n", "\\n")
        return text + ("\n" + self.formatException(record.exc_info) if record.exc_info else "")


class StateLogger:
    """Logs what is the case once, until it is another case: the same is found out again and again.

    Args:
        logger: where to.
    """

    def __init__(self, logger: logging.Logger) -> None:
        self._logger, self._last = logger, ""

    def log(self, level: int, message: str, **extra: str) -> None:
        """Log a message unless it was the last one."""
        if message != self._last:
            self._logger.log(level, "%s", message, extra=extra)
        self._last = message

    def over(self, message: str, **extra: str) -> None:
        """Say that what was logged last is over, if anything was."""
        if self._last:
            self._logger.info("%s", message, extra=extra)
        self._last = ""


def configure(level: str, style: str) -> None:
    """Send everything to stderr.

    Args:
        level: debug, info, warning or error.
        style: json or text.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JSONFormatter() if style == "json" else TextFormatter())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for name, library_level in _LIBRARY_LEVELS.items():
        logging.getLogger(name).setLevel(logging.DEBUG if level == "debug" else library_level)


def _timestamp(record: logging.LogRecord) -> str:
    created = datetime.fromtimestamp(record.created, UTC)
    return created.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _extra(record: logging.LogRecord) -> dict[str, Any]:
    # kopf's objects come with settings and bodies attached; only plain values are shown.
    plain = {
        key: value
        for key, value in vars(record).items()
        if key not in (*_STANDARD_ATTRIBUTES, "k8s_skip")
        and isinstance(value, str | int | float | bool)
    }
    reference = getattr(record, "k8s_ref", None)
    return plain | ({"object": _described(reference)} if isinstance(reference, dict) else {})


def _described(reference: dict[str, Any]) -> str:
    """An object as kopf's log refers to it, named as everywhere else."""
    namespace, name = reference.get("namespace"), reference.get("name")
    return f"{reference.get('kind')} {f'{namespace}/' if namespace else ''}{name}"
