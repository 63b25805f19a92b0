"""The arguments of k3s and RKE2 servers, which each writes to its Node.

Annotation `k3s.io/node-args` or `rke2.io/node-args` holds the command line with the configuration
files merged in, as a JSON list (k3s: pkg/nodeconfig). What is left at its default is not in it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from spidercoordinator.api.objects import Object
from spidercoordinator.discovery.flags import last, occurrences
from spidercoordinator.discovery.shapes import section, split

_ANNOTATIONS: Final = ("k3s.io/node-args", "rke2.io/node-args")
_ROLES: Final = ("server", "agent")


@dataclass(frozen=True, slots=True)
class ServerArgs:
    """What the arguments of a server name.

    Attributes:
        pod: pod CIDRs, none where they are at their default.
        service: service CIDRs, likewise.
        problem: why the arguments cannot be read.
    """

    pod: tuple[str, ...] = ()
    service: tuple[str, ...] = ()
    problem: str = ""


def read_server_args(obj: Object) -> ServerArgs | None:
    """What a server's arguments name; None for a node that is no server."""
    annotations = section(obj, "metadata", "annotations")
    problem = ""
    for name in _ANNOTATIONS:
        if isinstance(content := annotations.get(name), str):
            words = _words(content)
            if words is None:
                problem = f"{name} is no JSON list of arguments"
            elif next((word for word in words if word in _ROLES), "") == "server":
                return _read_words(words)
    return ServerArgs(problem=problem) if problem else None


def _words(content: str) -> list[str] | None:
    try:
        words = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return [str(word) for word in words] if isinstance(words, list) else None


def _read_words(words: list[str]) -> ServerArgs:
    # What is handed to a component wins over the server's own flag.
    manager = ("kube-controller-manager-arg", "kube-controller-arg")
    pod = _of_component(words, manager, "cluster-cidr") or _listed(words, "cluster-cidr")
    api_server = ("kube-apiserver-arg", "kube-controller-manager-arg", "kube-controller-arg")
    service = _of_component(words, api_server, "service-cluster-ip-range")
    return ServerArgs(pod, service or _listed(words, "service-cidr"))


def _listed(words: list[str], flag: str) -> tuple[str, ...]:
    # A list: given several times, its values add up.
    return tuple(dict.fromkeys(split(list(occurrences(words, flag)))))


def _of_component(words: list[str], flags: tuple[str, ...], name: str) -> tuple[str, ...]:
    return split(last(_arguments(words, flags, name)))


def _arguments(words: list[str], flags: tuple[str, ...], name: str) -> Iterator[str]:
    for argument in occurrences(words, *flags):
        key, _, value = argument.lstrip("-").partition("=")
        if key == name:
            yield value
