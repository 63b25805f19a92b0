"""Operator for SpiderCoordinator and SpiderMultusConfig; see ARCHITECTURE.md for the layers."""

from spidercoordinator.lazykubernetes import load_lazily

load_lazily()
