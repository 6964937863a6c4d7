"""The example of docs/servicing-api.md is what the routes answer."""

from datetime import date
from decimal import Decimal
from pathlib import Path

from models.domain.schedules.rows import Row
from models.domain.servicing.terms import AgreementTerms
from tests.support.api import Office
from tests.support.servicing import serve

PAGE = Path(__file__).parents[3] / "docs" / "servicing-api.md"
TERMS = AgreementTerms(
    rows=tuple(
        Row(no=no, due=date(2026, no + 1, 15), principal_minor=100_000, interest_minor=1_000) for no in (1, 2, 3)
    ),
    start=date(2026, 1, 15),
    annual_rate=Decimal("0.12"),
    late_rate=Decimal("0.18"),
)


async def test_the_quote_and_its_redemption_are_those_of_the_page(sqlite_office: Office) -> None:
    served = await serve(sqlite_office, terms=TERMS)
    for day, amount in ((date(2026, 2, 15), 101_000), (date(2026, 3, 25), 50_000), (date(2026, 4, 4), 60_000)):
        served.day(day)
        assert (await served.pay(amount, day, ref=f"C-{day}")).status_code == 201
    quote = await served.quote(date(2026, 4, 5))
    page = PAGE.read_text(encoding="utf-8")
    assert [(item["code"], item["amountMinor"]) for item in quote["items"]] == [
        ("coming-principal", 100_000),
        ("used-interest", 667),
        ("credit", -8_242),
    ]
    assert (quote["amountMinor"], quote["sparedMinor"], quote["usedDays"]) == (92_425, 333, 21)
    for shown in (
        "| `amountMinor` | 92425 |",
        "`sparedMinor` is 333",
        "(21 days; 20 of 30 by 30/360) | 6.67",
        "| −82.42 |",
    ):
        assert shown in page
    served.day(date(2026, 4, 5))
    told = (await served.redeem(quote, ref="TR-20260405-1")).json()
    assert (told["status"], told["owedMinor"], told["creditMinor"]) == ("settled", 0, 0)
    assert served.news() == [f"{served.case}/cured/2026-04-04", f"{served.case}/settled/2026-04-05"]
