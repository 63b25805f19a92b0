from __future__ import annotations

import json
from typing import Any

import pytest

from spidercoordinator.core.cidrs.reports import SourceReport
from spidercoordinator.discovery import nodes
from spidercoordinator.discovery.k3s import K3s
from spidercoordinator.discovery.nodeargs import read_server_args
from tests.unit.discovery.observing import FORBIDDEN, Found, node, observe

K3S, RKE2 = "k3s.io/node-args", "rke2.io/node-args"


def server(
    *args: str, name: str = "server-1", podcidrs: tuple[str, ...] = (), annotation: str = K3S
) -> dict[str, Any]:
    annotations = {
        "flannel.alpha.coreos.com/backend-type": "vxlan",
        annotation: json.dumps(["server", *args]),
        annotation.replace("args", "env"): "{}",
    }
    return node(name, *podcidrs, annotations=annotations)


def report(*given: Any) -> SourceReport:
    return K3s().report(observe(K3s(), {nodes.WATCHED: list(given)}))


@pytest.mark.parametrize(
    ("args", "pod", "service"),
    [
        pytest.param(
            ["--cluster-cidr", "10.52.0.0/16", "--service-cidr", "10.53.0.0/16"],
            ("10.52.0.0/16",),
            ("10.53.0.0/16",),
            id="items of their own, as k3s writes them",
        ),
        pytest.param(
            ["--cluster-cidr=10.52.0.0/16", "--service-cidr=10.53.0.0/16"],
            ("10.52.0.0/16",),
            ("10.53.0.0/16",),
            id="with =",
        ),
        pytest.param(
            ["-cluster-cidr=10.52.0.0/16", "-service-cidr", "10.53.0.0/16"],
            ("10.52.0.0/16",),
            ("10.53.0.0/16",),
            id="one dash, which k3s does not split",
        ),
        pytest.param(
            [
                "--cluster-cidr",
                "10.52.0.0/16,fd52::/56",
                "--service-cidr",
                "10.53.0.0/16,fd53::/112",
            ],
            ("10.52.0.0/16", "fd52::/56"),
            ("10.53.0.0/16", "fd53::/112"),
            id="both families",
        ),
        pytest.param(
            ["--cluster-cidr", "10.52.0.0/16", "--cluster-cidr", "fd52::/56"],
            ("10.52.0.0/16", "fd52::/56"),
            (),
            id="a list in the configuration file",
        ),
        pytest.param(
            ["--tls-san", "--cluster-cidr.example.org", "--cluster-cidr-v4", "10.9.0.0/16"],
            (),
            (),
            id="other flags",
        ),
        pytest.param(
            [
                *("--cluster-cidr", "10.52.0.0/16"),
                *("--kube-controller-manager-arg", "cluster-cidr=10.60.0.0/16"),
                *("--kube-apiserver-arg", "service-cluster-ip-range=10.61.0.0/16"),
            ],
            ("10.60.0.0/16",),
            ("10.61.0.0/16",),
            id="what a component is given wins",
        ),
        pytest.param(["--cluster-cidr"], (), (), id="no value"),
    ],
)
@pytest.mark.parametrize("annotation", [K3S, RKE2])
def test_the_ranges_in_the_arguments(
    args: list[str], pod: tuple[str, ...], service: tuple[str, ...], annotation: str
) -> None:
    found = report(server(*args, annotation=annotation))
    assert (found.pod, found.service) == (pod, service)


@pytest.mark.parametrize(
    ("podcidrs", "pod"),
    [
        pytest.param(("10.42.3.0/24",), ("10.42.0.0/16",), id="IPv4"),
        pytest.param(("fd00:42:0:7::/64",), ("fd00:42::/56",), id="IPv6"),
        pytest.param(("10.50.3.0/24",), (), id="of another range"),
        pytest.param((), (), id="none yet"),
    ],
)
def test_a_default_is_not_in_the_arguments_and_shows_in_the_node(
    podcidrs: tuple[str, ...], pod: tuple[str, ...]
) -> None:
    found = report(server(podcidrs=podcidrs))
    assert found.pod == pod
    assert ("have no --cluster-cidr" in found.missing) == (not pod)
    assert "have no --service-cidr" in found.missing


def test_the_other_nodes_show_the_default_where_the_server_has_no_pods() -> None:
    assert report(server(), node("agent", "10.42.3.0/24")).pod == ("10.42.0.0/16",)


def test_further_nodes_change_nothing() -> None:
    first = server(podcidrs=("10.42.0.0/24",))
    later = server(name="server-2", podcidrs=("10.42.9.0/24",))
    assert report(first, later) == report(first)


