"""Metrics, logging and health: what the operator shows of itself."""
