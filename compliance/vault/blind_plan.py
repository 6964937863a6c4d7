"""What a blind index gives away, reckoned before it is made: the planner, and the account of the indexes that exist.

Of R rows whose values come from a domain of K bits, tokens of L bits leave about C = R / 2^min(L, K) rows that share
one token. With C below 2 a token stands for one value; from √R on a search has to open too many rows. Several indexes
of one table are known together, so their bits add up: C = R / 2^Σ min(L, K). The rule is CipherSweet's ("Blind Index
Planning"). It counts values as if they were equally frequent, so a frequent name is worse than the figure says.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from compliance.vault.blind import FEWEST_BITS, INDEX_BITS, BlindField

LEAST_COINCIDENCES: Final = 2
SMALLEST_DOMAIN_BITS: Final = 8.0  # 256 values: below that a token is the value, seen often enough
TRIES_PER_SECOND: Final = 400_000  # HMACs of one core, `python -m bench vault`


class Verdict(StrEnum):
    """Where the coincidences lie."""

    SHARED = "shared"  # 2 ≤ C < √R: several values behind one token, few rows to open
    UNIQUE = "unique"  # C < 2: equal values show, here and in every copy; needs a recorded acceptance
    CROWDED = "crowded"  # C ≥ √R: a search opens too many rows
    ENUMERABLE = "enumerable"  # so few values that the frequencies of the tokens tell them


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedIndex:
    """One index to be judged.

    Attributes:
        name: of the column or field.
        domain_bits: binary logarithm of how many values there can be: 32.7 for mainland mobile numbers.
        output_bits: of the token; 256 for a whole one.
    """

    name: str
    domain_bits: float
    output_bits: int = INDEX_BITS

    @property
    def known_bits(self) -> float:
        """How much of a value the token settles."""
        return min(self.domain_bits, float(self.output_bits))


@dataclass(frozen=True, slots=True, kw_only=True)
class Leakage:
    """The figure for one index, or for all of a table together.

    Attributes:
        coincidences: C, rows that share one token.
        most: √R.
    """

    name: str
    rows: int
    known_bits: float
    coincidences: float
    most: float
    verdict: Verdict

    @property
    def needs_acceptance(self) -> bool:
        """Whether somebody has to answer for it."""
        return self.verdict in {Verdict.UNIQUE, Verdict.ENUMERABLE}

    def explain(self) -> str:
        """What it means, without comfort."""
        few = _plain(self.coincidences)
        figure = f"{self.name}: C = {few} at {self.rows:,} rows (wanted: 2 to {_plain(self.most)})."
        match self.verdict:
            case Verdict.SHARED:
                return f"{figure} Several values share a token; a search opens about {few} rows."
            case Verdict.CROWDED:
                return f"{figure} A search opens about {few} rows: take more bits."
            case Verdict.ENUMERABLE:
                return f"{figure} So few values exist that their frequencies tell them: index it only with others."
            case Verdict.UNIQUE:
                return (
                    f"{figure} A token stands for one value: whoever reads the table sees which rows are equal, "
                    f"and recognises them in every copy under the same key. Who holds that key tries all "
                    f"2^{self.known_bits:.1f} values in {_hours(self.known_bits)} on one core."
                )


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Every index by itself, and all of them together."""

    each: tuple[Leakage, ...]
    joint: Leakage

    def explain(self) -> str:
        """One line for each, the joint one last."""
        return "\n".join(leak.explain() for leak in (*self.each, self.joint))


def plan(rows: int, indexes: Sequence[PlannedIndex]) -> Plan:
    """Judge the indexes of one table of so many rows.

    Raises:
        ValueError: no row, no index, or a figure of bits that cannot be.
    """
    if rows < 1 or not indexes:
        raise ValueError("a plan needs at least one row and one index")
    for index in indexes:
        if index.domain_bits <= 0 or not FEWEST_BITS <= index.output_bits <= INDEX_BITS:
            raise ValueError(f"{index.name}: a domain above 0 bits and a token of {FEWEST_BITS} to {INDEX_BITS} bits")
    return Plan(
        each=tuple(_leakage(index.name, rows, [index]) for index in indexes),
        joint=_leakage("together", rows, indexes),
    )


