"""The parts that the console needs: how long each one's proof counts, and whether the console is ready without it."""

from agentconsole.health import proving
from agentconsole.health.proof import Component

COMPONENTS = (
    Component("database", "Database writes", 20, proving.database),
    Component("channel_layer", "Live updates' channel layer", 20, proving.channel_layer),
    Component("hub", "Live hub", 20, proving.hub),
    Component("broker", "Task queue's broker", 20, proving.broker),
    Component("worker", "Background worker", 30, proving.beat_of("worker", "no worker has run a task yet")),
    Component("beat", "Schedule", 30, proving.beat_of("beat", "no scheduler has started yet")),
    # Not critical: pages, agents and decisions work without it, what waits in it is kept, and a web process that is taken
    # out of service would not deliver it sooner.
    Component("outbox", "Webhooks' outbox", 30, proving.outbox, is_critical=False),
    Component("disk", "Disk space", 30, proving.disk),
)
