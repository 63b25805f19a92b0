import pytest

from testbed.prerequisites import Requirement, complaint, missing_packages


@pytest.mark.parametrize(
    ("root", "go", "packages", "apt", "expected"),
    [
        pytest.param(True, True, [], True, [], id="all there"),
        pytest.param(True, True, ["runc"], True, [], id="root installs packages itself"),
        pytest.param(False, True, [], True, ["root"], id="not root"),
        pytest.param(
            False,
            True,
            ["runc", "socat"],
            True,
            ["root", "sudo apt-get install -y --no-install-recommends runc socat"],
            id="not root and packages missing",
        ),
        pytest.param(True, False, [], True, ["Go 1.26"], id="no Go"),
        pytest.param(True, True, ["runc"], False, ["Debian packages have: runc"], id="no apt-get"),
        pytest.param(
            False, False, ["runc"], False, ["root", "Go 1.26", "have: runc"], id="nothing there"
        ),
    ],
)
def test_one_message_names_all(
    root: bool, go: bool, packages: list[str], apt: bool, expected: list[str]
) -> None:
    text = complaint(root=root, go=go, packages=packages, apt=apt)
    assert len(text.splitlines()) == (len(expected) + 1 if expected else 0)
    for part in expected:
        assert part in text


def test_each_missing_package_once() -> None:
    requirements = (
        Requirement("sh", "dash"),
        Requirement("no-such-program", "b"),
        Requirement("no-such-program-either", "b"),
        Requirement("/no/such/file", "a"),
    )
    assert missing_packages(requirements) == ["a", "b"]
