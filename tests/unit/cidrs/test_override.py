"""An override is used, and what every source says otherwise is named."""

from __future__ import annotations

import pytest

from spidercoordinator.core.cidrs.families import Candidate
from spidercoordinator.core.cidrs.override import override_conflicts
from spidercoordinator.core.cidrs.reports import SourceReport

DUAL = Candidate(SourceReport("kubeadm-config"), ("10.244.0.0/16", "fd00::/56"))
FOUR = Candidate(SourceReport("kubeadm-config"), ("10.244.0.0/16",))
NODES = Candidate(SourceReport("nodes"), ("10.9.0.0/24",))


@pytest.mark.parametrize(
    ("override", "candidates", "named"),
    [
        pytest.param(["10.244.0.0/16"], [FOUR], [], id="the same"),
        pytest.param(["10.0.0.0/8"], [FOUR, NODES], [], id="wider"),
        pytest.param(["10.9.0.0/16"], [FOUR, NODES], [], id="one source agrees"),
        pytest.param(["10.5.0.0/16"], [], [], id="nobody tells"),
        pytest.param(
            ["10.5.0.0/16"],
            [FOUR, NODES],
            [["10.5.0.0/16", "kubeadm-config says 10.244.0.0/16", "nodes says 10.9.0.0/24"]],
            id="every source disagrees",
        ),
        pytest.param(["10.244.0.0/20"], [FOUR], [["10.244.0.0/16"]], id="narrower"),
        pytest.param(
            ["10.244.0.0/16"], [DUAL], [["nothing of IPv6", "fd00::/56"]], id="a family is left out"
        ),
        pytest.param(
            ["10.244.0.0/16", "fd01::/56"], [DUAL], [["fd01::/56", "fd00::/56"]], id="one family"
        ),
    ],
)
def test_what_every_source_says_otherwise_is_named(
    override: list[str], candidates: list[Candidate], named: list[list[str]]
) -> None:
    conflicts = override_conflicts(override, "spec.podCIDR", candidates)
    assert len(conflicts) == len(named)
    for conflict, texts in zip(conflicts, named, strict=True):
        assert conflict.startswith("spec.podCIDR")
        assert [text for text in texts if text not in conflict] == []
