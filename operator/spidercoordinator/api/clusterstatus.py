"""The status of a SpiderCoordinator: what was found out about the cluster."""

from typing import Annotated, Literal

from pydantic import Field

from spidercoordinator.api.base import Model, Status
from spidercoordinator.api.networks import IPAM

PodCIDRTypeName = Literal["auto", "cluster", "calico", "cilium", "none"]


class CIDRSources(Model):
    """Where each list of CIDRs comes from."""

    overlay_pod_cidr: Annotated[
        str | None, Field(description="Source of status.overlayPodCIDR.")
    ] = None
    service_cidr: Annotated[str | None, Field(description="Source of status.serviceCIDR.")] = None


class NetworkCount(Model):
    """How many networks are in sync with the present settings."""

    in_sync: Annotated[
        int, Field(description="SpiderMultusConfigs whose NAD is in sync with these settings.")
    ] = 0
    total: Annotated[int, Field(description="All SpiderMultusConfigs with a coordinator.")] = 0
    summary: Annotated[str, Field(description='The two as text, such as "3 of 4".')] = ""


class SpiderCoordinatorStatus(Status):
    """The discovered CIDRs, and whether pods can be served."""

    phase: Annotated[
        Literal["Synced", "NotReady"] | None,
        Field(description="Synced: pods can be served. NotReady: they cannot, see reason."),
    ] = None
    reason: Annotated[str | None, Field(description="Why the phase is NotReady.")] = None
    overlay_pod_cidr: Annotated[
        tuple[str, ...] | None,
        Field(description="The pod CIDRs in use.", strict=False),
    ] = None
    service_cidr: Annotated[
        tuple[str, ...] | None,
        Field(description="The service CIDRs in use.", strict=False),
    ] = None
    pod_cidr_type: Annotated[
        PodCIDRTypeName | None,
        Field(description="The type in use: spec.podCIDRType, or what auto came to."),
    ] = None
    sources: Annotated[
        CIDRSources | None, Field(description="Where each list of CIDRs comes from.")
    ] = None
    networks: Annotated[
        NetworkCount | None,
        Field(description="How many networks are in sync with the present settings."),
    ] = None
    default_ipam: Annotated[
        IPAM | None,
        Field(
            description="IPAM of SpiderMultusConfigs that name none: the operator's setting, or"
            " else Spiderpool's where its kinds are served. Absent: such a network has none."
        ),
    ] = None
