"""Whoever stops the console waits for longer than it drains, and what stands in front waits and takes as much as it does."""

import re

from approvals.aap.wire import WAIT_MAX_S
from tests.deploy.shipped import DEFAULTS, compose, drains, manifests, pod, setting

# After its drain a process ends its hub, its hints, its pool.
MARGIN_S = 5
MIB = 1024 * 1024
INGRESS = manifests()["Ingress", "agentconsole"]["metadata"]["annotations"]


def grace_s(service: str) -> float:
    """The seconds of compose's stop_grace_period."""
    return float(compose()["services"][service]["stop_grace_period"].removesuffix("s"))


def test_compose_waits_for_the_drains():
    assert grace_s("web-1") == grace_s("web-2") >= drains().web_s + MARGIN_S
    assert grace_s("worker") >= drains().worker_s + MARGIN_S
    assert grace_s("proxy") >= drains().web_s + MARGIN_S


def test_kubernetes_waits_for_the_drains_after_the_endpoints_are_gone():
    web = pod("Deployment", "agentconsole-web")
    sleep, seconds = web["containers"][0]["lifecycle"]["preStop"]["exec"]["command"]
    assert (sleep, int(seconds)) >= ("sleep", MARGIN_S)
    assert web["terminationGracePeriodSeconds"] >= int(seconds) + drains().web_s + MARGIN_S
    assert pod("Deployment", "agentconsole-worker")["terminationGracePeriodSeconds"] >= drains().worker_s + MARGIN_S


def test_systemd_waits_for_the_drains():
    stop = r"^TimeoutStopSec=(\d+)$"
    assert float(setting("systemd/agentconsole-web@.service", stop)) >= drains().web_s + MARGIN_S
    assert float(setting("systemd/agentconsole-worker.service", stop)) >= drains().worker_s + MARGIN_S


def test_a_proxy_that_is_stopped_waits_for_the_answers():
    assert float(setting("caddy/Caddyfile", r"^\tgrace_period (\d+)s$")) >= drains().web_s + MARGIN_S


def test_what_stands_in_front_waits_longer_than_a_long_poll():
    reading = [float(setting("nginx/agentconsole.conf", r"^    proxy_read_timeout (\d+)s;$"))]
    reading.append(float(INGRESS["nginx.ingress.kubernetes.io/proxy-read-timeout"]))
    assert min(reading) >= WAIT_MAX_S + 2 * MARGIN_S
    assert not re.search("read_timeout|response_header_timeout", setting("caddy/Caddyfile", r"(?s)reverse_proxy (.*)"))


def test_what_stands_in_front_takes_the_largest_body():
    nginx = int(setting("nginx/agentconsole.conf", r"^    client_max_body_size (\d+)m;$"))
    ingress = int(INGRESS["nginx.ingress.kubernetes.io/proxy-body-size"].removesuffix("m"))
    assert nginx * MIB == ingress * MIB == int(DEFAULTS["INGEST_MAX_BYTES"])
