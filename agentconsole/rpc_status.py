"""Errors as OTLP tells them: a `google.rpc.Status` (https://opentelemetry.io/docs/specs/otlp/#failures), over HTTP in the request's encoding.

Its details say what the console's other APIs say in JSON: the error's code and the request's id, and when to come back.
"""

from typing import TYPE_CHECKING

from google.protobuf.duration_pb2 import Duration
from google.protobuf.json_format import MessageToJson
from google.protobuf.message import Message
from google.rpc.code_pb2 import Code
from google.rpc.error_details_pb2 import ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status

from agentconsole.protocol.context import current_context

if TYPE_CHECKING:
    from agentconsole.errors import ConsoleError

PROTOBUF = "application/x-protobuf"
JSON = "application/json"
# What is too large or of a type that nobody reads does not get better by being sent again: to an exporter that is a bad request.
_CODES = {
    400: Code.INVALID_ARGUMENT,
    401: Code.UNAUTHENTICATED,
    403: Code.PERMISSION_DENIED,
    404: Code.NOT_FOUND,
    405: Code.UNIMPLEMENTED,
    408: Code.DEADLINE_EXCEEDED,
    409: Code.ABORTED,
    413: Code.INVALID_ARGUMENT,
    415: Code.INVALID_ARGUMENT,
    429: Code.RESOURCE_EXHAUSTED,
    503: Code.UNAVAILABLE,
}


def status_of(error: "ConsoleError") -> Status:
    """The error as a Status. Its `Retry-After` becomes a RetryInfo: without one, exporters take RESOURCE_EXHAUSTED for final."""
    context = current_context()
    status = Status(code=_CODES.get(error.http_status, Code.INTERNAL), message=error.message)
    about = {"request_id": context.request_id} if context else {}
    status.details.add().Pack(ErrorInfo(reason=error.code.upper(), domain="agentconsole", metadata=about))
    retry_after = error.headers.get("Retry-After", "")
    if retry_after.isdecimal():
        status.details.add().Pack(RetryInfo(retry_delay=Duration(seconds=int(retry_after))))
    return status


def encoded_status(error: "ConsoleError", content_type: str) -> tuple[bytes, str]:
    """The error for a request of that content type, and the answer's own: JSON unless the request was protobuf."""
    media = PROTOBUF if "protobuf" in content_type.lower() else JSON
    return encoded(status_of(error), media), media


def encoded(message: Message, media: str) -> bytes:
    """A message in one of OTLP's two encodings."""
    return message.SerializeToString() if media == PROTOBUF else MessageToJson(message, indent=None).encode()
