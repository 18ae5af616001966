"""Celery's way to a Redis broker, so that nothing that becomes of that broker ends a worker.

After a loss, Celery still closes channels of the connection that is gone, and acknowledges over them what was in hand when it broke. kombu
5.7 then looks for the address of a connection that it has let go of, and the AttributeError ends the worker. As the lost
connection that it is, Celery takes it as any other: the broker gives the message out again, and sweeps make up for it before that.

A Redis that answers and refuses all writes (its disk or its memory is full, or it was made a replica) is away, too: a worker comes back to it as to
one that it lost.
"""

from typing import Any

from kombu.transport import TRANSPORT_ALIASES
from kombu.transport import redis as stock
from redis.exceptions import ConnectionError as LostConnectionError
from redis.exceptions import ResponseError


class _KnowsItsLoss:
    """A channel that makes no new connection where its own was let go of."""

    connection: Any

    def _get_pool(self, *args: Any, **kwargs: Any) -> Any:
        if self.connection.client is None:
            raise LostConnectionError("the channel's connection is lost")
        return super()._get_pool(*args, **kwargs)  # type: ignore[misc]  # of the class beside it


class _Channel(_KnowsItsLoss, stock.Channel):
    pass


class _SentinelChannel(_KnowsItsLoss, stock.SentinelChannel):
    pass


class Transport(stock.Transport):
    """Of `redis:` and `rediss:` URLs."""

    Channel = _Channel
    connection_errors = (*stock.Transport.connection_errors, ResponseError)


class SentinelTransport(stock.SentinelTransport):
    """Of `sentinel:` URLs."""

    Channel = _SentinelChannel
    connection_errors = Transport.connection_errors


def use() -> None:
    """Have this process's Celery reach Redis by these."""
    TRANSPORT_ALIASES.update(
        redis=f"{__name__}:Transport", rediss=f"{__name__}:Transport", sentinel=f"{__name__}:SentinelTransport"
    )
