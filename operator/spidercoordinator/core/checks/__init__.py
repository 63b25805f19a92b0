"""Judgements about objects and clusters: admission, diagnosis, files without a cluster."""
