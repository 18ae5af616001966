"""Live updates: writers publish hints, one hub per web process reads what changed and fans it out to its sockets."""

from agentconsole.live.hints import adopt_running_loop, publish, publish_on_commit
from agentconsole.live.hub import Hub, running_hub
from agentconsole.live.layer import Cursor, round_trip
from agentconsole.live.socket import Socket
from agentconsole.live.source import Page, TopicReader, register_topic
from agentconsole.live.topic import in_thread, refusal

__all__ = [
    "Cursor",
    "Hub",
    "Page",
    "Socket",
    "TopicReader",
    "adopt_running_loop",
    "in_thread",
    "publish",
    "publish_on_commit",
    "refusal",
    "register_topic",
    "round_trip",
    "running_hub",
]
