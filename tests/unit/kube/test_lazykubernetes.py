"""A start loads nothing of the synchronous clients, and whoever wants them gets them."""

from __future__ import annotations

import subprocess
import sys

import pytest


def python(program: str) -> str:
    command = [sys.executable, "-c", program]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.mark.parametrize("entry", ["spidercoordinator.cli.main", "spidercoordinator.cli.run"])
def test_a_start_does_not_load_them(entry: str) -> None:
    unwanted = "requests oauthlib websocket kubernetes.config kubernetes.dynamic kubernetes.stream"
    text = f"import sys, {entry}; print([m for m in {unwanted.split()} if m in sys.modules])"
    assert python(text) == "[]"


@pytest.mark.parametrize(
    "program",
    [
        "import kubernetes; print(kubernetes.config.load_kube_config.__name__)",
        "from kubernetes import config; print(config.load_kube_config.__name__)",
        "import kubernetes.config; print(kubernetes.config.load_kube_config.__name__)",
    ],
    ids=["attribute", "from", "module"],
)
def test_they_are_there_for_whoever_asks(program: str) -> None:
    assert python(f"import spidercoordinator; {program}") == "load_kube_config"


def test_what_is_not_there_is_not_there() -> None:
    assert (
        python("import spidercoordinator, kubernetes; print(hasattr(kubernetes, 'x'))") == "False"
    )


def test_a_package_that_is_loaded_stays() -> None:
    text = "import kubernetes as k, spidercoordinator, kubernetes; print(k is kubernetes, k.watch)"
    assert python(text).startswith("True <module")


def test_kopf_still_knows_its_objects() -> None:
    text = (
        "import spidercoordinator.cli.run, kopf; from kubernetes.client import V1Pod;"
        "pod = V1Pod(metadata={}); kopf.label(pod, {'a': 'b'}); print(pod.metadata)"
    )
    assert "'a': 'b'" in python(text)
