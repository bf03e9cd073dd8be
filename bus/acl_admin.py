"""The rights that a Kafka holds, asked and changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from kafka.admin import (
    ACL,
    ACLFilter,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    ResourcePattern,
    ResourcePatternFilter,
    ResourceType,
)
from kafka.errors import ClusterAuthorizationFailedError, SecurityDisabledError

from bus.acl import Resource, Right
from bus.administrator import Administrator
from bus.errors import BusError, ConfigurationError
from bus.kafka_errors import in_our_words
from bus.settings import KafkaSettings

#: Rights of one request.
_AT_ONCE = 200
_ALL = ACLFilter(
    principal=None,
    host=None,
    operation=ACLOperation.ANY,
    permission_type=ACLPermissionType.ANY,
    resource_pattern=ResourcePatternFilter(ResourceType.ANY, None, ACLResourcePatternType.ANY),
)


class Rights(Administrator):
    """`with Rights(settings) as rights: rights.there()`. The principal of the settings must be one that may alter rights."""

    def __init__(self, settings: KafkaSettings) -> None:
        super().__init__(settings)
        self._who = settings.security.principal

    def there(self) -> list[Right]:
        """Every right that the brokers hold, whoever's."""
        with _asking("asking for the rights", self._who):
            found, _ = self._admin.describe_acls(_ALL)
        return [_right(one) for one in found]

    def add(self, rights: Sequence[Right]) -> None:
        """Raises BusError where one of them was refused; those before it stand, and the next plan shows the rest."""
        for some in _pieces(rights):
            with _asking("giving rights", self._who):
                failed = self._admin.create_acls([_acl(ACL, one) for one in some])["failed"]
            _check(failed, "giving rights", self._who)

    def remove(self, rights: Sequence[Right]) -> None:
        """Exactly these and no others. Raises BusError as `add`."""
        for some in _pieces(rights):
            with _asking("taking rights back", self._who):
                answers = self._admin.delete_acls([_acl(ACLFilter, one) for one in some])
            _check([error for _, _, error in answers if error.errno], "taking rights back", self._who)


def _pieces(rights: Sequence[Right]) -> Iterator[Sequence[Right]]:
    return (rights[start : start + _AT_ONCE] for start in range(0, len(rights), _AT_ONCE))


def _acl(form: Any, right: Right) -> Any:
    resource = right.resource
    pattern = ACLResourcePatternType.PREFIXED if resource.prefixed else ACLResourcePatternType.LITERAL
    return form(
        principal=right.principal,
        host=right.host,
        operation=ACLOperation[right.operation],
        permission_type=ACLPermissionType.ALLOW if right.allowed else ACLPermissionType.DENY,
        resource_pattern=ResourcePattern(ResourceType[resource.kind], resource.name, pattern),
    )


def _right(acl: Any) -> Right:
    pattern = acl.resource_pattern
    prefixed = pattern.pattern_type is ACLResourcePatternType.PREFIXED
    resource = Resource(pattern.resource_type.name, pattern.resource_name, prefixed)
    return Right(acl.principal, resource, acl.operation.name, acl.permission_type is ACLPermissionType.ALLOW, acl.host)


@contextmanager
def _asking(doing: str, who: str) -> Iterator[None]:
    try:
        with in_our_words(doing):
            yield
    except BusError as error:
        if isinstance(error.__cause__, SecurityDisabledError):
            raise ConfigurationError(
                "This Kafka checks no rights: whoever reaches it may read and write everything. "
                "Set authorizer.class.name in its settings (docs/security.md), then start it again."
            ) from error
        if isinstance(error.__cause__, ClusterAuthorizationFailedError):
            raise _no_administrator(doing, who) from error
        raise


def _no_administrator(doing: str, who: str) -> ConfigurationError:
    return ConfigurationError(
        f"While {doing}: {who} may not. Run this as an administrator of the brokers (docs/security.md: KAFKA_USER)."
    )


def _check(failed: Iterable[type[Exception]], doing: str, who: str) -> None:
    names = sorted({error.__name__ for error in failed})
    if ClusterAuthorizationFailedError.__name__ in names:
        raise _no_administrator(doing, who)
    if names:
        raise ConfigurationError(f"While {doing}: the brokers refused some ({', '.join(names)}). Look with `casebus acl plan`.")
