"""What becomes of a pair: a policy above the score (docs/matching.md).

A score adds up evidence as if fields were independent. Twins and households are the case in which they are not, so no
score merges anybody: that takes a proven number and a compatible name, or name, birth date and something of one's own.
"""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from models.domain.matching.levels import Agreement, Level
from models.domain.transfers.states import MatchVerdict

REVIEW_FROM: Final = 2_000  # milli-bits
_APART: Final = frozenset({Level.DIFFERENT, Level.NEAR})  # numbers that are two: those of twins differ in little


class Veto(StrEnum):
    """What bars a merge by itself; a pair that bears one and is looked at needs two persons to be called one."""

    ID_CONFLICT = "id-conflict"  # two proven numbers
    SEX_CONFLICT = "sex-conflict"
    BIRTH_CONFLICT = "birth-conflict"
    NAME_GUARD = "name-guard"  # one number, two names
    TWIN_PATTERN = "twin-pattern"  # surname, birth date and household in common, the given name not
    AMBIGUOUS = "ambiguous"  # fits several records that are proven to be different persons


class Ground(StrEnum):
    """Why a pair is what it is."""

    PROVEN_NUMBER = "proven-number"
    REPAIRED_NUMBER = "repaired-number"
    OWN_CONTACT = "own-contact"
    OWN_HOME = "own-home"
    VETO = "veto"
    EVIDENCE = "evidence"
    NO_EVIDENCE = "no-evidence"


@dataclass(frozen=True, slots=True)
class Judgement:
    """What becomes of a pair."""

    verdict: MatchVerdict
    ground: Ground
    vetoes: tuple[Veto, ...] = ()

    @property
    def high_risk(self) -> bool:
        """Whether calling it one person takes two."""
        return is_high_risk(self.vetoes)


def is_high_risk(vetoes: Collection[str]) -> bool:
    """Whether calling a pair with these vetoes one person takes two persons' word."""
    return bool(vetoes)


def judge(agreement: Agreement, *, score: int, shared: Collection[str] = frozenset()) -> Judgement:
    """Apply the policy.

    Args:
        agreement: of the two records.
        score: in milli-bits; decides only whether anybody looks at the pair.
        shared: contacts (`mobile`, `email`, `account`) which, where they agree, several persons of the job have; and
            `address` where it names no house, or where another person of the job was born on that day.
    """
    own = _own_contacts(agreement, shared)
    vetoes = _vetoes(agreement, own)
    exact = _exact(agreement)
    if Veto.ID_CONFLICT in vetoes:
        # Only of a pair that agrees in all else may the number be the mistake.
        if exact and own and agreement.sex is not Level.DIFFERENT:
            return Judgement(MatchVerdict.REVIEW, Ground.VETO, vetoes)
        return Judgement(MatchVerdict.DIFFERENT, Ground.VETO, vetoes)
    if agreement.identity in {Level.EQUAL, Level.UNCHECKED}:
        return _same_number(agreement, vetoes, own)
    if vetoes:
        worth_a_look = score >= REVIEW_FROM or exact
        return Judgement(MatchVerdict.REVIEW if worth_a_look else MatchVerdict.DIFFERENT, Ground.VETO, vetoes)
    if agreement.identity is Level.REPAIRED and _fits_repaired(agreement, own):
        return Judgement(MatchVerdict.AUTO, Ground.REPAIRED_NUMBER)
    if exact and (own or _slipped_contact(agreement)) and agreement.identity not in _APART:
        return Judgement(MatchVerdict.AUTO, Ground.OWN_CONTACT)
    if exact and _own_home(agreement, shared):
        return Judgement(MatchVerdict.AUTO, Ground.OWN_HOME)
    if exact or score >= REVIEW_FROM:
        return Judgement(MatchVerdict.REVIEW, Ground.EVIDENCE)
    return Judgement(MatchVerdict.DIFFERENT, Ground.NO_EVIDENCE)


def _exact(agreement: Agreement) -> bool:
    return agreement.name is Level.EQUAL and agreement.birth_date is Level.EQUAL


