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
OTHER = {"metadata": {"annotations": {nad.NETWORK: "mine/before"}}, "spec": {"config": "{}"}}


@pytest.mark.parametrize(
    ("decision", "before", "again", "reason"),
    [
        (Apply(BODY, creates=True), None, False, "NADCreated"),
        (Apply(BODY, creates=True), None, True, "NADHealed"),
        (Apply(BODY, adopts=True), OTHER, False, "NADAdopted"),
        (Apply(BODY, reverts=True), BODY, False, "NADHealed"),
        (Apply(BODY), OTHER, False, "NADAdopted"),
        (Apply(BODY), BODY, False, None),
    ],
)
def test_reason(decision: Apply, before: Any, again: bool, reason: str | None) -> None:
    done = applied(NETWORK, decision, before, again=again)
    assert (done and done.reason) == reason
    assert done is None or "NetworkAttachmentDefinition net-a/shown" in done.message
