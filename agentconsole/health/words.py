"""Why the console is not ready, in sentences. Pure: made from the probe's answer, so that both say the same."""

from collections.abc import Mapping
from dataclasses import dataclass

from agentconsole.health.board import ComponentReport, HealthReport
from agentconsole.health.components import COMPONENTS
from runs.wording import duration_text

TITLES = {component.name: component.title for component in COMPONENTS}


@dataclass(frozen=True, slots=True)
class Reason:
    """One component that is not proven, in a sentence."""

    name: str
    sentence: str
    is_critical: bool


def reasons(report: HealthReport, titles: Mapping[str, str] = TITLES) -> list[Reason]:
    """Why not ready: the critical components first."""
    wrong = [(name, part) for name, part in report["components"].items() if part["status"] != "ok"]
    found = [Reason(name, _sentence(titles.get(name, name), part), part["critical"]) for name, part in wrong]
    return sorted(found, key=lambda reason: not reason.is_critical)


def _sentence(title: str, part: ComponentReport) -> str:
    age = f"{duration_text(part['age_s'] * 1000)} ago" if part["age_s"] is not None and part["age_s"] >= 0 else ""
    if part["status"] == "stale":
        return f"{title}: last proven {age}, which counts for {part['lease_s']} s."
    since = f" since {clock_of(part['since'])}" if part["since"] else ""
    proven = f" Last proven {age}." if age else " Not proven since this process started."
    return f"{title}: failing{since}. {_as_sentence(part['detail'])}{proven}"


def _as_sentence(text: str) -> str:
    return text[:1].upper() + text[1:].rstrip(".") + "."


def banner(report: HealthReport, titles: Mapping[str, str] = TITLES) -> str:
    """What every page says while the console is not ready: which components, and since when. Nothing while it is."""
    if report["status"] == "draining":
        return "This console is stopping: it finishes what it has and takes nothing new."
    if report["status"] == "ready":
        return ""
    wrong = {name: part for name, part in report["components"].items() if part["critical"] and part["status"] != "ok"}
    named = [
        titles.get(name, name) + (f" since {clock_of(part['since'])}" if part["since"] else " not proven yet")
        for name, part in wrong.items()
    ]
    return f"The console is not ready: {', '.join(named)}." if named else "The console is not ready."


def clock_of(told: str | None) -> str:
    """`02:10:04 UTC` of a time as the probes tell it."""
    return f"{told[11:19]} UTC" if told else ""
