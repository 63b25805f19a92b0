"""Options that several commands have."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from functools import wraps
from typing import Any, Final, TypeVar

import click
from typing_extensions import override

from spidercoordinator.api.names import IN_LABEL, is_label, is_subdomain
from spidercoordinator.api.objects import Object
from spidercoordinator.cli.connection import Connection

Command = TypeVar("Command", bound=Callable[..., Any])

_DAY: Final = 86400


def _namespace(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    if value and not is_label(value):
        raise click.BadParameter(f"{value!r} is no namespace; allowed are {IN_LABEL}")
    return value


def _namespace_option(what: str) -> Callable[[Command], Command]:
    return click.option("-n", "--namespace", metavar="NAME", callback=_namespace, help=what)


_CLUSTER: Final = (
    click.option(
        "--kubeconfig",
        type=click.Path(),
        metavar="FILE",
        help="Kubeconfig; default: $KUBECONFIG, in a pod its service account, ~/.kube/config.",
    ),
    click.option("--context", metavar="NAME", help="Context of the kubeconfig."),
)
_CONNECTION: Final = (*_CLUSTER, _namespace_option("Namespace."))

filename = click.option(
    "-f",
    "--filename",
    "filenames",
    multiple=True,
    type=click.Path(allow_dash=True),
    metavar="FILE",
    help="A file, a folder, or - for standard input; may be given several times.",
)
"""Manifests."""


class Seconds(click.ParamType[float]):
    """A duration in seconds, of a day at most; click's FloatRange lets NaN and infinity pass."""

    name = "seconds"

    @override
    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """The number.

        Raises:
            click.BadParameter: it is none, not finite, or out of range.
        """
        try:
            seconds = float(value)
        except ValueError:
            seconds = math.nan
        if not 0 <= seconds <= _DAY:
            self.fail(f"{value!r}; allowed is a number of seconds from 0 to {_DAY}", param, ctx)
        return seconds


def timeout(what: str) -> Callable[[Command], Command]:
    """`--timeout`, in seconds, of what is waited for."""
    return click.option(
        "--timeout",
        type=Seconds(),
        metavar="SECONDS",
        default=60.0,
        show_default=True,
        help=what,
    )


class WithSettings(click.Command):
    """A command with an option for each of the operator's settings, as text."""

    @override
    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Look them up when they are asked for: other commands must not wait for that."""
        from spidercoordinator.runtime.settings import Settings, option, variable  # noqa: PLC0415

        settings = [
            click.Option(
                [option(name)],
                metavar="VALUE",
                help="; ".join(
                    filter(None, (field.title, field.description, f"${variable(name)}"))
                ),
            )
            for name, field in Settings.model_fields.items()
        ]
        return [*settings, *super().get_params(ctx)]


def output(default: str) -> Callable[[Command], Command]:
    """`-o`, with this default."""
    return click.option(
        "-o",
        "--output",
        type=click.Choice(["table", "yaml", "json"]),
        default=default,
        show_default=True,
        help="How to print.",
    )


def connection_options(
    command: Command, wanted: tuple[Callable[[Any], Any], ...] = _CONNECTION
) -> Command:
    """The options of kubectl that say which cluster is meant."""
    for option in reversed(wanted):
        command = option(command)
    return command


def connects(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options, and what they say as `connection`.

    They may stand before the command, too, as with kubectl.
    """

    @wraps(command)
    def inner(**options: Any) -> Any:
        given = {each: options.pop(each) for each in ("kubeconfig", "context", "namespace")}
        return command(connection=merged(given), **options)

    return connection_options(inner)


def connects_without_namespace(command: Callable[..., Any]) -> Callable[..., Any]:
    """As `connects`, for a command to which a namespace would mean nothing: it is refused."""

    @wraps(command)
    def inner(**options: Any) -> Any:
        given = {each: options.pop(each) for each in ("kubeconfig", "context")}
        connection = merged(given)
        if connection.namespace:
            raise click.UsageError("-n means nothing here: the whole cluster is looked at")
        return command(connection=connection, **options)

    return connection_options(inner, _CLUSTER)


def merged(given: dict[str, str | None]) -> Connection:
    """What was given with the command, or else before it."""
    before: dict[str, str | None] = click.get_current_context().find_object(dict) or {}
    every = before | {key: value for key, value in given.items() if value}
    return Connection(**{key: value for key, value in every.items() if value})


def of_manifests(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command `-n`, which may stand before the command, too, as `namespace`."""

    @wraps(command)
    def inner(namespace: str | None, **options: Any) -> Any:
        return command(namespace=merged({"namespace": namespace}).namespace, **options)

    return _namespace_option("Of manifests that name none.")(inner)


def object_name(text: str, kinds: tuple[str, ...]) -> str:
    """The name in NAME or KIND/NAME.

    Raises:
        click.UsageError: it is none, or the kind is another one.
    """
    kind, slash, name = text.rpartition("/")
    if (slash and kind not in kinds) or not is_subdomain(name):
        raise click.UsageError(
            f"{text!r} is no name of a {kinds[0]}: allowed is NAME or {kinds[0]}/NAME, and the"
            " namespace is given by -n"
        )
    return name


def json_object(name: str, text: str) -> Object:
    """The object that an option holds as JSON.

    Raises:
        click.BadParameter: it is none.
    """
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise click.BadParameter(f"{text!r} is no JSON object", param_hint=f"--{name}")
    return found
