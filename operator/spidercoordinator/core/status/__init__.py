"""Conditions, Events and merge patches: what statuses of both kinds are made of."""
