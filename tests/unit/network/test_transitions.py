"""What is said of a NAD that was written."""

from typing import Any

import pytest

from spidercoordinator.api import nad
from spidercoordinator.core.network.ownership import Apply
from spidercoordinator.core.network.transitions import applied

BODY = {
    "metadata": {"name": "shown", "annotations": {nad.NETWORK: "mine/uid-mine"}},
    "spec": {"config": "{}"},
}
NETWORK = {"metadata": {"namespace": "net-a", "name": "mine"}}
KNOWN = NETWORK | {"status": {"nad": "shown"}}
OTHER = {"metadata": {"annotations": {nad.NETWORK: "mine/before"}}, "spec": {"config": "{}"}}


@pytest.mark.parametrize(
    ("network", "decision", "before", "reason"),
    [
        (NETWORK, Apply(BODY, creates=True), None, "NADCreated"),
        (NETWORK | {"status": {"nad": "former"}}, Apply(BODY, creates=True), None, "NADCreated"),
        (KNOWN, Apply(BODY, creates=True), None, "NADHealed"),
        (KNOWN, Apply(BODY, adopts=True), OTHER, "NADAdopted"),
        (KNOWN, Apply(BODY, reverts=True), BODY, "NADHealed"),
        (KNOWN, Apply(BODY), OTHER, "NADAdopted"),
        (KNOWN, Apply(BODY), BODY, None),
    ],
)
def test_reason(network: dict[str, Any], decision: Apply, before: Any, reason: str | None) -> None:
    done = applied(network, decision, before)
    assert (done and done.reason) == reason
    assert done is None or "NetworkAttachmentDefinition net-a/shown" in done.message
