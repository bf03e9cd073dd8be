"""What is said where the brokers refuse: who may not do what with what, the same from both clients."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import KafkaError as NativeError
from guarded_kafka import certificates
from kafka import errors

from bus import confluent_errors, kafka_errors
from bus.errors import ConfigurationError, RetryError
from bus.refused import Asker, unseen
from bus.settings import Security

SCRAM = Security(protocol="SASL_SSL", mechanism="SCRAM-SHA-512", username="water", password="geheim")
READER = Asker(SCRAM, "READ", topics=["a", "b"], group="g", transactional_id="t")
PAIRS = [
    (errors.TopicAuthorizationFailedError, NativeError.TOPIC_AUTHORIZATION_FAILED, "may not READ one of the topics a, b."),
    (errors.GroupAuthorizationFailedError, NativeError.GROUP_AUTHORIZATION_FAILED, "may not READ the group g."),
    (
        errors.TransactionalIdAuthorizationFailedError,
        NativeError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
        "may not WRITE under the transactional id t.",
    ),
    (
        errors.ClusterAuthorizationFailedError,
        NativeError.CLUSTER_AUTHORIZATION_FAILED,
        "may not do this (READ) with the cluster.",
    ),
]


@pytest.mark.parametrize(("plain", "native", "said"), PAIRS)
def test_both_clients_say_the_same(plain: Any, native: int, said: str) -> None:
    """In one sentence, with the cure; the password is in none of it."""
    for told in (
        kafka_errors.translated(plain(), "reading", READER),
        confluent_errors.translated(NativeError(native), "reading", READER),
    ):
        assert isinstance(told, ConfigurationError)
        assert str(told).startswith(f"While reading: User:water {said} `casebus acl plan` shows")
        assert "geheim" not in str(told)


def test_a_topic_that_the_brokers_name_is_the_one() -> None:
    """Of many that are read, the library may say which was refused."""
    told = kafka_errors.translated(errors.TopicAuthorizationFailedError({"b"}), "reading", READER)
    assert "may not READ the topic b." in str(told)


def test_other_errors_and_unknown_askers_stay_as_they_were() -> None:
    """Who repairs it does not change."""
    assert isinstance(kafka_errors.translated(errors.KafkaTimeoutError(), "reading", READER), RetryError)
    assert "may not" not in str(kafka_errors.translated(errors.TopicAuthorizationFailedError(), "reading"))
    assert "may not" not in str(confluent_errors.translated(NativeError(NativeError.TOPIC_AUTHORIZATION_FAILED), "reading"))


def test_a_topic_that_is_not_seen_may_be_hidden() -> None:
    """Where nobody proves who he is, it is simply not there."""
    assert str(unseen(Security(), ["b", "a"])) == "There is no topic a, b. Create the topics first."
    assert "There is no topic a, or User:water may not see it (DESCRIBE)" in str(unseen(SCRAM, ["a"]))


def test_the_principal_of_a_certificate_is_the_name_in_it(tmp_path: Path) -> None:
    """As Kafka's rights write it; of a file that is none, the file."""
    certificates(tmp_path / "tls", ["permits"])
    file = tmp_path / "tls/permits.pem"
    assert Security(protocol="SSL", certfile=file, keyfile=file).principal == "User:CN=permits"
    missing = tmp_path / "none.pem"
    assert Security(protocol="SSL", certfile=missing).principal == f"the holder of {missing}"
    assert Security(protocol="SASL_SSL", mechanism="GSSAPI").principal == "the Kerberos principal of this process"
    assert (Security().principal, Security().anonymous) == ("User:ANONYMOUS", True)
