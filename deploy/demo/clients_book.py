"""A book made of a file of clients: their figures, with identities of people who do not exist joined to each line."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import Final

from deploy.demo.addresses import SELF_EMPLOYED, pick_address, pick_employer
from deploy.demo.book import BOOK_DAY, BookRow
from deploy.demo.clients import Client
from deploy.demo.clients_figures import Figures, Proof, figures_of
from deploy.demo.draw import between
from deploy.demo.names import FEMALE, MALE, PINYIN, pick_name
from deploy.demo.numbers import Numbers
from deploy.demo.regions import Region, pick_region
from models.domain.application import HardshipCode
from models.domain.identifiers import IdType

_STAYED: Final = 0.8  # live where they were registered at birth
_MAIL_SHARE: Final = 0.75


@dataclass(frozen=True, kw_only=True, slots=True)
class Applicant:
    """A client of the file with an identity and an application.

    Attributes:
        row: as in any book; its `row` is the client's `ID`.
        proof: when the evidence of the hardship comes.
        on_paper: signs on paper instead of through the link.
    """

    row: BookRow
    proof: Proof
    on_paper: bool


def applicants_of(clients: Sequence[Client], *, seed: int) -> list[Applicant]:
    """Identities and applications for clients; the same clients and seed give the same, more clients begin with them.

    Sex and age are the file's: the birth date lies so that the age is reached on the day of the book, and the 17th
    digit of the ID number is odd for men.
    """
    rng = Random(seed)
    numbers = Numbers(rng)
    return [_applicant(client, rng, numbers) for client in clients]


def _applicant(client: Client, rng: Random, numbers: Numbers) -> Applicant:
    figures = figures_of(client, rng)
    return Applicant(row=_row(client, figures, rng, numbers), proof=figures.proof, on_paper=figures.on_paper)


def _row(client: Client, figures: Figures, rng: Random, numbers: Numbers) -> BookRow:
    sex = MALE if client.is_man else FEMALE
    born = _birth_date(client.age, rng)
    home = pick_region(rng)
    origin = home if rng.random() < _STAYED else pick_region(rng)
    name = pick_name(rng, sex=sex, birth_year=born.year, province_code=origin.code[:2])
    return BookRow(
        row=client.id,
        name=name,
        sex=sex,
        birth_date=born,
        id_type=IdType.RESIDENT_ID.value,
        id_number=numbers.resident_id(origin.code, born, sex),
        mobile=numbers.mobile(client.id),
        email=_email(name, client.id) if rng.random() < _MAIL_SHARE else "",
        address=pick_address(rng, home),
        employer=_employer(figures.hardship, home, rng),
        card_number=numbers.card(client.id),
        credit_limit_minor=figures.credit_limit_minor,
        total_due_minor=figures.total_due_minor,
        days_past_due=figures.days_past_due,
        monthly_income_minor=figures.monthly_income_minor,
        essential_expense_minor=figures.essential_expense_minor,
        other_debt_payment_minor=figures.other_debt_payment_minor,
        dependants=figures.dependants,
        hardship_code=figures.hardship.value,
        willing_to_repay=figures.willing_to_repay,
        requested_amount_minor=figures.requested_amount_minor,
        requested_term_months=figures.requested_term_months,
        channel_preference="link" if figures.by_link else "staff",
    )


def _birth_date(age: int, rng: Random) -> date:
    """A day of the year in which whoever is `age` on the day of the book was born."""
    youngest = BOOK_DAY.replace(year=BOOK_DAY.year - age)
    oldest = BOOK_DAY.replace(year=BOOK_DAY.year - age - 1) + timedelta(days=1)
    return oldest + timedelta(days=between(rng, 0, (youngest - oldest).days))


def _email(name: str, client_id: int) -> str:
    """Under a domain that is reserved for examples (RFC 2606)."""
    return f"{PINYIN.get(name[0], 'user')}.{client_id}@example.com"


def _employer(hardship: HardshipCode, home: Region, rng: Random) -> str:
    if hardship is HardshipCode.UNEMPLOYMENT:
        return ""
    return SELF_EMPLOYED if hardship is HardshipCode.BUSINESS_FAILURE else pick_employer(rng, home)
