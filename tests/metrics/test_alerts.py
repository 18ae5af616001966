"""The example alerts ask for what /metrics really shows, and say what to do; the documentation lists just that."""

import re
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from agentconsole import metrics
from tests.architecture.source import ROOT
from tests.metrics.scraping import scrape

RULES: list[dict[str, Any]] = [
    rule
    for group in yaml.safe_load((ROOT / "deploy/prometheus/alerts.yml").read_text(encoding="utf-8"))["groups"]
    for rule in group["rules"]
]
SERIES = {"histogram": ("_bucket", "_sum", "_count"), "counter": ("_total",), "gauge": ("",)}
PROMETHEUS_OWN = {"up"}
NAME = re.compile(r"\b(up|agentconsole_\w+)\b(?!\s*\()")
SELECTOR = re.compile(r"(\w+)\{([^}]*)\}|by \(([^)]*)\)")
pytestmark = pytest.mark.django_db(transaction=True)


async def exposed() -> set[str]:
    """The names of the series that a scrape announces."""
    families = text_string_to_metric_families((await scrape()).text)
    return {family.name + end for family in families for end in SERIES[family.type]}


async def test_each_alert_asks_for_what_is_exposed(environments: None) -> None:
    names = {name for rule in RULES for name in NAME.findall(rule["expr"])} - PROMETHEUS_OWN
    assert len(names) > 10
    assert names - await exposed() == set()


def test_each_alert_selects_by_labels_that_there_are() -> None:
    known = {label for one in vars(metrics).values() for label in getattr(one, "_labelnames", ())}
    known |= {"component", "instance", "job", "le"}
    asked = {
        label
        for rule in RULES
        for _name, chosen, grouped in SELECTOR.findall(rule["expr"])
        for label in [*re.findall(r"(\w+)=", chosen), *re.findall(r"\w+", grouped)]
    }
    assert {"status", "result", "le"} <= asked <= known


@pytest.mark.parametrize("rule", RULES, ids=[rule["alert"] for rule in RULES])
def test_each_alert_says_what_to_do(rule: dict[str, Any]) -> None:
    assert set(rule) - {"for"} == {"alert", "expr", "labels", "annotations"}
    assert rule["labels"]["severity"] in ("page", "ticket")
    assert set(rule["annotations"]) == {"summary", "description"}
    assert len(rule["annotations"]["description"]) > 60


def test_no_two_alerts_have_one_name() -> None:
    assert len({rule["alert"] for rule in RULES}) == len(RULES)


async def test_the_documentation_lists_what_is_exposed(environments: None) -> None:
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    section = page.partition("\n## Metrics\n")[2].partition("\n## ")[0]
    listed = set(re.findall(r"^\| `(\w+)", section, re.MULTILINE))
    families = text_string_to_metric_families((await scrape()).text)
    shown = {family.name + ("_total" if family.type == "counter" else "") for family in families}
    assert listed == {name.removeprefix("agentconsole_") for name in shown if name.startswith("agentconsole_")}
