"""The closed lists of words in the events' bodies. Equal to the enums in the .avsc files by a test."""

from __future__ import annotations

from enum import StrEnum


class ApplicantKind(StrEnum):
    """Kinds of applicants."""

    NATURAL_PERSON = "NATURAL_PERSON"
    COMPANY = "COMPANY"
    INSTITUTION = "INSTITUTION"
    SOCIAL_ORGANISATION = "SOCIAL_ORGANISATION"
    AUTHORITY = "AUTHORITY"


class Channel(StrEnum):
    """How an application comes in: window, computer, mobile, courier, other."""

    WINDOW = "WINDOW"
    COMPUTER = "COMPUTER"
    MOBILE = "MOBILE"
    COURIER = "COURIER"
    OTHER = "OTHER"


class Form(StrEnum):
    """Forms of cases: 即办件, 承诺件, 并联件, 前置联办件, 上报件."""

    ON_THE_SPOT = "ON_THE_SPOT"
    PROMISED = "PROMISED"
    JOINT = "JOINT"
    PRECEDING_JOINT = "PRECEDING_JOINT"
    HANDED_UP = "HANDED_UP"


class Opinion(StrEnum):
    """Opinions on a step (办理意见)."""

    PASS = "PASS"  # noqa: S105  # an opinion, no password
    RETURN = "RETURN"
    OTHER = "OTHER"


class Procedure(StrEnum):
    """Special procedures whose days are not counted."""

    HEARING = "HEARING"
    TENDER = "TENDER"
    AUCTION = "AUCTION"
    INSPECTION = "INSPECTION"
    TEST = "TEST"
    QUARANTINE = "QUARANTINE"
    APPRAISAL = "APPRAISAL"
    EXPERT_REVIEW = "EXPERT_REVIEW"
    PUBLIC_NOTICE = "PUBLIC_NOTICE"
    NATIONAL_DECISION = "NATIONAL_DECISION"
    OTHER = "OTHER"


class Result(StrEnum):
    """Decisions: 通过, 容缺通过, 不通过."""

    GRANTED = "GRANTED"
    GRANTED_WITH_GAPS = "GRANTED_WITH_GAPS"
    REFUSED = "REFUSED"


class Cause(StrEnum):
    """Who or what ended it: the applicant, his silence, or the end of its ground (终止)."""

    BY_APPLICANT = "BY_APPLICANT"
    LAPSED = "LAPSED"
    TERMINATED = "TERMINATED"


class Ground(StrEnum):
    """Who orders a case to be taken up again: its authority, reconsideration (复议), a court (诉讼), the one above (上级)."""

    OWN_CORRECTION = "OWN_CORRECTION"
    RECONSIDERATION = "RECONSIDERATION"
    COURT = "COURT"
    SUPERIOR = "SUPERIOR"


class Relation(StrEnum):
    """What the other key is to this case."""

    APPOINTMENT = "APPOINTMENT"
    TICKET = "TICKET"
    LOCAL_NUMBER = "LOCAL_NUMBER"
    SAME_CASE = "SAME_CASE"


class Light(StrEnum):
    """Lights of electronic supervision (电子监察): YELLOW the promise is near or passed, RED the statutory limit is passed."""

    NONE = "NONE"
    GREEN = "GREEN"
    YELLOW = "YELLOW"
    RED = "RED"
