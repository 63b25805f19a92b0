"""The webhook's certificate by cert-manager: its kinds are real, what its controllers do is not.

Its controllers take minutes to build, so what they would do is done by the tests: they write the
Secret's files as the kubelet mounts them, and the caBundle. `make cert-manager` runs the real ones.
"""

from __future__ import annotations

import base64
import json
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest
import yaml

from spidercoordinator.runtime.certificates import KeyPair, self_signed
from testbed import certmanager
from testbed.apiserver import ApiServer, free_port
from tests.apiserver.harness import Operator, eventually
from tests.chart.helm import CHART, Helm, Object, merged, nested, pick, pod_templates
from tests.chart.test_access import account, environment
from tests.chart.test_install import OURS
from tests.chart.test_webhook import CONFIGURATION, NAME, kinds, reach

ON = nested("operator.webhook.certManager.enabled", True)
ISSUER = {"name": "company", "kind": "ClusterIssuer", "group": "issuers.example.org"}
FOLDER = "/etc/spidercoordinator/webhook"
GROUP = "cert-manager.io"


@pytest.fixture(scope="module")
def objects(helm: Helm) -> list[Object]:
    return helm.template(ON)


def test_the_operator_makes_no_certificate_and_has_no_right_to(objects: list[Object]) -> None:
    assert "Secret" not in kinds(objects)
    rules = [rule for each in objects for rule in each.get("rules", ())]
    resources = {resource for rule in rules for resource in rule["resources"]}
    assert not resources & {"secrets", CONFIGURATION}


def test_the_cainjector_is_told_whose_authority_is_trusted(objects: list[Object]) -> None:
    configuration = pick(objects, "ValidatingWebhookConfiguration")
    marks = configuration["metadata"]["annotations"]
    assert marks[f"{GROUP}/inject-ca-from"] == f"default/{NAME}"
    assert "caBundle" not in str(configuration)


def test_the_operator_serves_what_is_mounted(objects: list[Object]) -> None:
    certificate = pick(objects, "Certificate", "-webhook")["spec"]
    assert certificate["dnsNames"] == [f"{NAME}.default.svc"]
    spec = pod_templates(objects)["Deployment"]["spec"]
    [volume] = [each for each in spec["volumes"] if each["name"] == "webhook-certificate"]
    # Without cert-manager's Secret no pod would start, and nobody reconcile.
    assert volume["secret"] == {"secretName": certificate["secretName"], "optional": True}
    [container] = spec["containers"]
    mounts = {each["name"]: each["mountPath"] for each in container["volumeMounts"]}
    assert mounts["webhook-certificate"] == FOLDER
    assert {"name": "SPIDERCOORDINATOR_WEBHOOK_CERTIFICATES", "value": FOLDER} in container["env"]


def test_a_renewed_certificate_is_of_the_same_authority(objects: list[Object]) -> None:
    """Otherwise the API server would trust the new one while the old one is still served."""
    certificate = pick(objects, "Certificate", "-webhook")["spec"]
    issuer = pick(objects, "Issuer", certificate["issuerRef"]["name"])["spec"]
    authority = pick(objects, "Certificate", "-webhook-ca")["spec"]
    assert issuer == {"ca": {"secretName": authority["secretName"]}}
    assert authority["isCA"] is True
    assert pick(objects, "Issuer", authority["issuerRef"]["name"])["spec"] == {"selfSigned": {}}
    assert authority["secretName"] != certificate["secretName"]


def test_an_issuer_of_the_users_makes_an_own_authority_needless(helm: Helm) -> None:
    objects = helm.template(
        nested("operator.webhook.certManager", {"enabled": True, "issuerRef": ISSUER})
    )
    assert "Issuer" not in kinds(objects)
    assert pick(objects, "Certificate")["spec"]["issuerRef"] == ISSUER


