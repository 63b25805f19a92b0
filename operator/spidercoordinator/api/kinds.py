"""Group, version and the names of both kinds, as they are on the wire."""

GROUP = "spiderpool.spidernet.io"
VERSION = "v2beta1"
API_VERSION = f"{GROUP}/{VERSION}"

COORDINATOR_KIND = "SpiderCoordinator"
COORDINATOR_PLURAL = "spidercoordinators"
NETWORK_KIND = "SpiderMultusConfig"
NETWORK_PLURAL = "spidermultusconfigs"
