"""A tool only returns or raises; the envelope tells what happened, in words that a model can act on."""

import functools
import time
import urllib.error
from email.message import Message

import httpx
import pytest

from agentconsole.protocol.envelope import Budget, Outcome
from agentconsole.sdk import NO_RETRY, Run, ToolAuthFailed, ToolDegraded, ToolRejected, ToolTimeout

REQUEST = httpx.Request("GET", "https://example.org/?api_key=hunter2-9f86d081")


def status_error(status: int) -> httpx.HTTPStatusError:
    return httpx.HTTPStatusError("boom", request=REQUEST, response=httpx.Response(status, request=REQUEST))


def met_while_handling(error: Exception, earlier: Exception) -> Exception:
    """As Python leaves an error that was raised in an except block without `from`."""
    error.__context__ = earlier
    return error


@pytest.mark.parametrize("answer", ["text", {"rows": 1}, [0], 0, False, 0.0, object()])
def test_an_answer_is_ok(run: Run, answer: object):
    envelope = run.call(lambda: answer, name="tool")
    assert (envelope.outcome, envelope.data, envelope.message) == (Outcome.OK, answer, "")


@pytest.mark.parametrize("answer", [None, "", [], {}, (), set(), b""])
def test_nothing_found_is_an_answer_of_its_own(run: Run, answer: object):
    envelope = run.call(lambda: answer, name="tool")
    assert (envelope.outcome, envelope.data, envelope.is_ok) == (Outcome.EMPTY, answer, True)


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (ToolTimeout("the index sleeps"), Outcome.TIMEOUT),
        (ToolAuthFailed("token expired"), Outcome.AUTH_FAILED),
        (ToolDegraded("half of the shards are down"), Outcome.DEGRADED),
        (ToolRejected("needs approval"), Outcome.REJECTED),
        (status_error(401), Outcome.AUTH_FAILED),
        (status_error(403), Outcome.AUTH_FAILED),
        (status_error(408), Outcome.TIMEOUT),
        (status_error(429), Outcome.DEGRADED),
        (status_error(500), Outcome.DEGRADED),
        (status_error(529), Outcome.DEGRADED),
        (status_error(404), Outcome.ERROR),
        (urllib.error.HTTPError("https://example.org", 503, "down", Message(), None), Outcome.DEGRADED),
        (httpx.ReadTimeout("slow", request=REQUEST), Outcome.TIMEOUT),
        (httpx.ConnectError("refused", request=REQUEST), Outcome.DEGRADED),
        (httpx.RemoteProtocolError("hung up", request=REQUEST), Outcome.DEGRADED),
        (httpx.UnsupportedProtocol("gopher", request=REQUEST), Outcome.ERROR),
        (TimeoutError(), Outcome.TIMEOUT),
        (ConnectionRefusedError(), Outcome.DEGRADED),
        (met_while_handling(OSError("max retries exceeded"), ConnectionRefusedError()), Outcome.DEGRADED),
        (met_while_handling(KeyError("a bug in the fallback"), ConnectionResetError()), Outcome.ERROR),
        (PermissionError("/etc/shadow"), Outcome.ERROR),
        (KeyError("rows"), Outcome.ERROR),
    ],
)
def test_what_a_tool_raises_becomes_an_outcome_and_never_reaches_the_agent(
    run: Run, error: Exception, outcome: Outcome
):
    def tool() -> None:
        raise error

    envelope = run.call(tool, retry=NO_RETRY)
    assert (envelope.outcome, envelope.data, envelope.is_ok) == (outcome, None, False)
    assert envelope.message


def test_the_message_tells_the_model_what_to_do(run: Run):
    def tool() -> None:
        raise status_error(401)

    assert run.call(tool).message == "credential refused: HTTP 401 Unauthorized; asking again won't help, report it"


def test_the_message_holds_no_secret(run: Run):
    def tool() -> None:
        raise RuntimeError("GET https://example.org/?api_key=hunter2-9f86d081 failed")

    message = run.call(tool).message
    assert "hunter2" not in message
    assert "[REDACTED:field_name]" in message


def test_an_answer_after_the_soft_budget_is_slow_and_valid(run: Run):
    def tool() -> str:
        time.sleep(0.02)
        return "late"

    envelope = run.call(tool, budget=Budget(5, 5_000))
    assert (envelope.outcome, envelope.data) == (Outcome.SLOW, "late")
    assert "over its soft budget of 0.005 s" in envelope.message


def test_a_hint_comes_only_where_there_is_no_answer(run: Run):
    def broken() -> None:
        raise KeyError

    hint = run.call(broken, fallback=("cache", "stale but there")).hint
    assert hint is not None
    assert (hint.fallback_to, hint.reason) == ("cache", "stale but there")
    assert run.call(lambda: 1, name="tool", fallback=("cache", "stale but there")).hint is None


def test_the_envelope_names_the_tool_the_request_and_the_budget(run: Run):
    def search(term: str) -> str:
        return term

    envelope = run.call(functools.partial(search, "x"))
    assert (envelope.tool, envelope.request_id) == ("search", run.context.request_id)
    assert envelope.budget == Budget(2_000, 10_000)


def test_a_wrong_call_of_a_tool_is_the_tools_error(run: Run):
    def search(term: str) -> str:
        return term

    assert run.call(search, 1, 2, 3).outcome == Outcome.ERROR


def test_an_asynchronous_tool_needs_acall(run: Run):
    async def tool() -> None:
        pass

    with pytest.raises(TypeError, match="await acall"):
        run.call(tool)


async def test_acall_takes_plain_functions_and_lambdas_over_coroutines_too(run: Run):
    async def tool() -> str:
        return "answer"

    assert (await run.acall(tool)).data == "answer"
    assert (await run.acall(lambda: "plain", name="plain")).data == "plain"
    assert (await run.acall(lambda: tool(*()), name="lambda")).data == "answer"


def test_sys_exit_in_a_tool_is_not_swallowed(run: Run):
    def tool() -> None:
        raise SystemExit(3)

    with pytest.raises(SystemExit):
        run.call(tool)
