"""The bounds of what an instance says of its components: the SDK keeps within them, the console refuses what is beyond."""

MAX_COMPONENTS = 32
COMPONENT_NAME_CHARS = 64
BEAT_S = 10.0
# Of beats on their way two may be lost, or late, before the instance counts as gone.
BEATS_A_LEASE = 3
