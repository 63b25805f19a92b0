"""What is in a pod's network namespace, as `coordinator-install explain` reports it.

The report is made by cni/internal/explain; cni/internal/explain/testdata/report.json is one that
both sides test.
"""

from __future__ import annotations

from ipaddress import ip_interface

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from spidercoordinator.api.objects import Object
from spidercoordinator.errors import ManifestError

VETH = "veth0"
"""The pod's end of the veth pair."""


class _Part(BaseModel):
    # A newer installer may tell more.
    model_config = ConfigDict(frozen=True, extra="ignore")


class Interface(_Part):
    """A network interface; addresses have their prefix length."""

    name: str
    kind: str
    up: bool
    mac: str
    mtu: int
    addresses: tuple[str, ...]

    def families(self) -> set[str]:
        """IPv4 and IPv6, as far as it has an address of them; link-local IPv6 does not count."""
        found = [ip_interface(each) for each in self.addresses]
        return {
            f"IPv{each.version}"
            for each in found
            if each.version == 4 or not each.is_link_local  # noqa: PLR2004 - IP's own
        }


class Route(_Part):
    """A route; `via` is empty where the destination is on the link, `own` if it is the plugin's."""

    table: int
    to: str
    via: str
    dev: str
    own: bool


class Rule(_Part):
    """A routing policy rule; `source` is empty for all, mark and mask are 0 for none."""

    family: str
    priority: int
    source: str = Field(alias="from")
    mark: int
    mask: int
    table: int
    own: bool


class Neighbour(_Part):
    """A neighbour entry."""

    dev: str
    ip: str
    mac: str


class Redirect(_Part):
    """A chain that sends connections to a port of the pod; family IPv4, IPv6 or both."""

    family: str
    table: str
    chain: str
    kind: str


class PodReport(_Part):
    """The network of a pod.

    Attributes:
        marks: absent, broken or complete, by family.
        unseen: why marks and redirects could not be read; empty when they were.
    """

    interfaces: tuple[Interface, ...]
    routes: tuple[Route, ...]
    rules: tuple[Rule, ...]
    neighbours: tuple[Neighbour, ...]
    marks: dict[str, str]
    redirects: tuple[Redirect, ...]
    unseen: str

    @classmethod
    def read(cls, report: Object) -> PodReport:
        """Read a report.

        Raises:
            ManifestError: it is none.
        """
        try:
            return cls.model_validate(report)
        except ValidationError as error:
            field = ".".join(map(str, error.errors()[0]["loc"]))
            text = f"the report from inside of the pod cannot be read: {field}"
            raise ManifestError(f"{text}: the installer is of another release") from error

    def interface(self, name: str) -> Interface | None:
        """The interface of that name."""
        return next((each for each in self.interfaces if each.name == name), None)
