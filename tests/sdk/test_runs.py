"""A run tells its story from its first item to its last: phases, signs of life, nested work, and how it ended."""

import asyncio
import contextvars
import gc
import threading
from collections.abc import Callable, Generator

import httpx
import pytest
import structlog

from agentconsole.protocol.context import RequestContext, Transport, bound_context, current_context
from agentconsole.protocol.envelope import Outcome
from agentconsole.sdk import Console, Run
from tests.sdk.receiver import Receiver, wait_until


def finished(console: Console, receiver: Receiver) -> dict[str, object]:
    assert console.flush()
    (item,) = receiver.of("run.finished")
    return item


def test_a_run_tells_who_asked_and_what(console: Console, receiver: Receiver):
    with console.run(query="why is checkout slow", transport="slack", subject="dana", request_id="req-7") as run:
        pass
    console.flush()
    (started,) = receiver.of("run.started")
    assert started["id"] == run.run_id
    assert {name: started[name] for name in ("query", "transport", "subject", "request_id")} == {
        "query": "why is checkout slow", "transport": "slack", "subject": "dana", "request_id": "req-7",
    }  # fmt: skip
    assert started["heartbeat_s"], started["lease_s"] == (5.0, 30.0)


def test_a_run_that_ends_well_has_succeeded(console: Console, receiver: Receiver):
    with console.run():
        pass
    assert finished(console, receiver)["status"] == "succeeded"


def test_an_error_fails_the_run_and_goes_on_to_the_caller(console: Console, receiver: Receiver):
    with pytest.raises(KeyError), console.run():
        raise KeyError("password=hunter2-9f86d081")
    item = finished(console, receiver)
    assert item["status"] == "failed"
    assert item["error"] == "KeyError: 'password=[REDACTED:field_name]'"


def test_an_error_after_the_deadline_is_a_run_that_timed_out(console: Console, receiver: Receiver):
    with pytest.raises(TimeoutError), console.run(deadline_s=-1):
        raise TimeoutError
    assert finished(console, receiver)["status"] == "timed_out"


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, asyncio.CancelledError])
def test_an_interrupted_run_is_cancelled(console: Console, receiver: Receiver, error: type[BaseException]):
    with pytest.raises(error), console.run():
        raise error
    assert finished(console, receiver)["status"] == "cancelled"


def test_the_agent_can_say_how_the_run_ended_and_the_first_word_counts(console: Console, receiver: Receiver):
    with console.run() as run:
        run.finish("succeeded", summary="the index is stale")
        run.finish("failed")
    item = finished(console, receiver)
    assert (item["status"], item["summary"]) == ("succeeded", "the index is stale")


def test_a_phase_is_entered_and_left(console: Console, receiver: Receiver):
    with console.run() as run, run.phase("gather") as phase:
        phase.alive("3 of 7 shards")
    console.flush()
    ticks = [(tick["phase"], tick["state"], tick.get("detail")) for tick in receiver.of("tick")]
    assert ticks == [("gather", "entered", None), ("gather", "alive", "3 of 7 shards"), ("gather", "left", None)]


def test_a_phase_that_ends_by_an_error_says_so(console: Console, receiver: Receiver):
    with pytest.raises(KeyError), console.run() as run, run.phase("gather"):
        raise KeyError
    console.flush()
    assert receiver.of("tick")[-1]["detail"] == "ended by KeyError"


def test_a_busy_run_gives_signs_of_life_in_its_phase_and_stops_when_it_ends(console: Console, receiver: Receiver):
    def beats() -> list[str]:
        return [tick["phase"] for tick in receiver.of("tick") if tick["state"] == "alive"]

    with console.run(heartbeat_s=0.01) as run:
        wait_until(lambda: "run" in beats())
        with run.phase("gather"):
            wait_until(lambda: beats().count("gather") > 2)
    assert console.heartbeat.runs() == []


def test_a_run_that_its_owner_lost_is_not_kept_alive(off: Console):
    thread = threading.Thread(target=lambda: off.run(heartbeat_s=0.01).__enter__())
    thread.start()
    thread.join()
    gc.collect()
    assert off.heartbeat.runs() == []


def test_work_is_nested_as_it_was_done(console: Console, receiver: Receiver):
    with console.run() as run, run.phase("gather"), run.subagent("storage", query="which disks?") as sub:
        sub.call(lambda: "inner", name="direct")
        with run.span("step", "compare"):
            sub.call(lambda: run.call(lambda: 1, name="innermost").data, name="outer")
        sub.result("two of them")
    console.flush()
    parent = {span["name"]: span.get("parent") for span in receiver.of("span")}
    of = {span["name"]: span["id"] for span in receiver.of("span")}
    assert parent == {
        "storage": None, "direct": of["storage"], "compare": of["storage"], "outer": of["compare"],
        "innermost": of["outer"],
    }  # fmt: skip
    assert {(span["phase"], span["agent"]) for span in receiver.of("span")} == {("gather", "storage")}


async def test_sub_agents_at_work_at_once_keep_their_calls_apart(console: Console, receiver: Receiver):
    async def work(run: Run, name: str) -> None:
        async with run.subagent(name) as sub:
            await sub.acall(lambda: asyncio.sleep(0.01, name), name=f"tool of {name}")
            run.event("NOTED", by=name)

    async with console.run() as run:
        await asyncio.gather(work(run, "a"), work(run, "b"))
    await asyncio.to_thread(console.flush)
    of = {span["name"]: span["id"] for span in receiver.of("span")}
    assert {span["parent"] for span in receiver.of("span") if span["kind"] == "tool"} == {of["a"], of["b"]}
    assert receiver.span("tool of a")["parent"] == of["a"]


