"""housemates: many language-model agents share a household and learn to work together."""

__version__ = "0.1.0"
