"""Errors named by who repairs them."""

from __future__ import annotations


class BusError(Exception):
    """Base of all errors of the bus. The message is a sentence that says what to do."""


class RetryError(BusError):
    """Nobody needs to act: wait, rebuild the client, do the same work again."""


class ConfigurationError(BusError):
    """Whoever runs the bus must change a setting, then start again."""


class FencedError(RetryError):
    """Another process has taken this one's place; what it computed is dropped."""


class StuckError(BusError):
    """This process cannot go on, another one may: end it, a supervisor starts it again."""


class CorruptionError(BusError):
    """What was recorded is not what is there. Stop and look: an engineer must decide."""
