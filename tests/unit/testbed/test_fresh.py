from pathlib import Path

from testbed import fresh
from testbed.fresh import registries


def test_settings_of_registries_are_brought_and_nothing_else() -> None:
    settings = {
        "https_proxy": "http://proxy:3128",
        "NO_PROXY": "localhost",
        "SSL_CERT_FILE": "/etc/ssl/own.crt",
        "PIP_INDEX_URL": "https://index/simple",
        "UV_DEFAULT_INDEX": "https://index/simple",
        "GOPROXY": "https://modules",
        "GOTOOLCHAIN": "local",
    }
    others = {
        "PATH": "/opt/bin",
        "HOME": "/root",
        "KUBECONFIG": "/root/.kube/config",
        "XDG_CACHE_HOME": "/cache",
        "TESTBED_STATE": "/state",
        "GOCACHE": "/cache/go",
        "GOPATH": "/go",
        "PIP_FIND_LINKS": "/wheels",
        "PYTHONPATH": "/src",
    }
    assert registries.variables(settings | others) == settings


def test_caches_that_nothing_has_filled_yet_can_be_lent(tmp_path: Path) -> None:
    folders = [tmp_path / "go" / "mod", tmp_path / "go-build", tmp_path / "cache" / "own"]
    assert fresh.lend([str(folder) for folder in folders]) == [
        (str(folders[0]), "/root/go/pkg/mod", "rw"),
        (str(folders[1]), "/root/.cache/go-build", "rw"),
        (str(folders[2]), "/root/.cache/own", "rw"),
    ]
    assert all(folder.is_dir() for folder in folders)
