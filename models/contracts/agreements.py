"""Payloads of the later life of an installment case: offers, signing, activation, service. Tokens and codes only."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class PrepareOffersInput:
    """Work out the plans of round `round` from what was last recommended or countered."""

    case_token: str
    round: int


@dataclass(frozen=True, kw_only=True, slots=True)
class OffersPrepared:
    """So many plans could be offered, under this version."""

    version: int
    offered: int


@dataclass(frozen=True, kw_only=True, slots=True)
class PrepareAgreementInput:
    """Print the approved plan: agreement and cost statement, round `round`."""

    case_token: str
    round: int


@dataclass(frozen=True, kw_only=True, slots=True)
class AgreementPrepared:
    """The sealed documents that wait for a signature."""

    agreement_document_id: str
    cost_document_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class InviteInput:
    """Send the customer the link under which round `round` is read and signed."""

    case_token: str
    round: int


@dataclass(frozen=True, kw_only=True, slots=True)
class SealAgreementInput:
    """Put the bank's seal on what the decision signed, and archive it."""

    case_token: str
    decision_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class CoreOrderInput:
    """An order to the card core; `key` makes a repeated order one order."""

    case_token: str
    key: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ReadBalancesInput:
    """Ask the card core what stands on the card; `key` makes a repeated question one answer."""

    case_token: str
    key: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ActivateInput:
    """Bring the signed agreement into force: agreement, rows, first event and postings in one transaction."""

    case_token: str
    decision_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Activated:
    """The agreement in force."""

    agreement_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class BreakInput:
    """The agreement is declared broken."""

    case_token: str


@dataclass(frozen=True, kw_only=True, slots=True)
class CloseInput:
    """Nothing is owed any more: close the agreement, start its retention clock, tell the customer."""

    case_token: str