def _fits_repaired(agreement: Agreement, own: frozenset[str]) -> bool:
    """Whether a record with a broken number that is one slip from a proven one is that person's.

    The number of a twin differs in sequence and check character, so one slip seldom turns it into the other's; but a
    twin has another name. With name and birth date the number needs nothing beside it. Where a slip is in one of these
    too, something of one's own must agree.
    """
    if _exact(agreement):
        return True
    slips = {(Level.EQUAL, Level.NEAR), (Level.SOUND, Level.EQUAL)}
    return bool(own) and (agreement.name, agreement.birth_date) in slips


def _same_number(agreement: Agreement, vetoes: tuple[Veto, ...], own: frozenset[str]) -> Judgement:
    if vetoes:
        return Judgement(MatchVerdict.REVIEW, Ground.VETO, vetoes)
    if agreement.identity is Level.EQUAL and agreement.name is not Level.MISSING:
        return Judgement(MatchVerdict.AUTO, Ground.PROVEN_NUMBER)
    if _exact(agreement) and (own or _slipped_contact(agreement)) and agreement.sex is not Level.DIFFERENT:
        return Judgement(MatchVerdict.AUTO, Ground.OWN_CONTACT)
    return Judgement(MatchVerdict.REVIEW, Ground.EVIDENCE)


def _slipped_contact(agreement: Agreement) -> bool:
    """A mobile or an account that is one slip apart. The slip made another number of it, so nobody else shares it."""
    return Level.NEAR in {agreement.mobile, agreement.account}


def _own_home(agreement: Agreement, shared: Collection[str]) -> bool:
    """One home in which nobody else was born on that day, and no two numbers that are far apart.

    Namesakes of one birth date live apart; father and son are born years apart; a twin has another name. Who shares a
    dormitory's or a village's address is not told apart by it, so that is not enough (`shared`).
    """
    return agreement.address is Level.EQUAL and "address" not in shared and agreement.identity not in _APART


def _vetoes(agreement: Agreement, own: frozenset[str]) -> tuple[Veto, ...]:
    found = []
    same_number = agreement.identity in {Level.EQUAL, Level.UNCHECKED}
    if agreement.identity is Level.CONFLICT:
        found.append(Veto.ID_CONFLICT)
    if agreement.sex is Level.DIFFERENT:
        found.append(Veto.SEX_CONFLICT)
    if not same_number and agreement.birth_date is Level.DIFFERENT:
        found.append(Veto.BIRTH_CONFLICT)
    if same_number and not _compatible(agreement, own):
        found.append(Veto.NAME_GUARD)
    if not same_number and _twins(agreement):
        found.append(Veto.TWIN_PATTERN)
    return tuple(found)


def _compatible(agreement: Agreement, own: frozenset[str]) -> bool:
    """Whether two names under one number may be one name.

    A character written wrong and the name of a twin look alike, and numbers of twins differ in little, so a mistaken
    number may fit both. Mail and account may be the family's. So another given name passes only where the two do not
    live together; one of which only the surname is left, where they also have something of their own in common.
    """
    if agreement.name in {Level.EQUAL, Level.MISSING}:
        return True
    if agreement.name is Level.DIFFERENT or agreement.birth_date is Level.DIFFERENT:
        return False
    if agreement.sex is Level.DIFFERENT:
        return False
    if agreement.name is Level.SOUND:
        return True
    return not _one_home(agreement) and (agreement.name is Level.NEAR or bool(own))


def _twins(agreement: Agreement) -> bool:
    """Born on one day into one family, under one roof or with one telephone, with another given name."""
    related = agreement.name in {Level.SOUND, Level.NEAR, Level.FAMILY}
    near = agreement.mobile is Level.EQUAL or agreement.address in {Level.EQUAL, Level.NEAR}
    return (
        related
        and agreement.birth_date is Level.EQUAL
        and near
        and agreement.identity not in {Level.REPAIRED, Level.NEAR}
    )


def _one_home(agreement: Agreement) -> bool:
    """Whether something says that the two live together: one address, or one telephone and no other address."""
    if agreement.mobile is Level.EQUAL:
        return agreement.address is not Level.DIFFERENT
    return agreement.address in {Level.EQUAL, Level.NEAR}


def _own_contacts(agreement: Agreement, shared: Collection[str]) -> frozenset[str]:
    """Contacts in common that are nobody else's. An address never is one: people live together."""
    return frozenset(
        field
        for field in ("mobile", "email", "account")
        if getattr(agreement, field) is Level.EQUAL and field not in shared
    )
