"""Values of a cohort (客群): its name, a row that the criteria have found, its figures. Pure."""

from dataclasses import dataclass

from models.domain.tokens import named_token


def cohort_id(run: str, revision: int) -> str:
    """Follows from the run and its revision: chosen twice, it is the same cohort."""
    return named_token("bco", f"{run}/{revision}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidate:
    """One row that the criteria have found; the members of `models.tables.batch_cohorts.BatchMember`. Minor units."""

    claim_key: str
    subject_id: str
    mandate_id: str | None
    agreement_id: str | None
    row_no: int | None
    import_line: int | None
    amount_minor: int
    currency: str
    type_class: str
    amount_class: str
    cycle_class: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Figures:
    """How many are in, how many are out, and the sum of those who are in, in minor units."""

    members: int = 0
    excluded: int = 0
    amount_minor: int = 0
