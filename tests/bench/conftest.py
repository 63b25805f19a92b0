"""The operator's benchmarks run on the API server that its tests run on."""

from tests.apiserver.conftest import api, operator, server

__all__ = ["api", "operator", "server"]
