"""What measurements mean. Pure: an answer in, a finding out."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from agentconsole.sdk import Envelope, Outcome
from runs.doctor.finding import Finding, amount, fine, notice, problem, size, span_of

GIB = 1024**3
FREE_SHARE_LOW, FREE_SHARE_OUT = 0.15, 0.05
FREE_BYTES_OUT = GIB // 2
INODES_LOW, INODES_OUT = 85, 95
UNUSED_SHARE, UNUSED_BYTES = 0.3, GIB // 4
ANSWER_SLOW_MS = 100
QUEUE_LONG, QUEUE_STUCK = 100, 1_000
FAILED_SHARE, FAILED_FROM = 0.2, 5
NAMED = 5
# What the SDK says of a guarded call that nobody has decided on yet.
WAITS = "waits for a person"


def disk(answer: Mapping[str, int]) -> Finding:
    """Free space of the console's file system."""
    free, total = answer["free"], answer["total"]
    share = free / total if total else 0
    said = f"{size(free)} of {size(total)} disk are free ({share * 100:.0f} %)."
    if share < FREE_SHARE_OUT or free < FREE_BYTES_OUT:
        return problem(said, "Make room, or shorten the retention: without space nothing more is stored.")
    if share < FREE_SHARE_LOW:
        return notice(said, "Plan for more room, or a shorter retention.")
    return fine(said)


def inodes(used_percent: int | None) -> Finding:
    """Used inodes of the console's file system."""
    if used_percent is None:
        return fine("The file system does not count inodes.")
    said = f"{used_percent} % of the file system's inodes are in use."
    if used_percent >= INODES_OUT:
        return problem(said, "Remove files: no new one can be made soon.")
    return notice(said, "Look for folders of many small files.") if used_percent >= INODES_LOW else fine(said)


def folder(sizes: Mapping[str, int]) -> Finding:
    """What takes the room in the console's folder."""
    parts = [f"{name} {size(count)}" for name, count in sizes.items() if name != "."][:3]
    most = f", most of it: {', '.join(parts)}" if parts else ""
    return fine(f"The console's folder holds {size(sizes.get('.', 0))}{most}.")


def database(answer: Mapping[str, int]) -> Finding:
    """Size of the database."""
    said = f"The database holds {size(answer['bytes'])}."
    if answer["unused"] > max(UNUSED_BYTES, answer["bytes"] * UNUSED_SHARE):
        return notice(
            f"{said} {size(answer['unused'])} of it are unused.",
            "It fills up again by itself; VACUUM gives the room back to the disk.",
        )
    return fine(said)


def tables(rows: Mapping[str, int]) -> Finding:
    """The largest tables."""
    largest = [f"{name.partition('_')[2]} {count:,}" for name, count in rows.items() if count][:3]
    return fine(f"Rows in the largest tables: {', '.join(largest)}." if largest else "The tables are empty.")


def oldest(answer: Mapping[str, str]) -> Finding:
    """The oldest run that is kept."""
    if not answer:
        return fine("No run is kept yet.")
    return fine(f"The oldest run that is kept began on {answer['started_at'][:10]} in {answer['environment']}.")


def readiness(report: Mapping[str, Any]) -> Finding:
    """What the console says of its own parts."""
    parts = report["components"]
    ages = [f"{name} {part['age_s']:g} s" for name, part in parts.items() if part["age_s"] is not None]
    return fine(f"The console is {report['status']}; its parts were last proven {', '.join(ages)} ago.")


