"""What nodes report of themselves, and what of it pods of a network need (docs/decisions/0014)."""
