"""Live updates: writers publish hints, one hub per web process reads what changed and fans it out to its sockets."""

from agentconsole.live.hints import adopt_running_loop, publish, publish_on_commit
from agentconsole.live.hub import Hub, Pass, end_hub, keep_hub, last_pass, running_hub
from agentconsole.live.layer import Cursor, round_trip
from agentconsole.live.settled import SettledTopic
from agentconsole.live.socket import Socket
from agentconsole.live.source import BadCursorError, Page, TopicReader, environment_of, register_topic
from agentconsole.live.topic import in_thread, refusal

__all__ = [
    "BadCursorError",
    "Cursor",
    "Hub",
    "Page",
    "Pass",
    "SettledTopic",
    "Socket",
    "TopicReader",
    "adopt_running_loop",
    "end_hub",
    "environment_of",
    "in_thread",
    "keep_hub",
    "last_pass",
    "publish",
    "publish_on_commit",
    "refusal",
    "register_topic",
    "round_trip",
    "running_hub",
]
