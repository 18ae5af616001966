"""`verify_grant`: a tool server's own look at the approval, offline. Needs `pip install agentconsole[grants]`.

The agent never holds the credentials of the tool; the server does, and does nothing without a grant for exactly that call.
"""

import functools
import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from agentconsole.protocol.fingerprint import ActionEnvelope, FingerprintError, canonical_bytes, fingerprint_of
from agentconsole.sdk.console_keys import ConsoleKeys, Keys, KeysUnavailableError

GRANT_TYPE = "acg+jwt"
ALGORITHM = "Ed25519"
LEEWAY_S = 5
GRANT_CHARS_MAX = 8192
_SWEEP_EVERY_S = 10.0

KeySource = Keys | str | Callable[[], Keys]


class GrantRefused(Exception):  # noqa: N818 -- reads as what happened, like the SDK's other refusals
    """A grant that does not open this call. `code`: malformed, forged, unknown_key, keys_unavailable, wrong_type, wrong_issuer,
    wrong_audience, wrong_environment, not_yet_valid, expired, wrong_action, replayed."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Grant:
    """What the console signed: which action may run, once, and for whom."""

    grant_id: str
    action_id: str
    fingerprint: str
    environment: str
    agent: str
    instance: str
    on_behalf_of: str
    request_id: str
    issued_at: int
    expires_at: int
    approved_fingerprint: str = ""


class GrantStore(Protocol):
    """What keeps a grant from opening its tool twice. Servers of several processes share one of their own, such as Redis' SET NX."""

    def take(self, grant_id: str, until: float) -> bool:
        """Whether the grant is new, ever asked by one alone. To be remembered until `until`, in seconds since the epoch."""
        ...


class SeenGrants:
    """A `GrantStore` in the memory of one process, for any number of threads."""

    def __init__(self) -> None:
        self._until: dict[str, float] = {}
        self._sweep_at = 0.0
        self._lock = threading.Lock()

    def take(self, grant_id: str, until: float) -> bool:
        """See `GrantStore`."""
        now = time.time()
        with self._lock:
            if now >= self._sweep_at:
                self._until = {seen: end for seen, end in self._until.items() if end > now}
                self._sweep_at = now + _SWEEP_EVERY_S
            if grant_id in self._until:
                return False
            self._until[grant_id] = until
            return True


def verify_grant(
    token: str,
    *,
    jwks: KeySource,
    audience: str,
    issuer: str,
    tool: str = "",
    arguments: Mapping[str, Any] | None = None,
    server: str = "",
    operation: str = "",
    resource: str = "",
    schema_digest: str = "",
    fingerprint: str = "",
    environment: str = "",
    seen: GrantStore | None = None,
    now: float | None = None,
    leeway_s: float = LEEWAY_S,
) -> Grant:
    """The grant, if it opens exactly this call: `tool` with `arguments`, as the agent's guard named them. GrantRefused else.

    `jwks` is the key set, or what gives it (`ConsoleKeys(url)`), or the console's URL; `issuer` is the console's URL, `audience` this
    server's name as the agent declares it. Instead of the call its `fingerprint` may be given: one that this server computed, never one
    that came with the grant. `leeway_s` is how far the clocks may differ. With `seen` a grant opens the tool once.
    """
    if bool(fingerprint) == (arguments is not None):
        raise TypeError("verify_grant needs the call (tool and arguments), or its fingerprint")
    grant, claims = _grant_of(_signed_claims(token, jwks))
    moment = time.time() if now is None else now
    for is_wrong, code, message in (
        (claims["iss"] != issuer, "wrong_issuer", "another console signed it"),
        (claims["aud"] != audience, "wrong_audience", "it is for another tool server"),
        (bool(environment) and grant.environment != environment, "wrong_environment", "it is for another environment"),
        (moment < grant.issued_at - leeway_s, "not_yet_valid", "it is not valid yet: compare the clocks"),
        (moment >= grant.expires_at + leeway_s, "expired", "it has expired"),
    ):
        if is_wrong:
            raise GrantRefused(code, message)
    call = fingerprint or _fingerprint_of_call(
        grant, tool=tool, server=server, operation=operation or tool, resource=resource, schema_digest=schema_digest,
        arguments=dict(arguments or {}),
    )  # fmt: skip
    if call != grant.fingerprint:
        raise GrantRefused("wrong_action", "it is for another call than this one")
    if seen is not None and not seen.take(grant.grant_id, grant.expires_at + leeway_s):
        raise GrantRefused("replayed", "it was used before")
    return grant


