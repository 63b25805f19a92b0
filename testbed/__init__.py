"""A real Kubernetes without Docker: for the demo and for the tests."""
