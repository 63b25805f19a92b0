"""The pure parts of `make kernels`: names, counts, the table, QEMU's command line."""

from pathlib import Path

import pytest

from testbed.errors import TestbedError
from testbed.kernels import disk, initramfs, kernel, project, suites
from testbed.kernels.kernel import Kernel
from testbed.kernels.machine import CARD, Machine
from testbed.kernels.report import Outcome, outcome, table
from testbed.kernels.root import SERIES, Root, mirror_of

SKIPPED = '<testcase><skipped type="pytest.skip" message="no netkit"/></testcase>'
KNOWN = '<testcase><skipped type="pytest.xfail" message="a known fault"/></testcase>'


def junit(*cases: str, **counts: int) -> str:
    words = " ".join(f'{name}="{count}"' for name, count in counts.items())
    inside = f"<testsuite {words}>{''.join(cases)}</testsuite>"
    return f'<?xml version="1.0"?><testsuites>{inside}</testsuites>'


@pytest.mark.parametrize(
    ("report_of_pytest", "status", "expected"),
    [
        pytest.param(
            junit(SKIPPED, SKIPPED, tests=9, skipped=2), "0", (7, 0, 0, 2, "", True), id="passed"
        ),
        pytest.param(
            junit(SKIPPED, tests=9, failures=1, errors=2, skipped=1),
            "1",
            (5, 3, 0, 1, "", False),
            id="failed",
        ),
        pytest.param(
            junit(KNOWN, SKIPPED, tests=9, skipped=2),
            "0",
            (7, 0, 1, 1, "", True),
            id="known faults",
        ),
        pytest.param(
            junit(SKIPPED, SKIPPED, tests=2, skipped=2),
            "0",
            (0, 0, 0, 2, "", False),
            id="all skipped",
        ),
        pytest.param(
            junit(tests=0), "5", (0, 0, 0, 0, "pytest ended with 5", False), id="no tests found"
        ),
        pytest.param(
            junit(tests=3),
            "139",
            (3, 0, 0, 0, "pytest ended with 139", False),
            id="crashed at its end",
        ),
        pytest.param(
            "", "4", (0, 0, 0, 0, "pytest ended with 4 and wrote no report", False), id="no report"
        ),
        pytest.param(
            junit(tests=3),
            "",
            (0, 0, 0, 0, "the guest ended before its tests did", False),
            id="kernel panic",
        ),
    ],
)
def test_outcome(
    report_of_pytest: str, status: str, expected: tuple[int, int, int, int, str, bool]
) -> None:
    begun = Outcome("6.1", "cni", 3.0)
    made = outcome(begun, report_of_pytest, status and f"{status}\n")
    counts = (made.passed, made.failed, made.known, made.skipped)
    assert (*counts, made.trouble, made.good) == expected


def test_no_test_may_be_left_out_where_all_have_to_run() -> None:
    begun = Outcome("6.12", "stock", 3.0, whole=True)
    assert outcome(begun, junit(KNOWN, tests=3, skipped=1), "0").good
    left_out = outcome(begun, junit(KNOWN, SKIPPED, tests=3, skipped=2), "0")
    assert not left_out.good
    assert table([left_out]).endswith("tests were skipped, and every one has to run")


def test_table() -> None:
    good = Outcome("6.1", "no-ipv6", 61.4, 48.9, passed=4)
    bad = Outcome("6.12", "stock", 600.0, 588.0, passed=1, failed=2, known=3)
    hangs = Outcome(
        "6.12", "cni", 300.0, trouble="the guest was ended: it had not powered off after 300 s"
    )
    assert table([good, bad, hangs]).splitlines() == [
        "kernel           suite          passed failed known skipped minutes   CPU",
        "6.1              no-ipv6             4      0     0       0     1.0   0.8",
        "6.12             stock               1      2     3       0    10.0   9.8  tests failed",
        (
            "6.12             cni                 0      0     0       0     5.0   0.0  "
            "the guest was ended: it had not powered off after 300 s"
        ),
    ]


def test_suites() -> None:
    assert suites.named([]) == list(suites.SUITES)
    assert [suite.name for suite in suites.named(["istio", "cni"])] == ["istio", "cni"]
    with pytest.raises(TestbedError, match="'all': allowed are cni, istio, stock"):
        suites.named(["all"])


def test_each_suite_boots_each_kernel_or_its_own() -> None:
    chosen = suites.named(["cni", "stock", "no-ipv6"])
    every = suites.boots(chosen, ["6.1", "6.6"], quick=False)
    assert [(kernel, suite.name) for kernel, suite in every] == [
        *(("6.1", "cni"), ("6.1", "stock"), ("6.1", "no-ipv6")),
        *(("6.6", "cni"), ("6.6", "stock"), ("6.6", "no-ipv6")),
    ]
    quick = suites.boots(chosen, ["6.6"], quick=True)
    assert [(kernel, suite.name) for kernel, suite in quick] == [
        ("6.12", "stock"),
        ("6.1", "no-ipv6"),
    ]


def test_every_quick_suite_names_a_kernel_that_is_fetched() -> None:
    assert {suite.quick for suite in suites.SUITES} - {""} == set(SERIES)


