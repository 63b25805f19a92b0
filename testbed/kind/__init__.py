"""The same cluster on kind, for machines with Docker."""
