"""Errors in the protocol's own shape: `{"error": {type, code, message, request_id}}`, the id a UUID."""

import json
from typing import Any

from agentconsole.errors import ConsoleError
from approvals.services.drifting import FingerprintMismatchError

_TYPES = {
    401: "authentication",
    403: "authorization",
    404: "not_found",
    409: "conflict",
    429: "rate_limit",
    500: "internal",
    503: "dependency",
}


def error_text(error: ConsoleError, request_id: str) -> str:
    """The body of an error. `details` stands beside the protocol's object, only for those who sent what no plain client sends."""
    told: dict[str, Any] = {
        "type": _TYPES.get(error.http_status, "invalid_request"),
        "code": error.code,
        "message": error.message,
        "request_id": request_id,
    }
    if error.data.get("param"):
        told["param"] = error.data["param"]
    body: dict[str, Any] = {"error": told}
    if isinstance(error, FingerprintMismatchError):
        body["details"] = error.data
    return json.dumps(body)
