"""A store: the objects of one kind as their watch delivers them, own writes included.

A watch delivers late what this process wrote itself; until then a reconcile would decide on the
object as it was. So the answer of a write is taken into the store, too, like client-go's
MutationCache (tools/cache) does, but only where it is provably newer than all that the watch has
delivered of that object, its deletion included: otherwise an object that was deleted meanwhile
would stay in the store for good. Resource versions of one kind are numbers that grow (KEP-5504, API
conventions).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

from typing_extensions import override

from spidercoordinator.api.objects import Name, Object, name_of
from spidercoordinator.kube.crash import CrashHandler

Handler = Callable[[Name, Object | None, Object | None], None]
"""Called with an object's name and the object before and after; None where it is not there."""
Answered = Callable[[Object], None]
"""To be called with what the API server answered to a write."""


@dataclass(slots=True)
class _InFlight:
    """Writes of one object whose answers are awaited.

    Attributes:
        writes: how many.
        answers: versions that were answered.
        deleted: version at which the watch delivered the object's deletion meanwhile.
        observed: versions that the watch delivered meanwhile, of which no handler knows yet.
        before: the object before these.
    """

    writes: int = 0
    answers: set[str] = field(default_factory=set)
    deleted: str = ""
    observed: set[str] = field(default_factory=set)
    before: Object | None = None


