"""The actuarial rate of Regulation Z is what its Appendix J and the FFIEC tool publish, to the last digit they give."""

import pytest

from models.domain.rates.america import actuarial_rate
from models.domain.rates.yields import in_percent
from tests.models.published.apr_cases import REGULATION_Z, AprCase


@pytest.mark.parametrize("case", REGULATION_Z, ids=lambda case: case.name)
def test_published_rate(case: AprCase) -> None:
    digits = -int(case.percent.as_tuple().exponent)
    assert in_percent(actuarial_rate(case.flows).rate, digits=digits) == case.percent, case.source