def test_a_span_is_sent_when_it_starts_and_whole_when_it_ends(console: Console, receiver: Receiver):
    with console.run() as run:
        run.call(lambda term: [term], "disk", name="search")
    console.flush()
    first, last = [item for item in receiver.history if item["type"] == "span"]
    assert (first["outcome"], first["arguments"], "ended_at" in first) == ("running", {"term": "disk"}, False)
    assert (last["outcome"], last["arguments"], last["result"]) == ("ok", {"term": "disk"}, ["disk"])
    assert (last["budget"], len(last["attempts"])) == ({"soft_ms": 2_000, "hard_ms": 10_000}, 1)
    assert first["id"] == last["id"]


def test_a_sub_agent_or_model_call_without_a_result_is_unreported_and_a_step_is_ok(
    console: Console, receiver: Receiver
):
    with console.run() as run:
        with run.subagent("silent"):
            pass
        with run.span("model", "gpt") as model:
            model.note(input_tokens=12)
        with run.span("step", "sort"):
            pass
        with run.span("retrieval", "wiki") as retrieval:
            retrieval.result([])
    console.flush()
    outcomes = {span["name"]: span["outcome"] for span in receiver.of("span")}
    assert outcomes == {"silent": "unreported", "gpt": "unreported", "sort": "ok", "wiki": "empty"}
    assert receiver.span("gpt")["attributes"] == {"input_tokens": 12}


def test_an_error_gives_a_span_its_outcome_and_goes_on(console: Console, receiver: Receiver):
    with pytest.raises(ConnectionError), console.run() as run, run.subagent("storage"):
        raise ConnectionError("refused")
    console.flush()
    assert receiver.span("storage")["outcome"] == Outcome.DEGRADED


def test_each_turn_of_the_story_has_its_token(console: Console, receiver: Receiver):
    with console.run() as run, run.phase("gather"), run.subagent("storage") as sub:
        sub.result("x" * 50_000)
        run.event("ROUTER_DECISION", route="storage", level="warning")
    console.flush()
    assert receiver.tokens() == [
        "RUN_STARTED", "PHASE_ENTERED", "SUBAGENT_STARTED", "RESULT_TRUNCATED", "ROUTER_DECISION",
        "SUBAGENT_FINISHED", "PHASE_LEFT", "RUN_FINISHED",
    ]  # fmt: skip
    (decision,) = [item for item in receiver.of("event") if item["token"] == "ROUTER_DECISION"]
    assert (decision["level"], decision["fields"]) == ("warning", {"route": "storage"})


def test_inside_a_run_the_ambient_context_is_the_runs(off: Console):
    with off.run(request_id="req-7", transport="cli") as run:
        assert current_context() is run.context
        assert structlog.contextvars.get_contextvars() == {"request_id": "req-7", "run_id": run.run_id}
        assert run.call(current_context).data is run.context
    assert current_context() is None
    assert structlog.contextvars.get_contextvars() == {}


def test_a_run_takes_over_the_ambient_request(off: Console):
    ambient = RequestContext(request_id="req-9", transport=Transport.SLACK, subject="dana", session_id="s")
    with bound_context(ambient), off.run() as run:
        context = run.context
    assert (context.request_id, context.transport, context.subject, context.session_id) == (
        "req-9", Transport.SLACK, "dana", "s",
    )  # fmt: skip


def test_of_two_deadlines_the_earlier_holds(off: Console):
    with off.run(deadline_s=5) as outer, off.run(deadline_s=100) as inner:
        assert inner.context.deadline == outer.context.deadline


def test_an_insane_request_id_is_replaced_and_said(off: Console, logged: Callable[[], list[str]]):
    with off.run(request_id="two words") as run:
        assert run.context.request_id.startswith("req_")
    assert "SDK_VALUE_REPLACED" in logged()


@pytest.mark.parametrize("wrong", [{"transport": "pigeon"}, {"heartbeat_s": 0}, {"heartbeat_s": 9, "lease_s": 3}])
def test_wrong_arguments_are_refused_at_once_also_without_a_console(off: Console, wrong: dict[str, object]):
    with pytest.raises(ValueError, match=r"pigeon|heartbeat_s"):
        off.run(**wrong)  # type: ignore[arg-type]


def test_outgoing_calls_carry_the_request_and_the_open_span(off: Console):
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200)

    transport = httpx.MockTransport(answer)
    with off.run(request_id="req-7") as run, run.subagent("storage") as sub, run.client(transport=transport) as client:
        client.get("https://example.org")
        client.get("https://example.org", headers={"X-Request-ID": "my-own"})
    assert [request.headers["X-Request-ID"] for request in seen] == ["req-7", "my-own"]
    assert seen[0].headers["traceparent"] == f"00-{run.context.trace_id}-{sub.span_id}-01"


async def test_asynchronous_outgoing_calls_do_too(off: Console):
    transport = httpx.MockTransport(lambda request: httpx.Response(200, json=dict(request.headers)))
    async with off.run(request_id="req-7") as run, run.async_client(transport=transport) as client:
        assert (await client.get("https://example.org")).json()["x-request-id"] == "req-7"


def test_a_generator_that_is_closed_elsewhere_does_not_break_the_agent(off: Console):
    def steps() -> Generator[Run]:
        with off.run() as run, run.subagent("storage"):
            yield run

    generator = steps()
    contextvars.copy_context().run(next, generator)
    errors: list[BaseException] = []

    def close() -> None:
        try:
            generator.close()
        except BaseException as error:  # noqa: BLE001
            errors.append(error)

    thread = threading.Thread(target=close)
    thread.start()
    thread.join()
    assert errors == []
