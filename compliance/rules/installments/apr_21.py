"""APR21-1, -3, -4: the yearly rate is shown, whole, and by its method (年化利率) (中国人民银行公告〔2021〕第3号).

1: it stands in the agreement, and no daily or monthly rate is more conspicuous. 3: it counts all cost of the loan
over the principal actually occupied, so every charge is in the cash flows, and the principal is stated. 4: compound
by the internal rate of return (内部收益率法) or simple; simple says so (应说明是单利).
"""

from collections.abc import Mapping
from typing import Any, Final

from compliance.rules.installments.facts import asks
from compliance.rules.installments.sources import YEARLY_RATE_NOTICE
from compliance.rules.results import Parameter, Severity, Verified
from compliance.rules.rule import Finding, Rule, failed, lacking, passed
from models.domain.rates.disclosure import RateMethod

METHODS: Final = tuple(each.value for each in RateMethod)
SIMPLE_WORD: Final = "单利"
# A rate is shown in hundredths of a percent; half of that is what rounding can do.
TOLERANCE_PPM: Final = 50
_BASIS_POINT_PPM: Final = 100


def basis_points(rate_ppm: int) -> int:
    """A rate in millionths as the texts show it: basis points, half up."""
    return (rate_ppm + _BASIS_POINT_PPM // 2) // _BASIS_POINT_PPM


def check_shown(facts: Mapping[str, Any]) -> Finding:
    """In the agreement, and nothing louder beside it."""
    if not facts["rate_in_agreement"]:
        return failed("not-in-agreement")
    return failed("outshone") if facts["short_rate_more_conspicuous"] else passed("shown")


def check_whole(facts: Mapping[str, Any]) -> Finding:
    """All charges are in the flows, the principal is stated, the figure is theirs."""
    left_out = lacking(facts["loan_charges"], facts["charges_in_flows"])
    if left_out:
        return failed("charge-left-out", count=len(left_out))
    if not facts["principal_stated"]:
        return failed("principal-not-stated")
    shown, found = facts["rate_shown_ppm"], facts["rate_from_flows_ppm"]
    rates = {"shown_bps": basis_points(shown), "found_bps": basis_points(found)}
    return passed("whole-cost", **rates) if abs(shown - found) <= TOLERANCE_PPM else failed("other-rate", **rates)


def check_method(facts: Mapping[str, Any]) -> Finding:
    """A method of the two, named as what it is."""
    method, says_simple = facts["rate_method"], SIMPLE_WORD in facts["rate_label"]
    if method not in METHODS:
        return failed("unknown-method")
    if method == RateMethod.SIMPLE and not says_simple:
        return failed("simple-not-said")
    if method == RateMethod.IRR and says_simple:
        return failed("compound-called-simple")
    return passed("method-named", method=method)


APR21_1: Final = Rule(
    id="APR21-1",
    authority=YEARLY_RATE_NOTICE.authority,
    citation=YEARLY_RATE_NOTICE.article("第一条", "Item 1"),
    effective_from=YEARLY_RATE_NOTICE.since,
    verified=Verified.QUOTED,
    severity=Severity.BLOCK,
    facts=asks("rate_in_agreement", "short_rate_more_conspicuous"),
    reasons=("shown", "not-in-agreement", "outshone"),
    check=check_shown,
)
APR21_3: Final = Rule(
    id="APR21-3",
    authority=YEARLY_RATE_NOTICE.authority,
    citation=YEARLY_RATE_NOTICE.article("第三条", "Item 3"),
    effective_from=YEARLY_RATE_NOTICE.since,
    verified=Verified.QUOTED,
    severity=Severity.BLOCK,
    facts=asks("loan_charges", "charges_in_flows", "principal_stated", "rate_shown_ppm", "rate_from_flows_ppm"),
    reasons=("whole-cost", "charge-left-out", "principal-not-stated", "other-rate"),
    params=(
        Parameter(
            name="tolerance_ppm",
            value=TOLERANCE_PPM,
            source="bank policy: rates are shown in hundredths of a percent, rounded half up",
            as_of=YEARLY_RATE_NOTICE.since,
        ),
    ),
    check=check_whole,
)
APR21_4: Final = Rule(
    id="APR21-4",
    authority=YEARLY_RATE_NOTICE.authority,
    citation=YEARLY_RATE_NOTICE.article("第四条", "Item 4"),
    effective_from=YEARLY_RATE_NOTICE.since,
    verified=Verified.QUOTED,
    severity=Severity.BLOCK,
    facts=asks("rate_method", "rate_label"),
    reasons=("method-named", "unknown-method", "simple-not-said", "compound-called-simple"),
    params=(
        Parameter(
            name="methods", value=METHODS, source="中国人民银行公告〔2021〕第3号", as_of=YEARLY_RATE_NOTICE.since
        ),
        Parameter(
            name="simple_word",
            value=SIMPLE_WORD,
            source="中国人民银行公告〔2021〕第3号",
            as_of=YEARLY_RATE_NOTICE.since,
        ),
    ),
    check=check_method,
)