def advised_bits(rows: int, domain_bits: float) -> int | None:
    """The longest token that values still share, so that a search opens the fewest rows; None if there is none.

    There is none for a small table, nor for a domain so small that a token of any length tells the value.
    """
    if rows < 1 or domain_bits < SMALLEST_DOMAIN_BITS:
        return None
    bits = math.floor(math.log2(rows / LEAST_COINCIDENCES))
    if bits < FEWEST_BITS:
        return None
    judged = _leakage("", rows, [PlannedIndex(name="", domain_bits=domain_bits, output_bits=min(bits, INDEX_BITS))])
    return bits if judged.verdict is Verdict.SHARED else None


def _leakage(name: str, rows: int, indexes: Sequence[PlannedIndex]) -> Leakage:
    known = sum(index.known_bits for index in indexes)
    coincidences, most = rows * 2.0**-known, math.sqrt(rows)
    if len(indexes) == 1 and indexes[0].domain_bits < SMALLEST_DOMAIN_BITS:
        verdict = Verdict.ENUMERABLE
    elif coincidences < LEAST_COINCIDENCES:
        verdict = Verdict.UNIQUE
    else:
        verdict = Verdict.SHARED if coincidences < most else Verdict.CROWDED
    return Leakage(name=name, rows=rows, known_bits=known, coincidences=coincidences, most=most, verdict=verdict)


# What there is --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """Why an index is kept although its tokens are near-unique (docs/blind-indexes.md)."""

    index: PlannedIndex
    columns: tuple[str, ...]
    domain: str
    reason: str
    limits: str


ACCEPTED: Final[Mapping[BlindField, Acceptance]] = {
    BlindField.ID_NUMBER: Acceptance(
        index=PlannedIndex(name=BlindField.ID_NUMBER, domain_bits=36.8),
        columns=("subjects.id_index", "customer_records.id_index"),
        domain="3,000 counties × 40,000 birthdays × 1,000 numbers; the check digit adds nothing",
        reason="two subjects of one tenant must not hold one identity document, and only equal tokens can say so",
        limits="unique among subjects; in a book of customers two records of one person show as such, which finding "
        "duplicates needs; a key per tenant and field, so nothing joins across them",
    ),
    BlindField.MOBILE: Acceptance(
        index=PlannedIndex(name=BlindField.MOBILE, domain_bits=32.7),
        columns=("contact_points.value_index", "customer_records.mobile_index"),
        domain="7 × 10^9 mainland numbers",
        reason="staff find a caller by number",
        limits="people who share a number show as such; a key per tenant and field, so nothing joins across them",
    ),
    BlindField.ACCOUNT: Acceptance(
        index=PlannedIndex(name=BlindField.ACCOUNT, domain_bits=29.9),
        columns=("debit_orders.account_index", "bank_replies.account_index", "customer_records.account_index"),
        domain="10^9 card numbers of 16 digits behind one known issuer prefix; longer ones have more",
        reason="a line of the bank is held against the order that it answers, account by account",
        limits="a customer's orders show as one customer's, which their subject tokens tell anyhow",
    ),
    BlindField.CUSTOMER_NO: Acceptance(
        index=PlannedIndex(name=BlindField.CUSTOMER_NO, domain_bits=26.6),
        columns=("customer_records.customer_no_index",),
        domain="10^8 numbers that a bank counts up",
        reason="a book holds a customer's number once, and staff and files name a customer by it",
        limits="unique within the table, so no frequencies; a key per tenant and field, so nothing joins across them",
    ),
}


def existing(rows: Mapping[BlindField, int]) -> dict[BlindField, Leakage]:
    """The figures of the indexes that exist, at these row counts; fields without rows are left out."""
    return {field: _leakage(str(field), count, [ACCEPTED[field].index]) for field, count in rows.items() if count > 0}


def _plain(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"  # noqa: PLR2004 - how many digits to show


def _hours(bits: float) -> str:
    hours = 2.0**bits / TRIES_PER_SECOND / 3600
    return f"{hours:,.0f} hours" if hours >= 1 else f"{max(hours * 60, 1):,.0f} minutes"
