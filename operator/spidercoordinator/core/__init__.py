"""Decisions: pure functions on plain data. No I/O, clock, logging or kopf."""
