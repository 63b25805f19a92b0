"""What kopf would remember of each object, and this operator has no use for.

kopf keeps a memory of every object; at every event it copies the object to compare it with the
state that was handled last, and looks for the progress of handlers in it. All that serves handlers
of creation, change and deletion. The handlers here take every event as it comes
(`@kopf.on.event`) and decide from stores, so that thousands of objects need not be kept and copied
a second time.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import kopf

# kopf.run() takes one, but kopf does not export the class.
from kopf._core.reactor.inventory import ResourceMemories, ResourceMemory
from typing_extensions import override


class NoMemories(ResourceMemories):
    """Remembers no object; each event gets a fresh memory with the operator's own memo.

    kopf forgets an object when its deletion is watched, and never where the object went while the
    watch was broken.
    """

    @override
    async def recall(
        self,
        raw_body: Any,
        *,
        memobase: Any = None,
        noticed_by_listing: bool = False,
        ephemeral: bool = False,
    ) -> ResourceMemory:
        del ephemeral
        return await super().recall(
            raw_body,
            memobase=memobase,
            noticed_by_listing=noticed_by_listing,
            ephemeral=True,
        )


class NoDiffBase(kopf.DiffBaseStorage):
    """Builds and stores no state that was handled last."""

    @override
    def build(self, *, body: kopf.Body, extra_fields: Iterable[Any] | None = None) -> Any:
        del body, extra_fields
        return {}

    @override
    def fetch(self, *, body: kopf.Body) -> None:
        del body

    @override
    def store(self, *, body: kopf.Body, patch: kopf.Patch, essence: Any) -> None:
        del body, patch, essence


class NoProgress(kopf.ProgressStorage):
    """Neither finds nor keeps the progress of handlers on objects."""

    @override
    def fetch(self, *, key: Any, body: kopf.Body) -> None:
        del key, body

    @override
    def store(self, *, key: Any, record: Any, body: kopf.Body, patch: kopf.Patch) -> None:
        del key, record, body, patch

    @override
    def purge(self, *, key: Any, body: kopf.Body, patch: kopf.Patch) -> None:
        del key, body, patch

    @override
    def touch(self, *, body: kopf.Body, patch: kopf.Patch, value: str | None) -> None:
        del body, patch, value

    @override
    def clear(self, *, essence: Any) -> Any:
        return essence