def test_unwanted_nothing_of_it_is_there(helm: Helm) -> None:
    text = yaml.safe_dump_all(helm.template())
    assert GROUP not in text
    assert "webhook-certificate" not in text


@pytest.mark.parametrize(
    ("values", "told"),
    [
        (
            nested("operator.webhook", {"enabled": False, "certManager": {"enabled": True}}),
            "operator.webhook.certManager.enabled is true and operator.webhook.enabled is false",
        ),
        (
            nested("operator.webhook.certManager.issuerRef.name", "company"),
            'issuerRef.name is "company" and operator.webhook.certManager.enabled is false',
        ),
        (
            nested(
                "operator.webhook.certManager",
                {"enabled": True, "issuerRef": {"kind": "ClusterIssuer"}},
            ),
            "issuerRef has kind ClusterIssuer and group cert-manager.io and name",
        ),
        (
            merged(
                ON,
                nested("operator.extraVolumes", [{"name": "webhook-certificate", "emptyDir": {}}]),
            ),
            'operator.extraVolumes[0].name is "webhook-certificate"',
        ),
        (
            merged(
                ON,
                nested("operator.extraVolumes", [{"name": "a", "emptyDir": {}}]),
                nested("operator.extraVolumeMounts", [{"name": "a", "mountPath": FOLDER}]),
            ),
            f'operator.extraVolumeMounts[0].mountPath is "{FOLDER}"',
        ),
    ],
)
def test_what_cannot_be_together_is_named_both(helm: Helm, values: Object, told: str) -> None:
    assert told in helm.refusal(values)


@pytest.fixture
def served(with_kinds: Helm) -> Iterator[Helm]:
    """A cluster that has cert-manager's kinds."""
    files = [f"-f={each}" for each in sorted(certmanager.crds().glob(f"{GROUP}_*.yaml"))]
    with_kinds.kubectl("apply", "--server-side", *files)
    with_kinds.kubectl("wait", "--for=condition=Established", *files)
    yield with_kinds
    with_kinds.run("uninstall", "test", "--no-hooks", "--ignore-not-found")
    with_kinds.kubectl("delete", *files)


def test_without_its_kinds_nothing_is_made_and_the_remedy_told(with_kinds: Helm) -> None:
    refused = with_kinds.run("install", "test", str(CHART), values=ON, check=False)
    assert "the cluster does not serve the kind Certificate of cert-manager.io/v1" in refused.stderr
    assert "install cert-manager first" in refused.stderr
    assert with_kinds.run("list", "--all", "--short").stdout == ""


def bundles(cluster: Helm) -> list[str]:
    webhooks = cluster.get(CONFIGURATION, NAME)["webhooks"]
    return [each["clientConfig"].get("caBundle", "") for each in webhooks]


def trust(cluster: Helm, pem: str) -> None:
    """Write the caBundle, as the cainjector does."""
    text = base64.b64encode(pem.encode()).decode()
    changes = [
        {"op": "add", "path": f"/webhooks/{index}/clientConfig/caBundle", "value": text}
        for index in range(len(bundles(cluster)))
    ]
    cluster.kubectl("patch", CONFIGURATION, NAME, "--type=json", "-p", json.dumps(changes))


def test_a_release_may_change_over_and_back(served: Helm) -> None:
    served.install()
    trust(served, "own")
    served.install(ON)
    assert served.names("secrets", OURS) == []
    names = served.names("certificates.cert-manager.io,issuers.cert-manager.io")
    assert len(names) == 4
    # What was trusted is, until the cainjector writes its own.
    assert base64.b64decode(bundles(served)[0]) == b"own"
    trust(served, "theirs")
    served.install(merged(ON, nested("operator.log.level", "debug")))
    assert base64.b64decode(bundles(served)[0]) == b"theirs"
    served.install()
    assert served.names("secrets", OURS) == [f"secret/{NAME}"]
    assert served.names("certificates.cert-manager.io,issuers.cert-manager.io") == []


