"""Whether the console's own processes work, and keep up."""

from agentconsole.sdk import Budget, Envelope, Outcome, Retry, Span
from runs.doctor import rules
from runs.doctor.finding import Finding, judged, problem
from runs.doctor.scene import Scene
from runs.doctor.tools.probes import queue_depth

QUERY = "Do web, worker and schedule work, and do they keep up?"
ASKS, PAUSE_S = 10, 0.1
# Ten answers and nine pauses take a second; what is over that by half is the web process's.
PINGS = Budget(soft_ms=1_500, hard_ms=5_000)
PROBE = Budget(soft_ms=100, hard_ms=2_000)
# A console that has just started proves its parts within ten seconds.
PATIENCE = Retry(attempts=5, base_s=1, cap_s=4)


def investigate(sub: Span, scene: Scene) -> list[Finding]:
    """Readiness, latency, waiting tasks."""
    depth = sub.call(queue_depth, budget=PROBE)
    pings = sub.call(scene.web.health_live, asks=ASKS, pause_s=PAUSE_S, budget=PINGS)
    ready = sub.call(scene.web.health_ready, budget=PROBE, retry=PATIENCE)
    return [
        readiness(ready),
        judged(depth, "How many tasks wait", rules.queue),
        judged(pings, "How fast the web process answers", rules.latency),
    ]


def readiness(ready: Envelope) -> Finding:
    """A console that says no has answered too."""
    if ready.outcome is Outcome.DEGRADED:
        return problem("The console does not call itself ready:", ready.message)
    return judged(ready, "Whether the console is ready", rules.readiness)
