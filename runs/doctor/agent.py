"""The doctor's run: plan, gather, synthesise, act."""

import contextvars
import shutil
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import nullcontext
from pathlib import Path
from types import ModuleType

from django.conf import settings
from django.db import connection

from agentconsole.logconf import get_logger
from agentconsole.protocol.context import current_context
from agentconsole.sdk import Budget, Console, Outcome, Run, __version__, resuming
from runs.doctor import rules
from runs.doctor.components import declare_components
from runs.doctor.finding import Finding, Weight, judged, problem
from runs.doctor.launch import DEADLINE_S
from runs.doctor.scene import Scene
from runs.doctor.subagents import errors, ingest, queue, storage
from runs.doctor.summary import Findings, synthesise
from runs.doctor.tickets import forget_ticket, kept_ticket
from runs.doctor.tools.database import open_environments, past_retention, prunable_before
from runs.doctor.tools.probes import Web
from runs.doctor.tools.prune import prune_tool

log = get_logger(__name__)

QUESTION = "What state is this console in?"
SUB_AGENTS: dict[str, ModuleType] = {"storage": storage, "queue": queue, "ingest": ingest, "errors": errors}
TOOLS = (
    "disk_usage", "database_size", "table_rows", "oldest_run", "health_live", "health_ready", "queue_depth",
    "ingest_rate", "runs_by_status", "stalled_runs", "degraded_agents", "read_without_session", "port_probe",
    "recent_warnings", "failed_calls", "slowest_tools", "past_retention",
    "prune_runs",
)  # fmt: skip
HEARTBEAT_S, LEASE_S = 2.0, 20.0
QUICK = Budget(soft_ms=100, hard_ms=3_000)
PRUNE = Budget(soft_ms=2_000, hard_ms=15_000)
COUNT = Budget(soft_ms=250, hard_ms=4_000)
_LEVELS = {Weight.NOTICE: "warning", Weight.PROBLEM: "error"}


def examine(console: Console) -> bool:
    """One run. Whether every sub-agent came to an end of its own."""
    declare_components(console)
    report_startup(console)
    with console.run(
        query=QUESTION, deadline_s=DEADLINE_S, heartbeat_s=HEARTBEAT_S, lease_s=LEASE_S,
        attributes={"database": connection.vendor},
    ) as run:  # fmt: skip
        log.info("DOCTOR_STARTED", run_id=run.run_id)
        with run.client(base_url=settings.CONSOLE_URL, timeout=10) as client:
            scene = plan(run, Web(client))
            findings, broken = gather(run, scene)
            with run.phase("synthesise"):
                summary = synthesise(run, findings)
            last = act(run, scene)
        run.finish(
            "failed" if broken else "succeeded", summary=f"{summary}\nRetention: {last}",
            error=f"sub-agents that broke: {', '.join(broken)}" if broken else "",
        )  # fmt: skip
        weights = [finding.weight for found in findings.values() for finding in found]
        log.info(
            "DOCTOR_FINISHED",
            run_id=run.run_id,
            findings=len(weights),
            problems=weights.count(Weight.PROBLEM),
            broken=broken,
        )
    return not broken


def report_startup(console: Console) -> None:
    """What this doctor is to have, and has. Without a model configured, none is expected; without log files, no search."""
    missing = {name: f"no `{name}` on the PATH" for name in storage.PROGRAMS if shutil.which(name) is None}
    expected = [*TOOLS, *storage.PROGRAMS]
    if _logs() is not None:
        expected.append("log_search")
    if settings.OPENAI_BASE_URL:
        expected.append("model")
        if not settings.OPENAI_BASE_URL.startswith(("http://", "https://")):
            missing["model"] = "OPENAI_BASE_URL is not an http or https URL"
    loaded = [name for name in expected if name not in missing]
    console.startup(expected=expected, loaded=loaded, missing=missing, version=__version__)


