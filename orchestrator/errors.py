"""The errors a user meets, each one line that says what is wrong and how to mend it."""


class ConfigError(Exception):
    """What the user asked for makes no sense or cannot be done here."""


class StartError(Exception):
    """A run could not start or continue."""
