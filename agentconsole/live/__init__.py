"""Live updates: writers publish hints, one hub per web process reads what changed and fans it out to its sockets."""

from agentconsole.live.layer import Cursor
from agentconsole.live.publish import adopt_running_loop, publish, publish_on_commit

__all__ = ["Cursor", "adopt_running_loop", "publish", "publish_on_commit"]
