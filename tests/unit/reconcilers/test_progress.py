"""Which networks are in sync, and from when on they can be counted."""

from __future__ import annotations

from spidercoordinator.reconcilers.progress import Progress

ONE, TWO = ("default", "one"), ("default", "two")


def test_nothing_is_counted_before_each_network_was_reconciled_once() -> None:
    progress = Progress()
    complete = [progress.complete]
    progress.begin([ONE, TWO])
    complete.append(progress.complete)
    assert not progress.reconciled(ONE)
    assert not progress.reconciled(ONE)
    complete.append(progress.complete)
    assert progress.reconciled(TWO), "it was the last one"
    complete.append(progress.complete)
    assert not progress.reconciled(TWO)
    assert complete == [False, False, False, True]


def test_without_networks_the_count_is_known_at_once() -> None:
    progress = Progress()
    progress.begin([])
    assert progress.complete


def test_a_network_is_in_sync_with_the_revision_it_was_rendered_from() -> None:
    progress = Progress()
    progress.begin([])
    assert progress.record(ONE, "a")
    assert progress.in_sync(ONE, "a")
    assert not progress.in_sync(ONE, "b")
    assert not progress.record(ONE, "a")
    assert progress.record(ONE, None)
    assert not progress.in_sync(ONE, "a")
    assert not progress.record(ONE, None)