def _fingerprint_of_call(grant: Grant, **call: Any) -> str:
    """Who and where are the grant's: a tool server can't know them, and the console signed them."""
    whole = ActionEnvelope(environment=grant.environment, agent=grant.agent, on_behalf_of=grant.on_behalf_of, **call)
    try:
        return fingerprint_of(canonical_bytes(whole))
    except FingerprintError as error:
        raise GrantRefused("wrong_action", "the call's arguments are no JSON") from error


def _signed_claims(token: str, jwks: KeySource) -> dict[str, Any]:
    try:
        from joserfc import jws
        from joserfc.errors import JoseError
    except ImportError as error:
        raise RuntimeError("verify_grant needs `pip install agentconsole[grants]`") from error
    header = _header(token)
    key = _key_of(header["kid"], jwks)
    try:
        claims = json.loads(jws.deserialize_compact(token, key, algorithms=[ALGORITHM]).payload)
    except (JoseError, ValueError, TypeError) as error:
        raise GrantRefused("forged", "its signature does not hold") from error
    if header.get("typ") != GRANT_TYPE or not isinstance(claims, dict):
        raise GrantRefused("wrong_type", "it is a signed text, and no grant")
    return claims


def _header(token: str) -> dict[str, Any]:
    is_compact = isinstance(token, str) and len(token) <= GRANT_CHARS_MAX and token.count(".") == 2  # noqa: PLR2004  JWS
    header = _decoded(token) if is_compact else None
    # `crit` names extensions of JWS; grants use none.
    if not isinstance(header, dict) or "crit" in header:
        raise GrantRefused("malformed", "it is no compact JWS")
    # The algorithm is ours to choose: `none`, or an HMAC with the public key for a secret, is a forgery.
    if header.get("alg") != ALGORITHM:
        raise GrantRefused("forged", "it is not signed with Ed25519")
    if not isinstance(header.get("kid"), str):
        raise GrantRefused("malformed", "it does not name its key")
    return header


def _decoded(token: str) -> Any:
    from joserfc.util import urlsafe_b64decode

    try:
        return json.loads(urlsafe_b64decode(token.partition(".")[0].encode("ascii")))
    except (ValueError, RecursionError):
        return None


def _key_of(kid: str, jwks: KeySource) -> Any:
    from joserfc.errors import JoseError
    from joserfc.jwk import OKPKey

    source = _keys_at(jwks) if isinstance(jwks, str) else jwks
    try:
        found = _find(source() if callable(source) else source, kid)
        if found is None and isinstance(source, ConsoleKeys):
            found = _find(source.refetch(), kid)
        if found is None:
            raise GrantRefused("unknown_key", "the console has no such key, or has retired it")
        return OKPKey.import_key({name: found[name] for name in ("kty", "crv", "x")})
    except KeysUnavailableError as error:
        raise GrantRefused("keys_unavailable", "the console's keys can't be had") from error
    except (JoseError, ValueError, KeyError) as error:
        raise GrantRefused("unknown_key", "the console's key makes no sense") from error


@functools.lru_cache(maxsize=16)
def _keys_at(url: str) -> ConsoleKeys:
    return ConsoleKeys(url)


def _find(keys: Keys, kid: str) -> dict[str, Any] | None:
    is_ours = {"kty": "OKP", "crv": "Ed25519", "kid": kid}.items()
    return next((key for key in keys.get("keys", []) if is_ours <= key.items()), None)


def _grant_of(claims: dict[str, Any]) -> tuple[Grant, dict[str, Any]]:
    names = ("action_id", "fingerprint", "environment", "agent", "instance", "on_behalf_of", "request_id")
    try:
        grant = Grant(
            grant_id=claims["jti"],
            **{name: claims[name] for name in names},
            issued_at=int(claims["iat"]),
            expires_at=int(claims["exp"]),
            approved_fingerprint=claims.get("approved_fingerprint", ""),
        )
        texts = [claims[name] for name in (*names, "jti", "iss", "aud")]
    except (KeyError, TypeError, ValueError) as error:
        raise GrantRefused("wrong_type", "it is a signed text, and no grant") from error
    if not all(isinstance(text, str) for text in texts):
        raise GrantRefused("wrong_type", "it is a signed text, and no grant")
    return grant, claims
