"""librdkafka's errors in our words: named by who repairs them."""

from __future__ import annotations

from confluent_kafka import KafkaError, KafkaException

from bus.errors import BusError, ConfigurationError, CorruptionError, FencedError, RetryError
from bus.refused import Asker, refused

_FENCED = frozenset(
    {
        KafkaError._FENCED,  # noqa: SLF001  the library's public name
        KafkaError.PRODUCER_FENCED,
        KafkaError.INVALID_PRODUCER_EPOCH,
        KafkaError.ILLEGAL_GENERATION,
        KafkaError.UNKNOWN_MEMBER_ID,
        KafkaError.FENCED_INSTANCE_ID,
    }
)
_CONFIGURATION = frozenset(
    {
        KafkaError._AUTHENTICATION,  # noqa: SLF001  the library's public name
        KafkaError._INVALID_ARG,  # noqa: SLF001 - codes the library names only so
        KafkaError._UNSUPPORTED_FEATURE,  # noqa: SLF001 - codes the library names only so
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.GROUP_AUTHORIZATION_FAILED,
        KafkaError.CLUSTER_AUTHORIZATION_FAILED,
        KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
        KafkaError.SASL_AUTHENTICATION_FAILED,
        KafkaError.MSG_SIZE_TOO_LARGE,
        KafkaError.RECORD_LIST_TOO_LARGE,
        KafkaError.INVALID_TRANSACTION_TIMEOUT,
        KafkaError.INVALID_SESSION_TIMEOUT,
        KafkaError.INVALID_REPLICATION_FACTOR,
        KafkaError.POLICY_VIOLATION,
        KafkaError.INVALID_CONFIG,
        KafkaError.INCONSISTENT_GROUP_PROTOCOL,
        KafkaError.TOPIC_EXCEPTION,
    }
)
_CORRUPTION = frozenset(
    {
        KafkaError._BAD_MSG,  # noqa: SLF001  the library's public name
        KafkaError._AUTO_OFFSET_RESET,  # noqa: SLF001 - codes the library names only so
        KafkaError.OFFSET_OUT_OF_RANGE,
    }
)
_KINDS: tuple[tuple[frozenset[int], type[BusError]], ...] = (
    (_FENCED, FencedError),
    (_CONFIGURATION, ConfigurationError),
    (_CORRUPTION, CorruptionError),
)
#: What a right that was refused is on.
_REFUSED = {
    KafkaError.TOPIC_AUTHORIZATION_FAILED: "topic",
    KafkaError.GROUP_AUTHORIZATION_FAILED: "group",
    KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED: "transactional id",
    KafkaError.CLUSTER_AUTHORIZATION_FAILED: "cluster",
}


class in_our_words:  # noqa: N801  used like a function, in a `with`
    """Whatever the library raises inside becomes an error of ours; what needs no person is worth another try.

    A class, because a fatal error comes as a bare `KafkaError`, which is no exception: no `except` catches it, and a
    generator cannot be given it.
    """

    def __init__(self, doing: str, asker: Asker | None = None) -> None:
        self._doing, self._asker = doing, asker

    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if isinstance(error, KafkaError):
            raise translated(error, self._doing, self._asker)
        if isinstance(error, KafkaException):
            raise translated(error.args[0], self._doing, self._asker) from error
        if isinstance(error, _LIBRARY):
            raise RetryError(f"While {self._doing}: {error}.") from error


#: What the library raises beside its own errors; SystemError comes from a fenced producer's flush.
_LIBRARY = (BufferError, ValueError, RuntimeError, SystemError, TypeError)


def translated(error: KafkaError, doing: str, asker: Asker | None = None) -> BusError:
    """`asker` says who lacks which right where the brokers refuse."""
    if asker is not None and error.code() in _REFUSED:
        return refused(asker, _REFUSED[error.code()], doing)
    kind = next((ours for codes, ours in _KINDS if error.code() in codes), RetryError)
    return kind(f"While {doing}: {error.str()} ({error.name()}).")
