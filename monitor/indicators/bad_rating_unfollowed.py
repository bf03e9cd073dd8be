"""差评未回访: the applicant was dissatisfied, and no supervisor has taken the case up."""

from collections.abc import Iterator

from monitor.indicator import Example, Hit, Indicator, Text
from monitor.samples import START
from monitor.sight import BAD, Seen
from monitor.times import DAY
from schemas.case import Case
from schemas.clock import Light
from schemas.language import Amount


def read(seen: Seen, threshold: float) -> Iterator[Hit]:
    rating, days = seen.case.rating, seen.unfollowed
    if rating is not None and rating >= BAD and days is not None and days > threshold:
        yield Hit(Light.YELLOW, days, str(rating), facts={"rating": rating, "days": Amount(days, "working")})


def _rated(score: int, days: int | None) -> Seen:
    return Seen(Case("city:1", rating=score), START + 9 * DAY, unfollowed=days)


INDICATOR = Indicator(
    name="bad_rating_unfollowed",
    title=Text("Bad rating not followed up", "差评未回访"),
    says=Text(
        "Rated {rating} of 5 (5 is worst) {days} ago, and nobody has taken it up. Call the applicant.",
        "评价为{rating}（5为最差），已{days}无人跟进。请回访申请人。",
    ),
    unit="working days",
    threshold=2,
    basis="rating of government services (好差评): the lowest two are followed up",
    of_case=read,
    examples=(
        Example("very dissatisfied a week ago", _rated(5, 5), (5,)),
        Example("yesterday", _rated(5, 1), ()),
        Example("taken up", _rated(5, None), ()),
        Example("satisfied", _rated(2, 5), ()),
    ),
)
