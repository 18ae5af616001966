"""HashiCorp Vault and OpenBao, KV version 2 over HTTP (https://developer.hashicorp.com/vault/api-docs/secret/kv/kv-v2)."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import httpx

from agentconsole.sdk.secrets.errors import SecretStoreDeniedError, SecretStoreError
from agentconsole.sdk.secrets.provider import MAX_BYTES

_ANSWER_BYTES = 16 * MAX_BYTES
_EARLY_S = 30  # before its end a token is let go
_CACHED = 1_000  # paths


class Login(Protocol):
    """How a process gets a token of its own."""

    @property
    def path(self) -> str:
        """Where, below `/v1/auth/`."""

    def body(self) -> dict[str, str]:
        """With what. Read anew each time."""


@dataclass(frozen=True, slots=True)
class AppRole:
    """The AppRole method, its secret id read from a file that a platform mounts."""

    role_id: str
    secret_id_file: str
    path: str = "approle/login"

    def body(self) -> dict[str, str]:
        """Role and secret id."""
        return {"role_id": self.role_id, "secret_id": _content(self.secret_id_file)}


@dataclass(frozen=True, slots=True)
class KubernetesLogin:
    """The Kubernetes method, with the pod's own service account."""

    role: str
    path: str = "kubernetes/login"
    token_file: str = "/var/run/secrets/kubernetes.io/serviceaccount/token"  # noqa: S105  a place, not a token

    def body(self) -> dict[str, str]:
        """Role and the service account's token."""
        return {"role": self.role, "jwt": _content(self.token_file)}


def _content(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise SecretStoreError(f"{path}, which this process logs in to Vault with, can't be read.") from None


class Vault:
    """`db/password` of `prod` is the field `password` of the secret `<mount>/prod/db`; `password` alone is that field of `<mount>/prod`.

    Give the environment's own Vault role access to its folder alone: then the store holds the boundary too. `token_file` (an agent's sink, read
    anew each time) or `login`. What was read counts for `ttl_s`, so that a rotated secret is seen, and not after it: a store that is away is an error.
    """

    def __init__(
        self,
        url: str,
        *,
        token_file: str = "",
        login: Login | None = None,
        mount: str = "secret",
        namespace: str = "",
        ttl_s: float = 60,
        timeout_s: float = 5,
        client: httpx.Client | None = None,
    ) -> None:
        if bool(token_file) == (login is not None):
            raise ValueError("give Vault a token_file or a login, one of the two")
        self._url, self._mount, self._ttl_s = url.rstrip("/"), mount.strip("/"), ttl_s
        self._token_file, self._login = token_file, login
        headers = {"X-Vault-Request": "true"} | ({"X-Vault-Namespace": namespace} if namespace else {})
        # Not through redirects: the token would go along to whatever host they name.
        self._client = client or httpx.Client(timeout=timeout_s, follow_redirects=False)
        self._headers = headers
        self._lock = threading.Lock()
        self._token, self._token_until = "", 0.0
        self._read: dict[str, tuple[float, dict[str, Any] | None]] = {}

    def __repr__(self) -> str:
        return f"Vault at {httpx.URL(self._url).host}, mount {self._mount}"

    def close(self) -> None:
        """Forget what was read, and close the connections."""
        with self._lock:
            self._read.clear()
            self._token = ""
        self._client.close()

    def read(self, environment: str, name: str) -> str | None:
        """Its value; None where the path or the field is not there, or its newest version was deleted. SecretStoreDeniedError, SecretStoreError."""
        below, _, field = name.rpartition("/")
        path = f"{self._mount}/data/{environment}" + (f"/{below}" if below else "")
        with self._lock:  # one request for a secret that many threads want at once
            known = self._read.get(path)
            if known is None or known[0] <= time.monotonic():
                if len(self._read) >= _CACHED:
                    self._read.clear()
                known = self._read[path] = (
                    time.monotonic() + self._ttl_s,
                    self._fetch(path, f"{name} for {environment}"),
                )
        value = (known[1] or {}).get(field)
        if value is not None and not isinstance(value, str):
            raise SecretStoreError(f"Vault's {name} for {environment} is no text.")
        return value

    def _fetch(self, path: str, about: str) -> dict[str, Any] | None:
        answer = self._ask(lambda token: self._request("GET", path, token))
        if answer.status_code == httpx.codes.NOT_FOUND:
            return None  # also of a version that was deleted or destroyed: its answer has metadata and no data
        self._check(answer, about)
        match _json(answer):
            case {"data": {"data": dict(fields)}}:
                return fields
            case {"data": {"data": None}}:
                return None
        raise SecretStoreError(f"Vault's answer about {about} makes no sense: is {self._mount} a KV version 2 mount?")

    def _ask(self, request: Callable[[str], httpx.Response]) -> httpx.Response:
        """With a new token once more, where a login's token was revoked before its time."""
        had = self._token
        answer = request(self._current_token())
        if answer.status_code == httpx.codes.FORBIDDEN and self._login is not None and had:
            self._token = ""
            answer = request(self._current_token())
        return answer

    def _current_token(self) -> str:
        if self._login is None:
            return _content(self._token_file)
        if not self._token or self._token_until <= time.monotonic():
            answer = self._request("POST", f"auth/{self._login.path}", "", self._login.body())
            self._check(answer, "its login")
            match _json(answer):
                case {"auth": {"client_token": str(token), "lease_duration": int(lease_s)}} if token:
                    self._token = token
                    self._token_until = time.monotonic() + (max(lease_s - _EARLY_S, 1) if lease_s else float("inf"))
                case _:
                    raise SecretStoreError("Vault's answer to a login makes no sense.")
        return self._token

    def _request(self, method: str, path: str, token: str, body: dict[str, str] | None = None) -> httpx.Response:
        headers = self._headers | ({"X-Vault-Token": token} if token else {})
        try:
            with self._client.stream(method, f"{self._url}/v1/{path}", headers=headers, json=body) as answer:
                content = b""
                for piece in answer.iter_bytes():
                    content += piece
                    if len(content) > _ANSWER_BYTES:
                        raise SecretStoreError("Vault's answer is longer than any secret is.")
                return httpx.Response(answer.status_code, content=content)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise SecretStoreError(f"{self!r} can't be reached ({type(error).__name__}).") from None

    def _check(self, answer: httpx.Response, about: str) -> None:
        match answer.status_code:
            case httpx.codes.OK:
                return
            case httpx.codes.FORBIDDEN | httpx.codes.BAD_REQUEST | httpx.codes.UNAUTHORIZED:
                raise SecretStoreDeniedError(
                    f"{self!r} does not let this process read {about}. Check its role's policy."
                )
            case httpx.codes.SERVICE_UNAVAILABLE:
                raise SecretStoreError(f"{self!r} is sealed or in maintenance.", retry_after_s=5)
            case httpx.codes.TOO_MANY_REQUESTS:
                raise SecretStoreError(f"{self!r} asks for fewer requests.", retry_after_s=1)
            case status if httpx.codes.is_redirect(status):
                raise SecretStoreError(f"{self!r} sends elsewhere: give the address of the active server.")
        raise SecretStoreError(f"{self!r} answered {answer.status_code} about {about}.")


def _json(answer: httpx.Response) -> Any:
    try:
        return answer.json()
    except ValueError:  # also UnicodeDecodeError; neither is shown: they quote the answer
        return None
