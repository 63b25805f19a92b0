"""`spidercoordinator diff`: what files or a patch would change in which NADs.

It reads the three kinds and changes nothing; what `kubectl apply` or `kubectl patch` would make of
an object is worked out here, so no right to write is needed.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, Self

import click

from spidercoordinator.api.kinds import COORDINATOR_KIND, NETWORK_KIND
from spidercoordinator.api.names import is_subdomain
from spidercoordinator.api.objects import Object
from spidercoordinator.cli.check import number_of_errors, print_diagnostics, reviewed
from spidercoordinator.cli.connection import Connection
from spidercoordinator.cli.exits import Exit
from spidercoordinator.cli.manifests import parse
from spidercoordinator.cli.output import Format, print_document
from spidercoordinator.core.checks.changes import Change, Rendering, changes
from spidercoordinator.core.checks.manifests import (
    DEFAULT_NAMESPACE,
    Diagnostic,
    Manifest,
    review_manifests,
)
from spidercoordinator.core.checks.merging import applied, patched_object
from spidercoordinator.errors import ManifestError
from spidercoordinator.kube.client import Client
from spidercoordinator.kube.resource import (
    NETWORK_ATTACHMENT_DEFINITIONS,
    SPIDERCOORDINATORS,
    SPIDERMULTUSCONFIGS,
)
from spidercoordinator.runtime.settings import Settings

_KINDS: Final = {
    each: kind
    for kind, names in {
        COORDINATOR_KIND: ("spidercoordinator", "spidercoordinators", "scc", "spco"),
        NETWORK_KIND: ("spidermultusconfig", "spidermultusconfigs", "smc"),
    }.items()
    for each in names
}
_COLOURS: Final = {"+": "green", "-": "red", "@": "cyan"}

Key = tuple[str, str, str]
"""Kind, namespace (empty for a SpiderCoordinator), name."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be compared: files, or a patch of one object.

    Attributes:
        filenames: files, folders, or `-`.
        kind: of the object to patch, empty for none.
        name: its name.
        patch: a JSON merge patch.
    """

    filenames: tuple[str, ...] = ()
    kind: str = ""
    name: str = ""
    patch: Any = None

    @classmethod
    def of(cls, name: str, filenames: tuple[str, ...], patch: str) -> Self:
        """From the command line.

        Raises:
            UsageError: it is neither files nor a patch of an object.
        """
        if bool(filenames) == bool(name or patch):
            raise click.UsageError("give either -f FILE, or KIND/NAME and -p PATCH")
        if filenames:
            return cls(filenames)
        kind, _, name = name.partition("/")
        if kind.lower().split(".")[0] not in _KINDS or not is_subdomain(name) or not patch:
            raise click.UsageError(
                "a patch is given as KIND/NAME -p PATCH, KIND being spidercoordinator or"
                " spidermultusconfig, whose namespace is given by -n"
            )
        try:
            documents = parse(patch)
        except ValueError as error:
            raise click.UsageError(f"--patch is no JSON or YAML: {error}") from error
        if len(documents) != 1 or not isinstance(documents[0], dict):
            raise click.UsageError(f"--patch is {patch!r}: allowed is an object")
        return cls(kind=_KINDS[kind.lower().split(".")[0]], name=name, patch=documents[0])


async def diff(
    connection: Connection, settings: Settings, request: Request, output: Format = "table"
) -> Exit:
    """Print what would change; returns `FOUND` when something would, or is refused.

    Raises:
        LoginError: there is no way to an API server.
        ApiError: it does not answer, or does not let the three kinds be read.
        ManifestError: a file cannot be read, or the object to patch does not exist.
    """
    async with connection.open() as api:
        namespace = connection.namespace or api.login.namespace or DEFAULT_NAMESPACE
        live, nads = await _read(api)
    after, diagnostics = _after(request, live, namespace)
    print_diagnostics(diagnostics)
    if number_of_errors(diagnostics):
        click.echo("diff: nothing is compared until the errors are mended", err=True)
        return Exit.FOUND
    how = Rendering(settings.name, settings.default_ipam)
    return _print(changes(list(live.values()), list(after.values()), nads, how), output)


def _after(
    request: Request, live: Mapping[Key, Object], namespace: str
) -> tuple[dict[Key, Object], list[Diagnostic]]:
    """The objects as they would be, and what is wrong with those that change."""
    after = dict(live)
    diagnostics: list[Diagnostic] = []
    if request.filenames:
        manifests, diagnostics = reviewed(request.filenames, namespace)
        for each in manifests:
            after[_key(each.obj)] = applied(live.get(_key(each.obj)), each.obj)
    else:
        key = (request.kind, namespace if request.kind == NETWORK_KIND else "", request.name)
        if key not in live:
            raise ManifestError(f"{request.kind} {'/'.join(filter(None, key[1:]))} does not exist")
        after[key] = patched_object(live[key], request.patch)
    if number_of_errors(diagnostics):
        return after, diagnostics
    changed = [each for key, each in after.items() if each is not live.get(key)]
    merged = review_manifests([Manifest("as it would be", each) for each in changed])
    # Warnings of files were said already.
    return after, diagnostics + [
        each for each in merged if not request.filenames or each.severity == "error"
    ]


async def _read(api: Client) -> tuple[dict[Key, Object], list[Object]]:
    """Our objects by kind and name, and the NADs."""
    (coordinators, _), (networks, _), (nads, _) = await asyncio.gather(
        api.list(SPIDERCOORDINATORS),
        api.list(SPIDERMULTUSCONFIGS),
        api.list(NETWORK_ATTACHMENT_DEFINITIONS),
    )
    # A list's items do not say of which kind they are where the server leaves it out.
    objects = [
        *({"kind": COORDINATOR_KIND, **each} for each in coordinators),
        *({"kind": NETWORK_KIND, **each} for each in networks),
    ]
    return {_key(each): each for each in objects}, nads


def _key(obj: Object) -> Key:
    meta = obj["metadata"]
    return obj["kind"], meta.get("namespace", ""), meta["name"]


def _print(found: Sequence[Change], output: Format) -> Exit:
    if output == "table":
        for change in found:
            _print_change(change)
        count = Counter(change.action for change in found)
        click.echo(
            f"diff: {count['create']} NetworkAttachmentDefinitions would be made,"
            f" {count['change']} changed, {count['delete']} deleted, {count['refuse']} refused;"
            " running pods keep what they have"
        )
    else:
        documents = [
            asdict(change) | {"nad": "/".join(change.nad), "diff": change.lines()}
            for change in found
        ]
        print_document({"command": "diff", "changes": documents}, output)
    return Exit.FOUND if found else Exit.OK


def _print_change(change: Change) -> None:
    if change.action == "refuse":
        name = "/".join(change.nad)
        click.echo(f"NetworkAttachmentDefinition {name} stays as it is: {change.reason}")
    for line in change.lines():
        click.echo(click.style(line, fg=_COLOURS.get(line[:1])))