class Mount:
    """A Secret's folder, as the kubelet renews it: a link to all of the new files at once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._versions = count()
        folder.mkdir()

    def renew(self, pair: KeyPair) -> None:
        version = self.folder / f"..{next(self._versions)}"
        version.mkdir()
        (version / "tls.crt").write_text(pair.certificate)
        (version / "tls.key").write_text(pair.private_key)
        (self.folder / "..new").symlink_to(version.name)
        (self.folder / "..new").rename(self.folder / "..data")
        for name in ("tls.crt", "tls.key"):
            if not (self.folder / name).is_symlink():
                (self.folder / name).symlink_to(f"..data/{name}")


def pair(days: int = 90) -> KeyPair:
    return self_signed(["127.0.0.1"], datetime.now(UTC), validity=timedelta(days=days))


@pytest.fixture
async def mounted(
    served: Helm, server: ApiServer, tmp_path: Path
) -> AsyncIterator[tuple[Operator, Mount, int]]:
    """The operator with its own account, a folder that is empty yet, and the webhook's port."""
    served.install(ON)
    port, mount = free_port(), Mount(tmp_path / "mount")
    login = account(served, server, "test-spidercoordinator-operator")
    given = {
        "SPIDERCOORDINATOR_WEBHOOK_PORT": str(port),
        "SPIDERCOORDINATOR_WEBHOOK_CERTIFICATES": str(mount.folder),
    }
    operator = Operator(login, tmp_path / "log", environment(served, ON) | given)
    operator.start()
    reach(served, port)
    yield operator, mount, port
    operator.stop()


def shown(port: int) -> str:
    """The certificate that is served now; empty while none is."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with (
            socket.create_connection(("127.0.0.1", port), timeout=5) as plain,
            context.wrap_socket(plain) as encrypted,
        ):
            der = encrypted.getpeercert(binary_form=True)
    except OSError:
        return ""
    return ssl.DER_cert_to_PEM_cert(der or b"")


def serves(port: int, expected: KeyPair) -> Callable[[], Awaitable[bool]]:
    async def look() -> bool:
        return shown(port).strip() == expected.certificate.strip()

    return look


async def test_what_is_mounted_is_served_renewed_and_nothing_else_written(
    served: Helm, mounted: tuple[Operator, Mount, int]
) -> None:
    operator, mount, port = mounted

    async def waits() -> bool:
        status, text = operator.get("/readyz")
        return status != 200 and f"{mount.folder}/tls.crt is missing" in text

    await eventually("it says what is missing", waits)
    first, second = pair(), pair(30)
    mount.renew(first)
    await eventually("the first is served", serves(port, first))
    trust(served, first.certificate)
    bad = {
        "apiVersion": "spiderpool.spidernet.io/v2beta1",
        "kind": "SpiderMultusConfig",
        "metadata": {"name": "bad", "namespace": "default"},
        "spec": {"cniType": "custom", "customCNI": "42"},
    }

    async def refused() -> bool:
        told = served.kubectl(
            "apply", "--dry-run=server", "-f", "-", stdin=json.dumps(bad), check=False
        )
        return "admission webhook" in told.stderr

    await eventually("the API server asks, and trusts", refused)
    # A pair of two renewals: the server keeps trying, and says why.
    mount.renew(KeyPair(second.certificate, first.private_key))
    await eventually("what cannot be served is told", told(operator, "cannot be served"))
    mount.renew(second)
    await eventually("the second is served", serves(port, second))
    trust(served, second.certificate)
    await eventually("the API server trusts it again", refused)
    assert {base64.b64decode(each).decode() for each in bundles(served)} == {second.certificate}
    assert served.names("secrets", OURS) == []
    assert "orbidden" not in operator.text()


def told(operator: Operator, text: str) -> Callable[[], Awaitable[bool]]:
    async def look() -> bool:
        return text in operator.text()

    return look
