"""The errors a user meets, each one line that says what is wrong and how to mend it."""


class ConfigError(Exception):
    """What the user asked for makes no sense or cannot be done here."""


class RuntimeFailure(Exception):
    """The world or the machinery under a run is gone; the message says which and why."""


class WorldLost(RuntimeFailure):
    """The process that owned the world is gone or stuck; the world can be made again."""


class StartError(Exception):
    """A run could not start or continue."""
