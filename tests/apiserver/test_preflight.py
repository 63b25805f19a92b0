"""`spidercoordinator preflight` as a process against a real API server."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from spidercoordinator.api.crd import SPIDER_MULTUS_CONFIG
from spidercoordinator.cli.exits import Exit
from testbed.apiserver import ApiServer
from tests.apiserver.conftest import NAD_CRD, kubectl
from tests.apiserver.harness import COMMAND, eventually

VALUES = {
    "global": {"imageRegistryOverride": "localhost"},
    "defaultIPAM": {"type": "whereabouts", "range": "172.30.0.0/16"},
}
CRDS = Path(__file__).parents[2] / "crds"


@pytest.fixture(scope="module")
def empty() -> Iterator[ApiServer]:
    with ApiServer() as running:
        yield running


def said(server: ApiServer, *arguments: str, values: str = "") -> tuple[int, str]:
    done = subprocess.run(
        [str(COMMAND), "preflight", *arguments],
        env={"PATH": os.environ["PATH"], "KUBECONFIG": str(server.kubeconfig)},
        input=values,
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.returncode, done.stdout + done.stderr


async def test_what_is_missing_is_said_until_it_is_there(empty: ApiServer) -> None:
    status, text = await asyncio.to_thread(said, empty)
    assert status == 1
    assert "ERROR    kind NetworkAttachmentDefinition: the API server does not have it" in text
    assert "WARNING  defaultIPAM: is not set" in text
    assert "ERROR    image ghcr.io/spidercoordinator/operator:" in text

    values = ("-f", "-")
    given = json.dumps(VALUES)
    status, text = await asyncio.to_thread(said, empty, *values, values=given)
    assert status == 1
    assert "ERROR    defaultIPAM: whereabouts, but the API server has no ippools.whereab" in text
    assert "NOTE     image localhost/spidercoordinator/operator:" in text
    assert "CRD " not in text

    await asyncio.to_thread(kubectl, empty.kubeconfig, "apply", "-f", str(NAD_CRD), "-f", str(CRDS))

    async def served() -> bool:
        _, text = await asyncio.to_thread(said, empty, *values, values=given)
        return "kind NetworkAttachmentDefinition" not in text and "CRD " not in text

    await eventually("Multus' kind is there, and ours are our own", served)
    name = SPIDER_MULTUS_CONFIG.crd_name
    path = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/ipam"
    patch = json.dumps([{"op": "remove", "path": path}])
    rules = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/x-kubernetes-validations"
    without = json.dumps([{"op": "remove", "path": rules}, *json.loads(patch)])
    await asyncio.to_thread(
        kubectl, empty.kubeconfig, "patch", "crd", name, "--type=json", "-p", without
    )
    _, text = await asyncio.to_thread(said, empty, *values, values=given)
    assert f"WARNING  CRD {name}: is another version's" in text


def test_a_file_that_is_none_is_an_error(empty: ApiServer) -> None:
    status, text = said(empty, "-f", "-", values="- a list")
    assert status == Exit.USAGE
    assert "standard input: it is no values file" in text
