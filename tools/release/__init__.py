"""Releases: what has to be true before one, and the files of it that need no registry."""
