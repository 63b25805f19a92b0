"""Which NetworkAttachmentDefinitions get their addresses from whereabouts."""

import json
from typing import Any

import pytest

from spidercoordinator.api.nad import CONTENT_HASH
from spidercoordinator.core.checks.whereabouts import used_by

IPAM = {"type": "whereabouts", "range": "10.6.0.0/16"}


def nad(config: Any, *, ours: bool = True) -> dict[str, Any]:
    annotations = {CONTENT_HASH: "1"} if ours else {}
    text = config if isinstance(config, str) else json.dumps(config)
    return {"metadata": {"name": "a", "annotations": annotations}, "spec": {"config": text}}


def test_one_of_several_plugins_of_one_of_several_nads() -> None:
    plain = nad({"plugins": [{"type": "macvlan", "ipam": {"type": "dhcp"}}]})
    using = nad({"plugins": [{"type": "ifacer"}, {"type": "macvlan", "ipam": IPAM}]})
    assert used_by([plain, using])
    assert not used_by([plain])


def test_those_of_others_do_not_count() -> None:
    assert not used_by([nad({"plugins": [{"type": "macvlan", "ipam": IPAM}]}, ours=False)])


@pytest.mark.parametrize(
    "config", ["", "{", "[]", "null", {"plugins": 7}, {"plugins": [7, {"ipam": "whereabouts"}]}]
)
def test_what_cannot_be_read_is_passed_over(config: Any) -> None:
    assert not used_by([nad(config)])
    assert not used_by(None)
