"""One environment, one store, no fallback; a value shows itself only where it is revealed."""

import copy
import json
import pickle
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentconsole.protocol.redaction import registered, scrub, scrub_text
from agentconsole.sdk.payload import prepare
from agentconsole.sdk.secrets import (
    BadSecretNameError,
    EnvironmentVariables,
    MountedFiles,
    SecretNotFoundError,
    Secrets,
    SecretStoreDeniedError,
    SecretStoreError,
    WrongEnvironmentError,
)

VALUE = 'correct "horse" batterÿ/staple'


@pytest.fixture(autouse=True)
def _nothing_registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registered, "_known", ({}, {}))


def of_variables(**variables: str) -> Secrets:
    return Secrets("prod", EnvironmentVariables(variables))


def test_a_secret_is_its_environments_variable_and_no_others():
    secrets = of_variables(PROD__DB__PASSWORD=VALUE, STAGING__API="x" * 9, API="x" * 9)
    assert secrets.get("db/password").reveal() == VALUE
    with pytest.raises(SecretNotFoundError, match="prod has no secret api"):
        secrets.get("api")


def test_asking_for_another_environment_names_both():
    with pytest.raises(WrongEnvironmentError, match=r"db/password was asked for staging.*secrets of prod"):
        of_variables(PROD__DB__PASSWORD=VALUE).get("db/password", environment="staging")


@pytest.mark.parametrize("environment", ["prod.eu", "prod_eu", "prod--eu"])
def test_environments_that_variables_would_mix_up_have_none(environment: str):
    with pytest.raises(BadSecretNameError, match="from other environments"):
        Secrets(environment).get("token")


@pytest.mark.parametrize("name", ["", "../prod/token", "DB", "a//b", "a/", "/etc/passwd", "a b", "x" * 65, "ü"])
def test_a_name_of_another_form_reaches_no_store(name: str):
    with pytest.raises(BadSecretNameError):
        Secrets("prod").get(name)


def test_nothing_but_reveal_shows_it():
    secret = of_variables(PROD__API=VALUE).get("api")
    shown = [str(secret), repr(secret), f"{secret}", f"{secret:>60}", str([secret])]
    assert not any("horse" in text for text in shown)
    assert "api of prod" in shown[0]
    with pytest.raises(TypeError):
        pickle.dumps(secret)
    with pytest.raises(TypeError):
        json.dumps(secret)
    assert copy.deepcopy(secret).reveal() == VALUE


def test_what_was_looked_up_leaves_the_process_in_no_form():
    secret = of_variables(PROD__API=VALUE).get("api")
    for told in (
        {"sent": VALUE},
        json.dumps({"sent": VALUE}),
        f"see {VALUE}!",
        secret,
        {"deep": [json.dumps([VALUE])]},
    ):
        assert "horse" not in str(prepare(told, "result").value)
    assert scrub({"sent": VALUE})[1][0].detector == "registered_secret"


@given(st.text(min_size=8, max_size=40), st.text(max_size=60), st.text(max_size=60))
def test_a_registered_value_is_found_wherever_it_stands(value: str, before: str, after: str):
    known = registered._known
    try:
        registered._known = ({}, {})
        registered.register(value)
        assert value not in "".join(scrub_text(before + value + after)[0].split("[REDACTED:registered_secret]"))
        assert registered.holds_registered(before + value + after)
    finally:
        registered._known = known


def test_what_only_looks_like_it_stays():
    registered.register("hunter22-hunter22")
    assert scrub_text("hunter22-hunter2_ and huntER22-hunter22") == ("hunter22-hunter2_ and huntER22-hunter22", ())
    assert not registered.register("short")


def test_files_are_read_anew_and_lose_one_lines_end(tmp_path: Path):
    (tmp_path / "prod" / "db").mkdir(parents=True)
    file = tmp_path / "prod" / "db" / "password"
    file.write_text("first-value\n")
    secrets = Secrets("prod", MountedFiles(tmp_path))
    assert secrets.get("db/password").reveal() == "first-value"
    file.write_text("second-value\n\n")
    assert secrets.get("db/password").reveal() == "second-value\n"


def test_files_of_kubernetes_are_links_within_their_folder_and_no_further(tmp_path: Path):
    (tmp_path / "staging").mkdir()
    (tmp_path / "staging" / "api").write_text("staging-value")
    mounted = tmp_path / "prod" / "..2026"
    mounted.mkdir(parents=True)
    (mounted / "api").write_text("prod-value")
    (tmp_path / "prod" / "..data").symlink_to("..2026")
    (tmp_path / "prod" / "api").symlink_to("..data/api")
    (tmp_path / "prod" / "stolen").symlink_to(tmp_path / "staging" / "api")
    secrets = Secrets("prod", MountedFiles(tmp_path))
    assert secrets.get("api").reveal() == "prod-value"
    with pytest.raises(SecretStoreDeniedError, match="leads out"):
        secrets.get("stolen")


def test_a_file_that_is_no_text_is_an_error_without_its_content(tmp_path: Path):
    (tmp_path / "prod").mkdir()
    (tmp_path / "prod" / "api").write_bytes(b"\xff\xfehorse")
    with pytest.raises(SecretStoreError) as raised:
        Secrets("prod", MountedFiles(tmp_path)).get("api")
    assert "horse" not in repr((raised.value, raised.value.__cause__, raised.value.__context__ and raised.value.args))
    assert raised.value.__suppress_context__
