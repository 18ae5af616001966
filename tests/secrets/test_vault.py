"""Vault and OpenBao: what is read, what is cached, and how each refusal is told apart, without a value in any of them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agentconsole.sdk.secrets import (
    AppRole,
    SecretNotFoundError,
    Secrets,
    SecretStoreDeniedError,
    SecretStoreError,
    Vault,
)
from tests.secrets.vault import ROLE_ID, ROOT, SECRET_ID, FakeVault, fake_vault

VALUE = "s3cret-of-production"


@pytest.fixture
def server() -> Iterator[FakeVault]:
    with fake_vault() as vault:
        vault.secrets["secret/prod/db"] = [{"password": VALUE, "port": 5432}]
        yield vault


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    file = tmp_path / "token"
    file.write_text(f"{ROOT}\n")
    return file


def secrets_of(server: FakeVault, token_file: Path, **more: Any) -> Secrets:
    return Secrets("prod", Vault(server.url, token_file=str(token_file), **more))


def test_a_field_is_read_below_the_environments_own_path(server: FakeVault, token_file: Path):
    assert secrets_of(server, token_file).get("db/password").reveal() == VALUE
    assert server.reads == ["prod/db"]


@pytest.mark.parametrize("name", ["db/other", "nothing/there"])
def test_what_is_not_there_is_looked_for_nowhere_else(name: str, server: FakeVault, token_file: Path):
    server.secrets["secret/staging/nothing"] = [{"there": VALUE}]
    with pytest.raises(SecretNotFoundError, match=f"prod has no secret {name}"):
        secrets_of(server, token_file).get(name)


def test_a_deleted_version_is_not_there(server: FakeVault, token_file: Path):
    server.secrets["secret/prod/db"].append(None)
    with pytest.raises(SecretNotFoundError):
        secrets_of(server, token_file).get("db/password")


def test_a_rotated_secret_is_seen_once_its_time_is_up(server: FakeVault, token_file: Path):
    kept, fresh = secrets_of(server, token_file), secrets_of(server, token_file, ttl_s=0)
    for secrets in (kept, fresh):
        secrets.get("db/password")
    server.secrets["secret/prod/db"].append({"password": "rotated-value"})
    assert kept.get("db/password").reveal() == VALUE
    assert fresh.get("db/password").reveal() == "rotated-value"


@pytest.mark.parametrize(
    ("change", "error", "says"),
    [
        ({"is_sealed": True}, SecretStoreError, "sealed"),
        ({"policies": {}}, SecretStoreDeniedError, "does not let"),
        ({"namespace": "team"}, SecretStoreDeniedError, "does not let"),
        ({"instead": (500, VALUE.encode())}, SecretStoreError, "answered 500"),
        ({"instead": (429, b"{}")}, SecretStoreError, "fewer requests"),
        ({"instead": (307, b"")}, SecretStoreError, "sends elsewhere"),
        ({"instead": (200, VALUE.encode())}, SecretStoreError, "makes no sense"),
        ({"instead": (200, b'{"data": {"password": "s3cret-of-production"}}')}, SecretStoreError, "version 2"),
        ({"instead": (200, b" " * (2 << 20))}, SecretStoreError, "longer than any"),
    ],
)
def test_each_refusal_says_what_to_do_and_no_value(
    change: dict[str, Any], error: type[Exception], says: str, server: FakeVault, token_file: Path
):
    for name, value in change.items():
        setattr(server, name, value)
    with pytest.raises(error, match=says) as raised:
        secrets_of(server, token_file).get("db/password")
    assert VALUE not in str(raised.value)
    assert ROOT not in repr(raised.value)


def test_a_store_that_is_away_is_an_error_and_no_old_value(server: FakeVault, token_file: Path):
    secrets = secrets_of(server, token_file, ttl_s=0)
    secrets.get("db/password")
    away = Secrets("prod", Vault("http://127.0.0.1:9", token_file=str(token_file)))
    with pytest.raises(SecretStoreError, match="can't be reached"):
        away.get("db/password")


def test_a_number_is_no_secret(server: FakeVault, token_file: Path):
    with pytest.raises(SecretStoreError, match="is no text"):
        secrets_of(server, token_file).get("db/port")


def test_a_login_is_made_once_and_again_when_its_token_was_revoked(server: FakeVault, tmp_path: Path):
    (tmp_path / "secret_id").write_text(SECRET_ID)
    vault = Vault(server.url, login=AppRole(ROLE_ID, str(tmp_path / "secret_id")), ttl_s=0)
    secrets = Secrets("prod", vault)
    secrets.get("db/password")
    secrets.get("db/password")
    assert server.logins == 1
    del server.policies["hvs.login-1"]
    assert secrets.get("db/password").reveal() == VALUE
    assert server.logins == 2
    (tmp_path / "secret_id").write_text("wrong")
    with pytest.raises(SecretStoreDeniedError):
        Secrets("prod", Vault(server.url, login=AppRole(ROLE_ID, str(tmp_path / "secret_id")))).get("db/password")