def test_servers_that_differ_are_named() -> None:
    found = report(
        server("--cluster-cidr", "10.52.0.0/16"),
        server("--cluster-cidr", "10.54.0.0/16", name="server-2"),
    )
    assert found.pod == ("10.52.0.0/16",)
    assert found.warning == "nodes server-1 and server-2 have different arguments"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param((), ("--cluster-cidr", "10.42.0.0/16"), id="pods' default"),
        pytest.param((), ("--service-cidr", "10.43.0.0/16"), id="Services' default"),
        pytest.param(
            ("--cluster-cidr", "10.52.0.0/16,fd52::/56"),
            ("--cluster-cidr", "10.52.0.1/16", "--cluster-cidr", "FD52::/56"),
            id="spelt otherwise",
        ),
    ],
)
def test_servers_of_which_one_names_what_the_other_leaves_out_agree(
    one: tuple[str, ...], other: tuple[str, ...]
) -> None:
    for first, second in ((one, other), (other, one)):
        found = report(
            server(*first, podcidrs=("10.42.0.0/24",)),
            server(*second, name="server-2", podcidrs=("10.42.1.0/24",)),
        )
        assert found.warning == ""
        assert len(found.pod) == (2 if "fd52::/56" in str(one) else 1)
        assert bool(found.service) == ("--service-cidr" in other)


def test_a_server_that_leaves_out_what_another_sets_otherwise_is_named() -> None:
    found = report(
        server(podcidrs=("10.42.0.0/24",)),
        server("--cluster-cidr", "10.54.0.0/16", name="server-2"),
    )
    assert found.pod == ("10.42.0.0/16",)
    assert found.warning == "nodes server-1 and server-2 have different arguments"


def test_one_annotation_of_a_server_is_enough() -> None:
    args = json.dumps(["server", "--cluster-cidr", "10.52.0.0/16"])
    for other in ('["agent"]', "no list"):
        found = report(node("a", annotations={K3S: other, RKE2: args}))
        assert (found.pod, "no JSON" in found.missing) == (("10.52.0.0/16",), False)


@pytest.mark.parametrize(
    "obj",
    [
        pytest.param(node("a", annotations={K3S: '["agent","--node-label","server"]'}), id="agent"),
        pytest.param(node("a", annotations={"example.org/node-args": '["server"]'}), id="others'"),
        pytest.param(node("a"), id="no annotation"),
    ],
)
def test_a_node_that_is_no_server_tells_nothing(obj: Any) -> None:
    assert read_server_args(obj) is None


@pytest.mark.parametrize(
    "content", ["", "server --cluster-cidr 10.1.0.0/16", '{"a": 1}', "[" * 9000]
)
def test_an_annotation_that_is_no_list_is_named(content: str) -> None:
    found = report(node("a", annotations={RKE2: content}))
    assert found.pod == ()
    assert found.missing == "node a: rke2.io/node-args is no JSON list of arguments"


def test_one_that_cannot_be_read_does_not_hide_the_others() -> None:
    broken = node("a", annotations={K3S: "no list"})
    found = report(broken, server("--cluster-cidr", "10.52.0.0/16"))
    assert found.pod == ("10.52.0.0/16",)
    assert found.warning == "nodes server-1 and a have different arguments"


def test_words_of_another_type_are_passed_over() -> None:
    content = json.dumps(["server", 1, None, {"a": 1}, "--cluster-cidr", "10.52.0.0/16"])
    assert report(node("a", annotations={K3S: content})).pod == ("10.52.0.0/16",)


@pytest.mark.parametrize(
    ("found", "missing", "unread"),
    [
        pytest.param({}, "there is no k3s or RKE2 server among the nodes", False, id="none"),
        pytest.param({nodes.WATCHED: FORBIDDEN}, "may not list nodes", True, id="forbidden"),
    ],
)
def test_without_servers_it_says_why(found: Found, missing: str, unread: bool) -> None:
    said = K3s().report(observe(K3s(), found))
    assert (said.pod, said.service) == ((), ())
    assert missing in said.missing + said.unread
    assert bool(said.unread) == unread


def test_a_worker_cannot_speak_for_the_cluster() -> None:
    of_worker = server("--cluster-cidr", "10.0.0.0/8", name="a-worker")
    del of_worker["metadata"]["labels"]
    found = report(of_worker, server("--cluster-cidr", "10.52.0.0/16"))
    assert (found.pod, found.warning) == (("10.52.0.0/16",), "")


def test_servers_without_the_label_tell_where_none_has_it() -> None:
    given = server("--cluster-cidr", "10.52.0.0/16")
    del given["metadata"]["labels"]
    assert report(given).pod == ("10.52.0.0/16",)
