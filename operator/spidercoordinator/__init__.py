"""Operator for SpiderCoordinator and SpiderMultusConfig; see ARCHITECTURE.md for the layers."""
