"""Tests that this machine can't run: left out by what they need, counted, and said loudly at the end."""

import os
import shutil
from collections import Counter
from collections.abc import Mapping

import pytest

CHROMIUM = os.environ.get("CHROMIUM", "chromium")
# Debian keeps it where a user's PATH does not lead.
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin") or ""
NEEDS = {
    "browser": f"no Chromium was found (`{CHROMIUM}`; on Debian: apt-get install chromium)",
    "postgres": "DATABASE_URL names no PostgreSQL",
    "redis": "REDIS_URL is not set",
    "sqlite": "DATABASE_URL names another database than the embedded one",
    "rabbitmq": "no RabbitMQ answers on 127.0.0.1:5672",
    "nginx": "no nginx was found (on Debian: apt-get install nginx)",
    "systemd": "no systemd-analyze was found (on Debian: apt-get install systemd)",
}
# What `.ci/run` does not bring along: told, and no failure.
OPTIONAL = frozenset({NEEDS["rabbitmq"]})


class LeftOut:
    """Skips a test whose marker names something absent. With `require_all`, anything skipped but OPTIONAL fails the run."""

    def __init__(self, present: Mapping[str, bool], *, require_all: bool) -> None:
        self.absent = {marker for marker, is_present in present.items() if not is_present}
        self.require_all = require_all
        self.counts: Counter[str] = Counter()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Leave the test out if something that it needs is absent."""
        for marker, reason in NEEDS.items():
            if marker in self.absent and item.get_closest_marker(marker):
                pytest.skip(reason)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count what was skipped, by its reason; on xdist the reports of all workers come by here."""
        if report.skipped and isinstance(report.longrepr, tuple):
            self.counts[str(report.longrepr[2]).removeprefix("Skipped: ")] += 1

    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Fail the run where nothing may be skipped."""
        if self.require_all and self.counts.keys() - OPTIONAL and exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say what was left out, and why."""
        if not self.counts:
            return
        has_failed = self.require_all and bool(self.counts.keys() - OPTIONAL)
        is_failure = {"red": True} if has_failed else {"yellow": True}
        terminalreporter.section("LEFT OUT", sep="!", bold=True, **is_failure)
        for reason, count in sorted(self.counts.items()):
            terminalreporter.write_line(f"{count} test{'s' if count > 1 else ''} not run: {reason}", bold=True)
        if has_failed:
            terminalreporter.write_line("REQUIRE_ALL=1: a test that is not run is a failure.", red=True)