def plan(run: Run, web: Web) -> Scene:
    """See what there is to examine, and say who will."""
    with run.phase("plan"):
        context = current_context()
        own = context.environment if context else ""
        environments = run.call(open_environments, own, budget=QUICK)
        run.call(web.health_live, asks=1, pause_s=0, budget=QUICK)
        scene = Scene(
            agent=_agent_name(),
            environment=own,
            run_id=run.run_id,
            environments=environments.data or [],
            folder=settings.VAR_DIR,
            logs=_logs(),
            web=web,
        )
        run.event(
            "ROUTER_DECISION", sub_agents=list(SUB_AGENTS), database=connection.vendor,
            environments=scene.environments, searches_logs=scene.logs is not None,
        )  # fmt: skip
        return scene


def gather(run: Run, scene: Scene) -> tuple[Findings, list[str]]:
    """Ask the sub-agents, all at once. What each found, and the names of those that broke."""
    found: dict[str, Sequence[Finding]] = {}
    broken: list[str] = []
    with run.phase("gather") as phase, ThreadPoolExecutor(len(SUB_AGENTS)) as threads:
        asked = {_ask(threads, run, name, scene): name for name in SUB_AGENTS}
        for done, future in enumerate(as_completed(asked), 1):
            name = asked[future]
            phase.alive(f"{done} of {len(asked)} sub-agents answered, {name} last")
            error = future.exception()
            if error is None:
                found[name] = future.result()
                continue
            log.error("DOCTOR_FAILED", sub_agent=name, exc_info=error)
            broken.append(name)
            found[name] = [problem(f"The sub-agent {name} broke: {type(error).__name__}.", "This is a bug: report it.")]
    return {name: found[name] for name in SUB_AGENTS}, broken


def _ask(threads: ThreadPoolExecutor, run: Run, name: str, scene: Scene) -> "Future[Sequence[Finding]]":
    """Start a sub-agent in a thread, inside a copy of this context: its calls belong to the run."""
    return threads.submit(contextvars.copy_context().run, consult, run, name, scene)


def consult(run: Run, name: str, scene: Scene) -> Sequence[Finding]:
    """One sub-agent's work."""
    module = SUB_AGENTS[name]
    with run.subagent(name, query=module.QUERY) as sub:
        findings: Sequence[Finding] = module.investigate(sub, scene)
        for finding in findings:
            if finding.weight in _LEVELS:
                sub.event("FINDING_MADE", level=_LEVELS[finding.weight], message=str(finding), weight=finding.weight)
        sub.result("\n".join(map(str, findings)))
        return findings


def act(run: Run, scene: Scene) -> Finding:
    """Propose to prune what is past its retention, in the doctor's own environment; prune it if people say so."""
    with run.phase("act"):
        counted = run.call(past_retention, scene.environments, budget=COUNT)
        finding = judged(counted, "How many runs are past their retention", rules.past_retention)
        run.event("PRUNE_PROPOSED", message=str(finding), runs=counted.data or {})
        own = scene.environment
        if counted.is_ok and own in (counted.data or {}):
            return propose_prune(run, scene, own)
        return finding


def propose_prune(run: Run, scene: Scene, environment: str) -> Finding:
    """Ask, wait a little, claim, prune. What an earlier run asked for and nobody had answered is asked after first."""
    kept = kept_ticket()
    before = kept["arguments"].get("before", "") if kept else prunable_before(environment)
    _url, token = run.console.endpoint or ("", "")
    tool = prune_tool(scene.web.client, token=token, environment=environment)
    with resuming(kept) if kept else nullcontext():
        answered = run.call(tool, before, name="prune_runs", budget=PRUNE)
    if answered.outcome is Outcome.REJECTED and rules.WAITS not in answered.message:
        forget_ticket()
    return rules.pruned(answered, environment)


def _logs() -> Path | None:
    return Path(settings.LOG_FILE).parent if settings.LOG_FILE else None


def _agent_name() -> str:
    """This agent's name, as its credential has it."""
    context = current_context()
    actor = context.actor if context else ""
    return actor.removeprefix("agent:").partition("/")[0] if actor.startswith("agent:") else "doctor"
