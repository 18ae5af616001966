"""Run in the server's environment: makes the cast, and prints the agents' credentials as JSON."""

import json
import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "agentconsole.settings")
django.setup()

from tests.cast import make_agent, make_person  # noqa: E402  models need the set-up above

for username, group in (("vera", "viewer"), ("omar", "operator"), ("ada", "admin"), ("sam", None)):
    make_person(username, group)
tokens = {f"triage@{environment}": make_agent(environment, "triage").token for environment in ("dev", "prod")}
print(json.dumps(tokens))