def latency(took_ms: Sequence[float]) -> Finding:
    """How fast the web process answers."""
    middle = sorted(took_ms)[len(took_ms) // 2]
    said = f"The web process answers in {middle:.2g} ms, at worst in {max(took_ms):.2g} ms."
    if middle > ANSWER_SLOW_MS:
        return notice(said, "It is busy: look at its processor, or run another web process.")
    return fine(said)


def queue(answer: Mapping[str, int]) -> Finding:
    """Tasks that wait."""
    waiting = answer["waiting"]
    if not waiting:
        return fine("No task waits for a worker.")
    said = f"{amount(waiting, 'task')} {'waits' if waiting == 1 else 'wait'} for a worker."
    if waiting >= QUEUE_STUCK:
        return problem(said, "The workers don't keep up, or are gone: start more.")
    return notice(said, "Look whether it grows.") if waiting >= QUEUE_LONG else fine(said)


def rate(answer: Mapping[str, float]) -> Finding:
    """What other agents send right now."""
    if not answer:
        return fine("No other agent sent anything while the doctor listened.")
    return fine(f"Other agents send {answer['per_s']:g} rows a second in {amount(int(answer['runs']), 'run')}.")


def statuses(counts: Mapping[str, int], hours: int) -> Finding:
    """How the runs of the last hours stand."""
    if not counts:
        return fine(f"No run began in the last {hours} hours.")
    told = ", ".join(f"{count:,} {status.replace('_', ' ')}" for status, count in Counter(counts).most_common())
    said = f"{amount(sum(counts.values()), 'run')} began in the last {hours} hours: {told}."
    failed = counts.get("failed", 0) + counts.get("timed_out", 0)
    ended = failed + counts.get("succeeded", 0) + counts.get("cancelled", 0)
    if failed >= FAILED_FROM and failed > ended * FAILED_SHARE:
        return problem(said, f"{failed / ended * 100:.0f} % of those that ended failed: look at the newest of them.")
    return fine(said)


def stalled(rows: Sequence[Mapping[str, str]] | None, hours: int) -> Finding:
    """Runs that fell silent."""
    if not rows:
        return fine(f"No run fell silent in the last {hours} hours.")
    named = ", ".join(f"{row['agent']} in {row['environment']} ({row['request_id']})" for row in rows[:NAMED])
    said = f"{amount(len(rows), 'run')} fell silent without an end: {named}{_more(rows)}."
    return problem(said, "Their agents were killed or hang: look at the last phase of each.")


def degraded(agents: Sequence[Mapping[str, Any]] | None) -> Finding:
    """Agents that lack tools."""
    if not agents:
        return fine("Every agent started with all of its tools.")
    named = "; ".join(
        f"{agent['agent']} in {agent['environment']} without {', '.join(agent['missing'])}" for agent in agents[:NAMED]
    )
    return problem(
        f"Degraded: {named}{_more(agents)}.", "What needs these tools can't be answered: see Agents for why."
    )


def warnings(counts: Mapping[str, int] | None, minutes: int) -> Finding:
    """What other agents' runs complained of."""
    if not counts:
        return fine(f"No other agent's run told of a warning in the last {minutes} minutes.")
    said = f"{amount(sum(counts.values()), 'warning')} of other agents in the last {minutes} minutes: {_told(counts)}."
    return notice(said, "Look them up under Traces.")


def failures(calls: Sequence[Mapping[str, Any]] | None, minutes: int) -> Finding:
    """Tool calls that failed."""
    if not calls:
        return fine(f"No tool call of another agent failed in the last {minutes} minutes.")
    named = ", ".join(f"{call['name']} {call['outcome']} {call['calls']:,}×" for call in calls)
    return notice(
        f"Tool calls that failed in the last {minutes} minutes, most first: {named}.", "Filter the runs by outcome."
    )


def slowest(tools: Sequence[Mapping[str, Any]] | None, minutes: int) -> Finding:
    """Tools by their time."""
    if not tools:
        return fine(f"No other agent called a tool in the last {minutes} minutes.")
    named = ", ".join(f"{tool['name']} {span_of(tool['mean_ms'])} (most {span_of(tool['most_ms'])})" for tool in tools)
    return fine(f"The slowest tools on average: {named}.")


def log_lines(counts: Mapping[str, int], minutes: int) -> Finding:
    """Warnings in the console's own logs."""
    if not counts:
        return fine(f"The console's logs hold no warning of the last {minutes} minutes.")
    said = f"{amount(sum(counts.values()), 'warning')} in the console's logs in {minutes} minutes: {_told(counts)}."
    return notice(said, "The call's result has the lines.")


def past_retention(counts: Mapping[str, int] | None) -> Finding:
    """Runs that are past their retention."""
    if not counts:
        return fine("No run is past its retention.")
    named = ", ".join(f"{count:,} in {name}" for name, count in counts.items())
    return fine(f"Past their retention: {named}. The sweep deletes them a day later, if nobody approves it before.")


def pruned(answer: Envelope, environment: str) -> Finding:
    """What became of the proposal to prune."""
    if answer.is_ok:
        return fine(f"Pruned, as approved: {answer.data['runs']:,} runs of {environment}.")
    if answer.outcome is Outcome.REJECTED and WAITS in answer.message:
        return fine(f"Pruning {environment} is proposed and waits for a person under Approvals.")
    if answer.outcome is Outcome.REJECTED:
        return fine(f"Pruning {environment} was not done: {answer.message}.")
    return notice(f"Pruning {environment} ended as {answer.outcome}.", answer.message)


def _told(counts: Mapping[str, int]) -> str:
    most = Counter(counts).most_common()
    rest = sum(count for _token, count in most[NAMED:])
    return ", ".join(f"{token} {count:,}×" for token, count in most[:NAMED]) + (f", others {rest:,}×" if rest else "")


def _more(rows: Sequence[Any]) -> str:
    return f" and {len(rows) - NAMED} more" if len(rows) > NAMED else ""
