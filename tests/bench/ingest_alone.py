"""The ingest without its server: seconds from the bytes of a body to committed rows, in this process.

For `ingest_rate`, which starts it with CONSOLE_VAR set to an empty folder. Prints one number.
"""

import gc
import os
import sys
import time


def main(items: int) -> None:
    """Store `items` items in batches and print the seconds it took."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "agentconsole.settings")
    import django

    django.setup()
    from django.core.management import call_command

    from runs.ingest import ingest_body
    from runs.models import Environment
    from runs.services.credentials import issue_credential
    from tests.bench.ingest_rate import bodies

    call_command("migrate", verbosity=0)
    Environment.objects.create(name="dev")
    instance = issue_credential(actor="bench", environment="dev", agent="bench", instance="one").instance
    prepared = bodies(items)
    gc.collect()
    gc.freeze()  # as `manage.py serve` does
    gc.set_threshold(10_000, 10, 10)
    began = time.perf_counter()
    for body in prepared:
        answer = ingest_body(body, content_type="application/json", content_encoding="", instance=instance)
        assert not answer["rejected"], answer["rejected"][0]
    print(time.perf_counter() - began)


if __name__ == "__main__":
    main(int(sys.argv[1]))