def test_every_folder_of_tests_for_guests_is_run() -> None:
    tests = Path(__file__).parents[2]
    folders = {str(path.parent.relative_to(tests.parent)) for path in tests.glob("kernels/*/*.py")}
    assert folders == {name for suite in suites.SUITES for name in suite.tests} - {
        "tests/cni",
        "tests/istio",
    }


@pytest.fixture
def root(tmp_path: Path) -> Root:
    """A root with one kernel."""
    base = tmp_path / "kernels" / "6.1"
    (base / "lib/modules/6.1.0-1").mkdir(parents=True)
    return Root(tmp_path / "root")


def test_a_series_is_found(root: Root) -> None:
    found = kernel.find("6.1", root)
    assert (found.version, found.base) == ("6.1.0-1", root.kernels() / "6.1")
    assert found.image == root.kernels() / "6.1/boot/vmlinuz-6.1.0-1"


def test_another_kernel_is_found(root: Root, tmp_path: Path) -> None:
    modules = tmp_path / "lib/modules/6.6.9"
    modules.mkdir(parents=True)
    (modules / "modules.dep").touch()
    (tmp_path / "bzImage").touch()
    found = kernel.find(f"{tmp_path}/bzImage:{modules}", root)
    assert (found.name, found.version, found.base) == ("6.6.9", "6.6.9", tmp_path)


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        pytest.param("5.10", "KERNELS names '5.10': allowed are 6.1, 6.12", id="no such series"),
        pytest.param("{0}/none:{0}/6.6", "there is no kernel image", id="no image"),
        pytest.param("{0}/image:{0}/none", "has no modules.dep", id="no modules"),
        pytest.param("{0}/image:{0}/6.6", "a folder lib/modules/VERSION only", id="elsewhere"),
    ],
)
def test_another_kernel_is_refused(root: Root, tmp_path: Path, wanted: str, message: str) -> None:
    (tmp_path / "6.6").mkdir()
    (tmp_path / "6.6" / "modules.dep").touch()
    (tmp_path / "image").touch()
    with pytest.raises(TestbedError, match=message):
        kernel.find(wanted.format(tmp_path), root)


def test_what_is_built_in_has_no_file() -> None:
    text = "builtin virtio\ninsmod /m/netfs.ko \ninsmod /m/9p.ko.xz debug=1\n"
    assert initramfs.loaded(text) == [Path("/m/netfs.ko"), Path("/m/9p.ko.xz")]


@pytest.mark.parametrize(
    ("targets", "expected"),
    [
        pytest.param(
            "bookworm Debian-Security main http://a/\nbookworm Debian main http://b/debian/\n",
            "http://b/debian/",
            id="of the suite",
        ),
        pytest.param("noble Ubuntu main http://c/ubuntu/\n", "", id="another distribution"),
        pytest.param("bookworm-updates Debian main http://b/\n", "", id="another suite"),
    ],
)
def test_mirror(targets: str, expected: str) -> None:
    assert mirror_of(targets) == expected


def test_nothing_leads_out_of_a_guest(root: Root, tmp_path: Path) -> None:
    found = Kernel("6.1", tmp_path / "image", tmp_path / "lib/modules/6.1.0-1")
    results = tmp_path / "results"
    machine = Machine(
        *(found, root, tmp_path / "initramfs", (tmp_path / "a,b", tmp_path / "c"), results),
        append=("ipv6.disable=1",),
        devices=CARD,
    )
    argv = machine.argv()
    assert argv[argv.index("-append") + 1].endswith(" ipv6.disable=1")
    backends = [argv[place + 1] for place, word in enumerate(argv) if word == "-netdev"]
    assert backends
    assert all(backend.endswith(",restrict=on") for backend in backends)
    assert "-nodefaults" in argv
    shares = [argv[place + 1] for place, word in enumerate(argv) if word == "-virtfs"]
    writable = [share for share in shares if "readonly=on" not in share]
    assert len(writable) == 1
    assert f"path={results}," in writable[0]
    drives = [argv[place + 1] for place, word in enumerate(argv) if word == "-drive"]
    assert [drive.rpartition("file=")[2] for drive in drives] == [
        f"{tmp_path}/a,,b",
        f"{tmp_path}/c",
    ]
    assert all("readonly=on" in drive for drive in drives)


def test_what_of_a_clone_is_brought_to_guests(tmp_path: Path) -> None:
    clone, copied = tmp_path / "clone", tmp_path / "copied"
    copied.mkdir()
    for name in ("tests/cni/one.py", "build/bin/coordinator", ".venv/bin/python", "a.toml"):
        (clone / name).parent.mkdir(parents=True, exist_ok=True)
        (clone / name).touch()
    (clone / "tests/cni/__pycache__").mkdir()
    project.copy(clone, copied)
    files = [path for path in copied.rglob("*") if not path.is_dir()]
    assert sorted(str(path.relative_to(copied)) for path in files) == ["a.toml", "tests/cni/one.py"]


def test_a_disk_has_room_for_all_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    for number in range(3):
        (tmp_path / "folder" / str(number)).write_bytes(b"x" * 10_000)
    need = disk.need(tmp_path)
    assert need.inodes >= 4
    # Three blocks a file, beside the table of inodes.
    assert need.blocks >= 9 + need.inodes // 16
