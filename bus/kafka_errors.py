"""kafka-python's errors in our words: named by who repairs them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from kafka import errors as library

from bus.errors import BusError, ConfigurationError, CorruptionError, FencedError, RetryError

_FENCED = (
    library.ProducerFencedError,
    library.InvalidProducerEpochError,
    library.CommitFailedError,
    library.IllegalGenerationError,
    library.UnknownMemberIdError,
    library.FencedInstanceIdError,
)
_CONFIGURATION = (
    library.AuthorizationError,
    library.SaslAuthenticationFailedError,
    library.UnsupportedSaslMechanismError,
    library.UnsupportedVersionError,
    library.KafkaConfigurationError,
    library.MessageSizeTooLargeError,
    library.RecordListTooLargeError,
    library.InvalidTransactionTimeoutError,
    library.InvalidSessionTimeoutError,
    library.InvalidReplicationFactorError,
    library.InvalidTopicError,
    library.PolicyViolationError,
    library.InvalidConfigurationError,
    library.GroupMaxSizeReachedError,
    library.InconsistentGroupProtocolError,
)
_CORRUPTION = (library.CorruptRecordError, library.OffsetOutOfRangeError, library.LogTruncationError)

_KINDS: tuple[tuple[tuple[type[Exception], ...], type[BusError]], ...] = (
    (_FENCED, FencedError),
    (_CONFIGURATION, ConfigurationError),
    (_CORRUPTION, CorruptionError),
)


@contextmanager
def in_our_words(doing: str) -> Iterator[None]:
    """Whatever the library raises inside becomes an error of ours: "While <doing>: ...".

    What is not known to need a person is worth another try: the library tells transient and fatal faults apart by
    neither type nor text, and a new client on the same work is right for both.
    """
    try:
        yield
    except BusError:
        raise
    except Exception as error:
        raise translated(error, doing) from error


def translated(error: Exception, doing: str) -> BusError:
    kind = next((ours for theirs, ours in _KINDS if isinstance(error, theirs)), RetryError)
    return kind(f"While {doing}: {error or type(error).__name__}.")
