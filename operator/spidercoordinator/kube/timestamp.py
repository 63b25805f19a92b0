"""The time as the API writes it (metav1.Time)."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> str:
    """The time in RFC 3339, to the second, in UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
