"""What the API server refuses: the status and one Event say so, and it is tried again."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

import pytest

from spidercoordinator.api.nad import ADOPT, CR_NAME, NETWORK_INJECT
from spidercoordinator.kube.resource import (
    CONFIG_MAPS,
    EVENTS,
    NETWORK_ATTACHMENT_DEFINITIONS,
    SPIDERCOORDINATORS,
    SPIDERMULTUSCONFIGS,
    Object,
    Resource,
)
from testbed.apiserver import ApiServer
from tests.apiserver.harness import Cluster, Operator, condition, eventually
from tests.apiserver.networks import MACVLAN, Networks
from tests.apiserver.obstacles import SAYS, SPACE, Obstacles, operator_kubeconfig

pytestmark = pytest.mark.usefixtures("controllers")

NAMESPACES = Resource("", "v1", "namespaces", "Namespace")
LIFTED_WITHIN = 150.0
"""Seconds: the back-off ends at 60, and a busy machine takes its time."""
THEIRS = '{"cniVersion":"0.3.1","type":"bridge"}'
DEFAULTS = "node-defaults"

Obstacle = Callable[[Obstacles], contextlib.AbstractAsyncContextManager[None]]

NADS = NETWORK_ATTACHMENT_DEFINITIONS
REFUSING: dict[str, tuple[Obstacle, str, str, str]] = {
    "policy": (lambda made: made.policy(NADS), "NADDenied", SAYS, "policy or webhook"),
    "policy-403": (
        lambda made: made.policy(NADS, reason="Forbidden"),
        "NADDenied",
        SAYS,
        "policy or webhook",
    ),
    "quota": (Obstacles.quota, "NADQuotaExceeded", "exceeded quota: none", "ResourceQuota"),
    "webhook": (
        Obstacles.webhook,
        "NADWebhookFailed",
        'failed calling webhook "broken.example.com"',
        "mend the webhook",
    ),
    "role": (
        lambda made: made.role_without(NADS),
        "NADForbidden",
        "cannot patch resource",
        "ClusterRole",
    ),
}


@pytest.fixture(scope="module")
def operator(server: ApiServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    folder = tmp_path_factory.mktemp("operator")
    environ = {
        "SPIDERCOORDINATOR_NAMESPACE": SPACE,
        "SPIDERCOORDINATOR_NODE_DEFAULTS_CONFIGMAP": DEFAULTS,
    }
    running = Operator(operator_kubeconfig(server, folder), folder / "log", environ)
    running.start()
    yield running
    running.stop()


@pytest.fixture
async def networks(cluster: Cluster, operator: Operator) -> Networks:
    assert operator.running()
    await cluster.coordinator({"podCIDRType": "none"})
    return Networks(cluster.api)


@pytest.fixture
def obstacles(networks: Networks) -> Obstacles:
    return Obstacles(networks.api)


async def events(networks: Networks, name: str, reason: str) -> list[Object]:
    found, _ = await networks.api.list(EVENTS, fields=f"involvedObject.name={name}")
    return [each for each in found if each["reason"] == reason]


async def one_event(networks: Networks, name: str, reason: str) -> str:
    """Wait for an Event about an object; gives its message, and fails if there are several."""

    async def told() -> list[Object]:
        return await events(networks, name, reason)

    [event] = await eventually(f"Event {reason} about {name}", told)
    return str(event["message"])


async def tried_again(operator: Operator, key: str) -> None:
    """Wait until a write was refused once more, by the count of failures."""
    name = f'spidercoordinator_reconciles_total{{kind="{key}",result="failed"}}'
    before = operator.metric(name)

    async def so() -> bool:
        return operator.metric(name) > before

    await eventually("it is tried again", so, seconds=LIFTED_WITHIN)


async def nudge(networks: Networks, name: str) -> None:
    """Edit a network, which is then reconciled at once and not after a back-off."""
    await networks.change(name, {"spec": {"macvlan": {"master": ["eth8"]}}})


async def ready(networks: Networks, name: str) -> Object:
    """Wait until a network is ready, for as long as a back-off takes."""

    async def so() -> bool:
        status = (await networks.get(name)).get("status") or {}
        return bool(condition(status, "Ready").get("status") == "True")

    await eventually(f"{name} is ready", so, seconds=LIFTED_WITHIN)
    return await networks.ready(name)


@pytest.mark.parametrize("kind", REFUSING)
async def test_a_refused_nad_is_told_of_and_tried_again(
    networks: Networks, obstacles: Obstacles, operator: Operator, kind: str
) -> None:
    obstacle, reason, text, advice = REFUSING[kind]
    name = f"refused-{kind}"
    async with obstacle(obstacles):
        await networks.make(name)
        found = await networks.has(name, "NADRefused")
        assert found["reason"] == reason
        assert text in found["message"]
        assert advice in found["message"]
        assert ("ClusterRole" in found["message"]) == (kind == "role")
        stands = condition((await networks.get(name))["status"], "Ready")
        assert (stands["status"], stands["reason"]) == ("False", reason)
        assert "nad" not in (await networks.get(name))["status"]
        await tried_again(operator, "SpiderMultusConfig")
        assert text in await one_event(networks, name, reason)
        assert condition((await networks.get(name))["status"], "WritesBlocked") == {}
        about, _ = await networks.api.list(EVENTS, fields=f"involvedObject.name={name}")
        assert len([each for each in about if text in each["message"]]) == 1
        assert operator.metric("spidercoordinator_writes_blocked") >= 1
    if kind != "policy":
        # That is waited for without an edit once, and takes a minute.
        await nudge(networks, name)
    await ready(networks, name)
    assert await networks.nad(name)
    assert condition((await networks.get(name))["status"], "NADRefused") == {}


async def test_a_refused_change_leaves_the_former_nad_in_the_status(
    networks: Networks, obstacles: Obstacles
) -> None:
    await networks.make("changing")
    before = (await networks.ready("changing"))["status"]
    async with obstacles.policy(NADS):
        await networks.change("changing", {"spec": {"macvlan": {"master": ["eth5"]}}})
        await networks.has("changing", "NADRefused")
        status = (await networks.get("changing"))["status"]
        assert (status["nad"], status["configHash"]) == (before["nad"], before["configHash"])
        assert status["observedGeneration"] == 2
    await nudge(networks, "changing")
    assert (await ready(networks, "changing"))["status"]["configHash"] != before["configHash"]


async def test_a_nad_that_breaks_a_rule_of_its_own(networks: Networks) -> None:
    # What it was before is kept in an annotation, and annotations have a limit.
    text = '{"type":"bridge","note":"' + "x" * 300_000 + '"}'
    await networks.make_nad("long", text, annotations={ADOPT: "true"})
    await networks.make("long")
    found = await networks.has("long", "NADRefused")
    assert found["reason"] == "NADInvalid"
    assert "metadata.annotations: Too long" in found["message"]
    assert "ClusterRole" not in found["message"]
    assert len(await one_event(networks, "long", "NADInvalid")) <= 1024


async def test_in_a_terminating_namespace(networks: Networks, operator: Operator) -> None:
    api, space = networks.api, "ending"
    await api.create(NAMESPACES, {"metadata": {"name": space}})
    meta = {"name": "last", "namespace": space}
    await api.create(SPIDERMULTUSCONFIGS, {"metadata": meta, "spec": MACVLAN}, space)

    async def made() -> bool:
        return await api.find(NADS, "last", space) is not None

    await eventually("the NAD is there", made)
    await api.delete(NAMESPACES, space)
    await api.delete(NADS, "last", space)

    async def told() -> str | None:
        status = (await api.get(SPIDERMULTUSCONFIGS, "last", space)).get("status") or {}
        found = condition(status, "NADRefused")
        return str(found["message"]) if found else None

    message = await eventually("the network says so", told)
    assert "because it is being terminated" in message
    assert "ClusterRole" not in message
    # Nor can an Event be made there; that is in the log, and the operator goes on.
    await networks.make("elsewhere")
    await networks.ready("elsewhere")
    assert operator.running()
    await api.delete(SPIDERMULTUSCONFIGS, "last", space)


async def test_refused_labels_keep_no_network_from_being_ready(
    networks: Networks, obstacles: Obstacles
) -> None:
    spec = {
        "cniType": "sriov",
        "sriov": {"resourceName": "acme.io/vf", "ippools": {"ipv4": ["p4"]}},
    }
    async with obstacles.policy(SPIDERMULTUSCONFIGS):
        await networks.make("unlabelled", spec, {NETWORK_INJECT: "rack-1"})
        await networks.ready("unlabelled")
        found = await networks.has("unlabelled", "WritesBlocked")
        assert found["reason"] == "Denied"
        assert "labels: " in found["message"]
        assert SAYS in found["message"]
        assert SAYS in await one_event(networks, "unlabelled", "WritesBlockedDenied")

    async def labelled() -> bool:
        thing = await networks.get("unlabelled")
        there = NETWORK_INJECT in thing["metadata"].get("labels", {})
        return there and not condition(thing["status"], "WritesBlocked")

    await eventually("the label is there", labelled, seconds=LIFTED_WITHIN)


async def test_a_refused_status_is_an_event(
    networks: Networks, obstacles: Obstacles, operator: Operator
) -> None:
    async with obstacles.policy(SPIDERMULTUSCONFIGS, "status"):
        await networks.make("silent")
        await tried_again(operator, "SpiderMultusConfig")
        assert SAYS in await one_event(networks, "silent", "StatusRefusedDenied")
        assert await networks.nad("silent")
    assert not condition((await ready(networks, "silent"))["status"], "WritesBlocked")


async def test_a_former_nad_that_may_not_be_deleted(
    networks: Networks, obstacles: Obstacles
) -> None:
    await networks.make("moving")
    await networks.ready("moving")
    async with obstacles.policy(NADS, verb="DELETE"):
        await networks.change("moving", {"metadata": {"annotations": {CR_NAME: "moved"}}})
        found = await networks.has("moving", "WritesBlocked")
        assert "former NADs: delete NetworkAttachmentDefinition default/moving" in found["message"]
        assert await networks.nad("moving")
        assert (await networks.ready("moving"))["status"]["nad"] == "moved"

    async def gone() -> bool:
        status = (await networks.get("moving"))["status"]
        return not await networks.nad("moving") and not condition(status, "WritesBlocked")

    await eventually("the former NAD is gone", gone, seconds=LIFTED_WITHIN)


async def test_an_adopted_nad_that_may_not_be_released(
    networks: Networks, obstacles: Obstacles, operator: Operator
) -> None:
    await networks.make_nad("held", THEIRS, annotations={ADOPT: "true"})
    await networks.make("held")
    await networks.ready("held")
    async with obstacles.policy(NADS):
        await networks.delete("held")
        await tried_again(operator, "SpiderMultusConfig")
        assert SAYS in await one_event(networks, "held", "ReleaseRefusedDenied")

    async def returned() -> bool:
        return bool((await networks.nad("held"))["spec"]["config"] == THEIRS)

    await eventually("it is released", returned, seconds=LIFTED_WITHIN)


async def coordinator_without(cluster: Cluster, kind: str) -> None:
    async def so() -> bool:
        status = await cluster.status()
        return status.get("phase") == "Synced" and not condition(status, kind)

    await eventually(f"the SpiderCoordinator has no {kind}", so, seconds=LIFTED_WITHIN)


@pytest.mark.parametrize(
    ("kind", "what"),
    [(CONFIG_MAPS, "nodes' defaults"), (SPIDERCOORDINATORS, "finalizer")],
    ids=["nodes' defaults", "finalizer"],
)
async def test_what_a_coordinator_may_not_write_is_in_its_status(
    cluster: Cluster, networks: Networks, obstacles: Obstacles, kind: Resource, what: str
) -> None:
    async with obstacles.policy(kind):
        await cluster.clean()
        await cluster.api.delete(CONFIG_MAPS, DEFAULTS, SPACE)
        await cluster.coordinator({"podCIDRType": "none", "hostRuleTable": 777})

        async def told() -> str:
            found = condition(await cluster.status(), "WritesBlocked")
            return str(found.get("message", ""))

        message = await eventually("it says so", told)
        assert message.startswith(f"{what}: ")
        assert SAYS in message
        assert (await cluster.status())["phase"] == "Synced"
        # Of all SpiderCoordinators that tests have made, as Events outlive them.
        uid = (await cluster.api.get(SPIDERCOORDINATORS, "default"))["metadata"]["uid"]

        async def event() -> list[Object]:
            found = await events(networks, "default", "WritesBlockedDenied")
            return [each for each in found if each["involvedObject"]["uid"] == uid]

        assert len(await eventually("an Event tells", event)) == 1
    await coordinator_without(cluster, "WritesBlocked")
    thing = await cluster.api.get(SPIDERCOORDINATORS, "default")
    assert thing["metadata"]["finalizers"]
    assert await cluster.api.find(CONFIG_MAPS, DEFAULTS, SPACE)


async def test_a_coordinator_whose_status_or_end_is_refused_has_an_event(
    cluster: Cluster, networks: Networks, obstacles: Obstacles
) -> None:
    uid = (await cluster.api.get(SPIDERCOORDINATORS, "default"))["metadata"]["uid"]
    await coordinator_without(cluster, "WritesBlocked")

    async def told() -> list[Object]:
        found = await events(networks, "default", "WriteRefusedDenied")
        return [each for each in found if each["involvedObject"]["uid"] == uid]

    async with obstacles.policy(SPIDERCOORDINATORS, "status"):
        await cluster.coordinator({"podCIDRType": "none", "hostRuleTable": 778})
        [event] = await eventually("an Event tells of the status", told)
        assert "status of SpiderCoordinator default" in event["message"]

    async def observed() -> bool:
        thing = await cluster.api.get(SPIDERCOORDINATORS, "default")
        return bool(thing["status"]["observedGeneration"] == thing["metadata"]["generation"])

    await eventually("the status is written", observed, seconds=LIFTED_WITHIN)
    assert not condition(await cluster.status(), "WritesBlocked")
    async with obstacles.policy(SPIDERCOORDINATORS):
        await cluster.api.delete(SPIDERCOORDINATORS, "default")

        async def twice() -> bool:
            return len(await told()) == 2

        await eventually("an Event tells of the finalizer", twice)

    async def gone() -> bool:
        return await cluster.api.find(SPIDERCOORDINATORS, "default") is None

    await eventually("the SpiderCoordinator is gone", gone, seconds=LIFTED_WITHIN)


async def test_refused_events_are_logged_once_and_stop_nothing(
    networks: Networks, obstacles: Obstacles, operator: Operator
) -> None:
    lost = "an Event could not be written"
    async with obstacles.policy(EVENTS):
        before = operator.text().count(lost)
        for name in ("one", "two", "three"):
            await networks.make(name)
            await networks.ready(name)

        async def logged() -> bool:
            return operator.text().count(lost) > before

        await eventually("it is logged", logged)
    await networks.make("four")
    await networks.ready("four")

    async def again() -> bool:
        return bool(await events(networks, "four", "NADCreated"))

    await eventually("Events are written again", again)
    assert operator.text().count(lost) == before + 1
