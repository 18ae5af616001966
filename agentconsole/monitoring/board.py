"""What the readiness probe would answer now, as numbers. From memory."""

from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily, Metric

from agentconsole.health.board import Board
from agentconsole.health.board import board as own_board


class BoardCollector:
    """The health of this web process and of what it needs."""

    def __init__(self, board: Board = own_board) -> None:
        self.board = board

    def collect(self) -> Iterator[Metric]:
        """The whole, and each component."""
        report = self.board.report()
        yield GaugeMetricFamily(
            "agentconsole_ready", "Whether /health/ready says so (1) or not (0).", float(report["status"] == "ready")
        )
        is_ok = GaugeMetricFamily(
            "agentconsole_component_ok", "Whether a component is proven within its lease.", labels=["component"]
        )
        age = GaugeMetricFamily(
            "agentconsole_component_proof_age_seconds", "Age of a component's last proof.", labels=["component"]
        )
        for name, part in report["components"].items():
            is_ok.add_metric([name], float(part["status"] == "ok"))
            if part["age_s"] is not None:
                age.add_metric([name], part["age_s"])
        yield is_ok
        yield age
