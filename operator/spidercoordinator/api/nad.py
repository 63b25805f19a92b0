"""The NetworkAttachmentDefinition: the contract with Multus and the coordinator plugin.

The kind and its annotations are defined by the network plumbing working group, the `multus.*` and
`cni.*` keys by Spiderpool; their texts are fixed by what users have written already.
"""

from typing import Annotated

from pydantic import Field

from spidercoordinator.api.base import Model, ObjectMeta
from spidercoordinator.api.kinds import GROUP

NAD_GROUP = "k8s.cni.cncf.io"
NAD_VERSION = "v1"
NAD_API_VERSION = f"{NAD_GROUP}/{NAD_VERSION}"
NAD_KIND = "NetworkAttachmentDefinition"
NAD_PLURAL = "network-attachment-definitions"

# On a NAD: the device plugin resource that a pod of this network asks for.
RESOURCE_NAME = "k8s.v1.cni.cncf.io/resourceName"

# On a SpiderMultusConfig.
CR_NAME = "multus.spidernet.io/cr-name"
CNI_VERSION = "multus.spidernet.io/cni-version"
CNICONFIG_NAME = "cni.spidernet.io/cniconfig-name"
RDMA_INJECT = "cni.spidernet.io/rdma-resource-inject"
NETWORK_INJECT = "cni.spidernet.io/network-resource-inject"

OWN_PREFIX = f"spidercoordinator.{GROUP}/"
# On a NAD made by others: "true" lets the SpiderMultusConfig that claims its name adopt it.
ADOPT = f"{OWN_PREFIX}adopt"
# On a NAD taken over: what spec.config was before.
ADOPTED_CONFIG = f"{OWN_PREFIX}adopted-config"
# On every NAD of ours: the network it is made from, as name/uid.
NETWORK = f"{OWN_PREFIX}network"
# On every NAD of ours: the name it was made under, which tells it from a copy.
MADE_AS = f"{OWN_PREFIX}made-as"
# On every NAD of ours: hash of all we wrote.
CONTENT_HASH = f"{OWN_PREFIX}hash"

CNI_VERSIONS = ("0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0")
DEFAULT_CNI_VERSION = "0.3.1"


class NADSpec(Model):
    """The spec of a NAD: a CNI configuration as text."""

    config: Annotated[str, Field(description="A CNI configuration or configuration list.")] = ""


class NAD(Model):
    """A NetworkAttachmentDefinition, as far as we look at it."""

    metadata: ObjectMeta = ObjectMeta()
    spec: NADSpec = NADSpec()
