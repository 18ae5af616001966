"""What redaction finds, what it wrongly takes, and what it costs.

Recall and precision over `tests/redaction/corpus.py` (both are 1, and its tests keep them so); the cost of 1.5 kB texts
relative to writing the same text as JSON once, which every item needs anyway. Run: `python -m tests.bench.redaction`.
"""

import json
import timeit
import uuid

from agentconsole.protocol.redaction import may_hold_secret, scrub_text
from tests.redaction.corpus import AROUND, PASSWORD, TOLD_BY_PLACE, credentials, look_alikes

DRAWS = 20
CHARS = 1_500
PROSE = ("The checkout service answered slowly after the deploy, and the dashboards showed nothing else. " * 20)[:CHARS]
LOG = "\n".join(
    f"2026-11-25T02:14:07.{line:06}Z INFO service=checkout request_id=req_01h{line:020} status=200 took_ms=3{line}"
    for line in range(20)
)[:CHARS]
IDS = json.dumps([{"id": str(uuid.UUID(int=line * 2**70)), "status": "ok"} for line in range(40)])[:CHARS]
TELLING = f"{LOG[:1400]} Authorization: Bearer {PASSWORD}"


def found() -> tuple[int, int]:
    """How many planted secrets there are, and how many were taken out."""
    planted = [
        (around(secret), secret)
        for seed in range(DRAWS)
        for _detector, secret in credentials(seed)
        for around in AROUND.values()
    ]
    planted += [(text, PASSWORD) for text in TOLD_BY_PLACE]
    return len(planted), sum(
        bool(hits) and secret not in clean for text, secret in planted for clean, hits in [scrub_text(text)]
    )


def taken_wrongly() -> tuple[int, int]:
    """How many look-alikes there are, and how many lost something."""
    texts = [text for seed in range(DRAWS) for text in look_alikes(seed)]
    return len(texts), sum(scrub_text(text) != (text, ()) for text in texts)


def cost_us(text: str) -> dict[str, float]:
    """Microseconds, the best of some rounds: to see that there is nothing, to take out what there is, and one JSON dump."""

    def best(call: object) -> float:
        return round(min(timeit.repeat(call, number=200, repeat=9)) / 200 * 1e6, 1)  # type: ignore[arg-type]

    dumped = best(lambda: json.dumps(text, ensure_ascii=False))
    seen = best(lambda: may_hold_secret(text))
    return {
        "json_dump": dumped,
        "may_hold_secret": seen,
        "scrub_text": best(lambda: scrub_text(text)),
        "ratio": round(seen / dumped, 1),
    }


def main() -> None:
    """Print one JSON object."""
    planted, taken = found()
    harmless, wrong = taken_wrongly()
    print(
        json.dumps(
            {
                "bench": "redaction",
                "recall": round(taken / planted, 5),
                "planted": planted,
                "precision": round(taken / (taken + wrong), 5),
                "look_alikes": harmless,
                "us_per_1500_chars": {
                    name: cost_us(text)
                    for name, text in {"prose": PROSE, "log": LOG, "ids": IDS, "secret": TELLING}.items()
                },
            }
        )
    )


if __name__ == "__main__":
    main()
