"""A plugin of pytest: a failure is written when it happens, for a guest may not come to its end."""

import pytest


class _Failures:
    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Write why a test, or its fixture, failed."""
        reporter = self._config.pluginmanager.get_plugin("terminalreporter")
        if report.failed and reporter is not None:
            reporter.write_line(f"\n{report.nodeid} failed in {report.when}:")
            reporter.write_line(report.longreprtext)


def pytest_configure(config: pytest.Config) -> None:
    """Take part in this run."""
    config.pluginmanager.register(_Failures(config), "instant-failures")
