"""`helm uninstall` with a Job that ends as the job controller would have it: helm's own words.

There is no job controller here; the tests write what it would into the Job's status.
"""

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.chart.helm import Helm, Object
from tests.chart.test_install import MADE, OURS

JOB = "test-spidercoordinator-uninstall-or-no-hooks"
WHEN = "2026-01-01T00:00:00Z"


def ended(kind: str, reason: str) -> Object:
    """The status of a Job that ended."""
    conditions = [
        {"type": each, "status": "True", "reason": reason, "message": "told by the controller"}
        for each in ({"Failed": "FailureTarget", "Complete": "SuccessCriteriaMet"}[kind], kind)
    ]
    status = {"conditions": conditions, "startTime": WHEN, "uncountedTerminatedPods": {}}
    return status | ({"completionTime": WHEN, "succeeded": 1} if kind == "Complete" else {})


@contextmanager
def uninstalling(cluster: Helm, *flags: str) -> Iterator[subprocess.Popen[str]]:
    """Run `helm uninstall` beside the test."""
    command = [str(cluster.binaries / "helm"), "uninstall", "test", *flags]
    environment = os.environ | {"HOME": str(cluster.home), "KUBECONFIG": str(cluster.kubeconfig)}
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def eventually(what: str, check: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not check():
        assert time.monotonic() < deadline, f"not within 60 s: {what}"
        time.sleep(0.1)


def end_job(cluster: Helm, status: Object) -> None:
    eventually("helm makes the Job", lambda: f"job.batch/{JOB}" in cluster.names("jobs"))
    patch = json.dumps({"status": status})
    cluster.kubectl("patch", "job", JOB, "--subresource=status", "--type=merge", "-p", patch)


@pytest.mark.parametrize("reason", ["DeadlineExceeded", "BackoffLimitExceeded"])
def test_a_job_that_fails_is_told_with_the_way_out(cluster: Helm, reason: str) -> None:
    cluster.install()
    with uninstalling(cluster) as helm:
        end_job(cluster, ended("Failed", reason))
        told, _ = helm.communicate(timeout=60)
        assert helm.returncode != 0
    assert f"job {JOB} failed: {reason}" in told
    made = cluster.names(MADE, "--all-namespaces", OURS)
    assert not [name for name in made if "uninstall" in name]
    # The way out that it names, and that the notes show in full.
    cluster.run("uninstall", "test", "--no-hooks")
    assert cluster.names(MADE, "--all-namespaces", OURS) == []


def test_a_job_that_succeeds_leaves_nothing(cluster: Helm) -> None:
    cluster.install()
    with uninstalling(cluster) as helm:
        end_job(cluster, ended("Complete", "CompletionsReached"))
        told, _ = helm.communicate(timeout=60)
        assert helm.returncode == 0, told
    assert 'release "test" uninstalled' in told
    assert cluster.names(MADE, "--all-namespaces", OURS) == []


def test_an_uninstall_that_failed_can_be_tried_again(cluster: Helm) -> None:
    cluster.install()
    for status in (ended("Failed", "DeadlineExceeded"), ended("Complete", "CompletionsReached")):
        with uninstalling(cluster) as helm:
            end_job(cluster, status)
            told, _ = helm.communicate(timeout=60)
    assert 'release "test" uninstalled' in told
