"""kafka-python's errors in our words: named by who repairs them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from kafka import errors as library

from bus.errors import BusError, ConfigurationError, CorruptionError, FencedError, RetryError
from bus.refused import Asker, refused

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
#: What a right that was refused is on.
_REFUSED: tuple[tuple[type[Exception], str], ...] = (
    (library.TopicAuthorizationFailedError, "topic"),
    (library.GroupAuthorizationFailedError, "group"),
    (library.TransactionalIdAuthorizationFailedError, "transactional id"),
    (library.ClusterAuthorizationFailedError, "cluster"),
)


@contextmanager
def in_our_words(doing: str, asker: Asker | None = None) -> Iterator[None]:
    """Whatever the library raises inside becomes an error of ours: "While <doing>: ...".

    What is not known to need a person is worth another try: the library tells transient and fatal faults apart by
    neither type nor text, and a new client on the same work is right for both.
    """
    try:
        yield
    except BusError:
        raise
    except Exception as error:
        raise translated(error, doing, asker) from error


def translated(error: Exception, doing: str, asker: Asker | None = None) -> BusError:
    """`asker` says who lacks which right where the brokers refuse."""
    right = next((kind for theirs, kind in _REFUSED if isinstance(error, theirs)), None)
    if asker is not None and right is not None:
        return refused(asker, right, doing, _named(error))
    kind = next((ours for theirs, ours in _KINDS if isinstance(error, theirs)), RetryError)
    return kind(f"While {doing}: {error or type(error).__name__}.")


def _named(error: Exception) -> set[str]:
    """The topics that the library puts into such an error, where it does."""
    groups = (one for one in error.args if isinstance(one, (set, frozenset, list, tuple)))
    return {str(topic) for group in groups for topic in group}
