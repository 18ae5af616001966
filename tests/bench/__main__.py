"""`make bench`: each of the console's speed claims, as a ratio measured in one run."""

import subprocess
import sys

BENCHES = ("redaction", "ingest_rate", "otlp_rate", "memory", "run_page_ttfb", "fanout", "approvals", "lookup")


def main() -> None:
    """Run each in a process of its own, one after the other: they measure the same two cores."""
    failed = [
        name
        for name in BENCHES
        if subprocess.run([sys.executable, "-m", f"tests.bench.{name}"], check=False).returncode
    ]
    sys.exit(f"did not finish: {', '.join(failed)}" if failed else 0)


if __name__ == "__main__":
    main()
