"""What comes in, from whom, by which doors."""

from agentconsole.sdk import Budget, Envelope, Outcome, Span
from runs.doctor import rules
from runs.doctor.finding import Finding, fine, judged, notice, problem
from runs.doctor.scene import Scene
from runs.doctor.tools.activity import degraded_agents, ingest_rate, runs_by_status, stalled_runs
from runs.doctor.tools.probes import port_probe

QUERY = "What do agents send, how do their runs end, and are the doors as they should be?"
HOURS = 24
WINDOW_S = 3.0
SAMPLES = Budget(soft_ms=3_500, hard_ms=6_000)
SCAN = Budget(soft_ms=100, hard_ms=3_000)
PROBE = Budget(soft_ms=100, hard_ms=2_000)
# Where agents with OpenTelemetry send by default: gRPC and HTTP.
OTLP_PORTS = (4317, 4318)
OTHER_DOOR = ("POST /api/v1/ingest", "agents reach this console by its own ingest")


def investigate(sub: Span, scene: Scene) -> list[Finding]:
    """Rate, statuses, silent runs, degraded agents; a closed door, and ports."""
    statuses = sub.call(runs_by_status, scene.environments, hours=HOURS, budget=SCAN)
    silent = sub.call(stalled_runs, scene.environments, hours=HOURS, budget=SCAN)
    degraded = sub.call(degraded_agents, scene.environments, budget=SCAN)
    stranger = sub.call(scene.web.read_without_session, scene.run_id, budget=PROBE)
    ports = {port: sub.call(port_probe, scene.host, port, budget=PROBE, fallback=OTHER_DOOR) for port in OTLP_PORTS}
    rate = sub.call(
        ingest_rate, scene.environments, window_s=WINDOW_S, without_run=scene.run_id, budget=SAMPLES
    )  # fmt: skip
    return [
        judged(rate, "The rate of ingest", rules.rate),
        judged(statuses, "How runs end", lambda answer: rules.statuses(answer, HOURS)),
        judged(silent, "Which runs fell silent", lambda answer: rules.stalled(answer, HOURS)),
        judged(degraded, "Which agents are degraded", rules.degraded),
        closed_door(stranger),
        otlp_ports(ports),
    ]


def closed_door(stranger: Envelope) -> Finding:
    """Here the refusal is the good answer."""
    if stranger.outcome is Outcome.AUTH_FAILED:
        return fine("A run can't be read without signing in, as it should be.")
    if stranger.is_ok:
        return problem(
            "A run can be read without signing in.", "Take the console off the network until this is mended."
        )
    return notice("Whether a run can be read without signing in is not known.", stranger.message)


def otlp_ports(probes: dict[int, Envelope]) -> Finding:
    """Whether something listens where OpenTelemetry sends by default."""
    open_ports = [str(port) for port, probe in probes.items() if probe.is_ok]
    if open_ports:
        return fine(f"Something listens on OpenTelemetry's port {' and '.join(open_ports)}.")
    ports = " and ".join(map(str, probes))
    return fine(f"Nothing answers on OpenTelemetry's ports {ports}; agents send to POST /api/v1/ingest.")
