"""What went wrong: in agents' runs, in their tools, in the console's own logs."""

from functools import partial

from agentconsole.sdk import Budget, Span
from runs.doctor import rules
from runs.doctor.finding import Finding, judged
from runs.doctor.scene import Scene
from runs.doctor.tools.activity import failed_calls, recent_warnings, slowest_tools
from runs.doctor.tools.logs import log_search, tokens_of

QUERY = "What went wrong lately, and what is slow?"
MINUTES = 60
# Scans of an hour's rows: on a busy console they are over the soft budget, and say so.
SCAN = Budget(soft_ms=150, hard_ms=4_000)
READ = Budget(soft_ms=500, hard_ms=3_000)


def investigate(sub: Span, scene: Scene) -> list[Finding]:
    """Warnings of runs, failed and slow tools, warnings in the logs."""
    of, me = scene.environments, scene.agent
    warned = sub.call(recent_warnings, of, minutes=MINUTES, without_agent=me, budget=SCAN)
    failed = sub.call(failed_calls, of, minutes=MINUTES, without_agent=me, budget=SCAN)
    slow = sub.call(slowest_tools, of, minutes=MINUTES, without_agent=me, budget=SCAN)
    found = [
        judged(warned, "What runs warned of", lambda answer: rules.warnings(answer, MINUTES)),
        judged(failed, "Which tool calls failed", lambda answer: rules.failures(answer, MINUTES)),
        judged(slow, "Which tools are slow", lambda answer: rules.slowest(answer, MINUTES)),
    ]
    if scene.logs is not None:
        lines = sub.call(partial(log_search, scene.logs), scene.environments, minutes=MINUTES, budget=READ)
        found.append(judged(lines, "What the logs say", lambda answer: rules.log_lines(tokens_of(answer), MINUTES)))
    return found
