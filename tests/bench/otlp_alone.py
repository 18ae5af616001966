"""The OTLP door without its server: seconds from decoded exports to committed rows, in this process.

For `otlp_rate`, which starts it with CONSOLE_VAR set to an empty folder. Prints one number.
"""

import gc
import os
import random
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

BATCH = 512
TOOLS = ("bash", "read_file", "search", "edit_file")


def trace(number: int, chance: random.Random) -> Iterator[Any]:
    """A root agent, 5 phases, 4 sub-agents with 3 tool calls each."""
    from traces.otlp.shapes import OtlpSpan, Scope

    began, scope = datetime.now(UTC) - timedelta(minutes=2), Scope("bench", "1")
    ids = [f"{chance.getrandbits(64) | 1:016x}" for _ in range(22)]
    agent = {"gen_ai.operation.name": "invoke_agent", "gen_ai.conversation.id": f"conv-{number // 5}"}

    def span(at: int, parent: str, name: str, took_s: float, **attributes: Any) -> OtlpSpan:
        start = began + timedelta(seconds=at)
        told = {"request.id": f"req-{number:07d}", **attributes}
        end = start + timedelta(seconds=took_s)
        return OtlpSpan(f"{number + 1:032x}", ids[at], parent, name, start, end, 1, told, scope=scope, status_code=1)

    yield span(0, "", "invoke_agent orchestrator", 60, **agent, **{"gen_ai.agent.name": "orchestrator"})
    for at in range(1, 6):
        yield span(at, ids[0], f"phase {at}", 12, **agent, **{"gen_ai.agent.name": "orchestrator"})
    for at in range(6, 10):
        name, said = f"sub-{at}", {"gen_ai.output.messages": text(chance)}
        yield span(at, ids[at - 4], f"invoke_agent {name}", 11, **agent, **said, **{"gen_ai.agent.name": name})
    for at in range(10, 22):
        tool = TOOLS[at % 4]
        call = {
            "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": tool, "gen_ai.tool.call.result": text(chance),
            "gen_ai.tool.call.id": f"call_{ids[at]}", "gen_ai.tool.call.arguments": f'{{"path": "src/m{at}.py"}}',
        }  # fmt: skip
        yield span(at, ids[6 + (at - 10) // 3], f"execute_tool {tool}", 2.5, **call)


def text(chance: random.Random) -> str:
    """1.5 kB that no other span has."""
    return " ".join(f"{chance.getrandbits(36):09x}" for _ in range(150))


def main(spans: int) -> None:
    """Store that many spans in batches and print the seconds it took."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "agentconsole.settings")
    import django

    django.setup()
    from django.core.management import call_command

    from runs.models import Environment
    from runs.services.credentials import issue_credential
    from traces.otlp.shapes import Export
    from traces.services.exports import store_export

    call_command("migrate", verbosity=0)
    Environment.objects.create(name="dev")
    instance = issue_credential(actor="bench", environment="dev", agent="bench", instance="one").instance
    chance = random.Random(7)
    made = [span for number in range(spans // 22) for span in trace(number, chance)]
    exports = [Export(BATCH, tuple(made[at : at + BATCH])) for at in range(0, len(made), BATCH)]
    gc.collect()
    gc.freeze()  # as `manage.py serve` does
    gc.set_threshold(10_000, 10, 10)
    began = time.perf_counter()
    for export in exports:
        outcome = store_export(export, instance=instance)
        assert not outcome.refused, outcome.refused[0]
    print(time.perf_counter() - began)


if __name__ == "__main__":
    main(int(sys.argv[1]))