class Store(Mapping[Name, Object]):
    """Objects by namespace and name. Only the event loop's thread may use it.

    Attributes:
        trim: what to keep of each object; a store's memory is mostly what nobody reads.
        kind: of the objects, for messages.
        crashes: gets what an indexer or event handler raises; the others are called all the same.
    """

    def __init__(
        self,
        trim: Callable[[Object], Object] = lambda given: given,
        *,
        kind: str = "object",
        crashes: CrashHandler | None = None,
    ) -> None:
        self.trim = trim
        self._kind, self._crashes = kind, crashes or CrashHandler()
        self._objects: dict[Name, Object] = {}
        self._unconfirmed: dict[Name, set[str]] = {}
        self._in_flight: dict[Name, _InFlight] = {}
        self._indexers: list[Handler] = []
        self._handlers: list[Handler] = []

    @override
    def __getitem__(self, name: Name) -> Object:
        return self._objects[name]

    @override
    def __iter__(self) -> Iterator[Name]:
        return iter(self._objects)

    @override
    def __len__(self) -> int:
        return len(self._objects)

    def add_indexer(self, indexer: Handler) -> None:
        """Have `indexer` called at every change, before the event handlers."""
        self._indexers.append(indexer)

    def add_event_handler(self, handler: Handler) -> None:
        """Have `handler` called at every change that is not the answer to an own write."""
        self._handlers.append(handler)

    def version(self, name: Name) -> str:
        """Resource version of an object, empty when it is not there."""
        known = self._objects.get(name)
        return _version(known) if known is not None else ""

    def versions(self) -> dict[Name, str]:
        """Resource versions of all objects."""
        return {name: _version(known) for name, known in self._objects.items()}

    def observe(self, given: Object) -> None:
        """Take in an object that a watch delivered; one that is older is passed over."""
        name, version = name_of(given), _version(given)
        floor = self._floor(name)
        if version == floor:
            self._unconfirmed.pop(name, None)
        elif not _older(version, floor):
            self._unconfirmed.pop(name, None)
            if name in self._in_flight:
                self._hold(name, self.trim(given))
            else:
                self._set(name, self.trim(given))
        elif version not in self._unconfirmed.get(name, {version}):
            # Somebody else's change, which the answer to an own write brought along unnoticed.
            self._notify(self._handlers, name, self._objects[name], self._objects[name])

    def observe_listed(self, given: Object) -> None:
        """Take in an object of a list, as `trim` leaves it; see `replace` for a whole list."""
        name = name_of(given)
        if _older(_version(given), self._floor(name)):
            self._tell_unconfirmed(name)
        else:
            self._set_listed(name, given)

    def observe_schema(self, given: Object) -> None:
        """Take in an object of a list that was made after the kind's schema changed.

        An object may read otherwise now at the version that is known: by other defaults, or with a
        field that a watch had pruned. One that is not known is left to the watch: it may have been
        deleted since.
        """
        name, trimmed = name_of(given), self.trim(given)
        known = self._objects.get(name)
        if known is None or _older(_version(given), _version(known)):
            return
        if known != trimmed:
            self._unconfirmed.pop(name, None)
            self._set(name, trimmed)

    def observe_deletion(self, given: Object) -> None:
        """Take in a deletion that a watch delivered; the object made anew since then stays."""
        name = name_of(given)
        if not _older(_version(given), self.version(name)):
            self.remove(name, _version(given))

    def replace(self, objects: Iterable[Object], version: str) -> None:
        """Take in a list of all objects, made at a resource version, each as `trim` leaves it.

        The list is right, also where it is older than the store, as after a restore of etcd. Only
        an own write that it cannot know yet outlives it. A list passes over versions, unlike a
        watch: whether an answer brought somebody else's change along, no event will tell.
        """
        listed = {name_of(given): given for given in objects}
        for name in [*self._objects, *(self._in_flight.keys() - self._objects.keys())]:
            if name not in listed and not self._is_later(name, version):
                self.remove(name, version)
        for name, given in listed.items():
            if self._is_later(name, version):
                self._tell_unconfirmed(name)
            else:
                self._set_listed(name, given)

    def remove(self, name: Name, version: str) -> None:
        """Drop an object that does not exist any more as of a resource version."""
        self._tell_held(name)
        if (flight := self._in_flight.get(name)) is not None:
            flight.deleted = version
        self._unconfirmed.pop(name, None)
        before = self._objects.pop(name, None)
        if before is not None:
            self._notify([*self._indexers, *self._handlers], name, before, None)

    def put(self, given: Object) -> None:
        """Take in an object whatever is known of it: for a resync, which has just read it."""
        self._unconfirmed.pop(name_of(given), None)
        self._set(name_of(given), self.trim(given))

    @contextmanager
    def write(self, name: Name) -> Iterator[Answered]:
        """Give what takes the answer of a write; the request must be made inside.

        A deletion that the watch delivers meanwhile is remembered, so that an answer which comes
        after it is recognised as older. Event handlers are called of what it delivers meanwhile
        when the write ends, and not at all if that was only what was written.
        """
        flight = self._in_flight.setdefault(name, _InFlight())
        flight.writes += 1
        try:
            yield partial(self._answered, name)
        finally:
            flight.writes -= 1
            if not flight.writes:
                self._tell_held(name)
                del self._in_flight[name]

    def _answered(self, name: Name, answer: Object) -> None:
        floor = self._floor(name)
        version = _version(answer)
        if (flight := self._in_flight.get(name)) is not None:
            flight.answers.add(version)
        if version.isdecimal() and (not floor or _older(floor, version)):
            self._unconfirmed.setdefault(name, set()).add(version)
            before = self._objects.get(name)
            after = self._objects[name] = self.trim(answer)
            self._notify(self._indexers, name, before, after)
            if before is not None and _reads_otherwise(before, after):
                # By another schema than the watch had; nothing else will tell the handlers.
                self._notify(self._handlers, name, before, after)

    def _floor(self, name: Name) -> str:
        """The version up to which all is known of an object."""
        flight = self._in_flight.get(name)
        return self.version(name) or (flight.deleted if flight is not None else "")

    def _hold(self, name: Name, given: Object) -> None:
        """Keep an object, which may be what a write in flight made it."""
        flight, before = self._in_flight[name], self._objects.get(name)
        flight.deleted = ""
        if not flight.observed:
            flight.before = before
        flight.observed.add(_version(given))
        self._objects[name] = given
        self._notify(self._indexers, name, before, given)

    def _tell_held(self, name: Name) -> None:
        """Call the event handlers of what was held, unless it is only what was written."""
        flight = self._in_flight.get(name)
        if flight is None:
            return
        others, before = flight.observed - flight.answers, flight.before
        flight.observed, flight.before = set(), None
        if others:
            self._notify(self._handlers, name, before, self._objects.get(name))

    def _set_listed(self, name: Name, given: Object) -> None:
        """Keep an object of a list, which is trimmed already, and not older than what is known."""
        if _version(given) == self.version(name):
            self._tell_unconfirmed(name)
        else:
            self._set(name, given)
        self._unconfirmed.pop(name, None)

    def _tell_unconfirmed(self, name: Name) -> None:
        """Call the event handlers if an answer may have brought somebody else's change along."""
        if name in self._unconfirmed:
            self._notify(self._handlers, name, self._objects[name], self._objects[name])

    def _is_later(self, name: Name, version: str) -> bool:
        """Whether the store has an own write that a list of this version cannot show yet."""
        return name in self._unconfirmed and _older(version, self.version(name))

    def _set(self, name: Name, given: Object) -> None:
        """Keep an object, which is trimmed already."""
        self._tell_held(name)
        before = self._objects.get(name)
        after = self._objects[name] = given
        self._notify([*self._indexers, *self._handlers], name, before, after)

    def _notify(
        self, handlers: Iterable[Handler], name: Name, before: Object | None, after: Object | None
    ) -> None:
        for handler in handlers:
            with self._crashes.guard("event handler", f"{self._kind} {'/'.join(name).lstrip('/')}"):
                handler(name, before, after)


def _version(given: Object) -> str:
    return str(given["metadata"].get("resourceVersion", ""))


def _reads_otherwise(before: Object, after: Object) -> bool:
    """Whether a spec differs that nobody wrote: each write of it counts the generation up."""
    generation = before["metadata"].get("generation")
    return (
        generation is not None
        and generation == after["metadata"].get("generation")
        and before.get("spec") != after.get("spec")
    )


def _older(version: str, than: str) -> bool:
    """Whether a version is provably older than another one."""
    return version.isdecimal() and than.isdecimal() and int(version) < int(than)
