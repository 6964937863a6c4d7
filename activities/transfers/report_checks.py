"""What an auditor does with a sampled row, done for each: open both ends, compare, follow the evidence (逐项核对).

Values are compared in memory and leave nothing behind: an answer is a code with ids and hashes. Keys are opened for the
sample only, and the deed says how many rows were looked at.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlmodel import Session

from compliance.audit.deeds import canonical_json
from compliance.audit.proofs import ProofFails, prove_inclusion
from compliance.transfers.proof_keys import job_proof_key
from compliance.vault.customer_layout import as_stored, open_customers, stored_of
from compliance.vault.keyring import Vault
from compliance.vault.transfer_rows import open_rows
from models.domain.transfers.report import Check, ItemCheck, SampleItem
from models.domain.transfers.states import TOLD, MatchVerdict, MoveState, RowOutcome
from models.errors import CannotOpen, KeysUnavailable, SubjectShredded
from models.queries.transfers.report_events import Logged, facts_in
from models.queries.transfers.report_notices import COUNTERS
from models.queries.transfers.report_rows import SampledRow

_MOVES: Final = frozenset({RowOutcome.ACCEPTED, RowOutcome.MERGED})
_IDENTITY: Final = ("id_type", "id_number")
_DECIDED_SAME: Final = frozenset({MatchVerdict.AUTO, MatchVerdict.SAME})
Values = Mapping[str, str]
Digest = Callable[[Values], bytes]


@dataclass(slots=True)
class Auditor:
    """Checks the rows of one job's sample.

    Attributes:
        events: the job's events; the one of the chunk that moved a row is its evidence.
    """

    session: Session
    vault: Vault
    tenant: str
    job: str
    events: Sequence[Logged]
    public_key: Ed25519PublicKey
    digests: tuple[Digest, ...] = ()
    _proofs: dict[str, ItemCheck] = field(default_factory=dict)
    _moves: tuple[tuple[str, str, dict[str, Any]], ...] = ()

    def __post_init__(self) -> None:
        """Derive the job's key for the digests of rows, and read its events once."""
        self._moves = moves_in(self.events)
        if not self.digests:
            self.digests = (job_proof_key(self.vault, tenant=self.tenant, job=self.job).digest,)

    def look_at(self, sampled: SampledRow) -> SampleItem:
        """Every check that fits how the row ended."""
        row, values = sampled.row, self._open_row(sampled)
        checks = [self._read(sampled, values)]
        if row.outcome in _MOVES and row.move == MoveState.MOVED:
            checks += [self._arrived(sampled, values), _journal(sampled), self._event(sampled), _notice(sampled)]
        elif row.outcome in _MOVES:
            checks.append(_not_in_journal(sampled))
        else:
            checks += [_reason(sampled), _not_in_journal(sampled)]
        if row.outcome == RowOutcome.MERGED:
            checks.append(_pair(sampled))
        return SampleItem(stratum=row.outcome or "", row=row.number, checks=tuple(checks))

    # Inside -----------------------------------------------------------------------------------------------------------

    def _open_row(self, sampled: SampledRow) -> Values | None:
        row = sampled.row
        try:
            ((_, values),) = open_rows(self.vault, tenant=row.tenant, rows=[(row.subject_id, row.row_cell)])
        except (SubjectShredded, KeysUnavailable):
            return None
        except CannotOpen:
            return {}
        return values

    def _read(self, sampled: SampledRow, values: Values | None) -> ItemCheck:
        """The row opens, and is what its keyed digest says."""
        row = sampled.row
        if values is None:
            return ItemCheck(code="row-opens", result=Check.UNKNOWN, evidence=("erased",))
        if not values:
            return ItemCheck(code="row-opens", result=Check.FAIL)
        if row.digest is None:
            needs = row.outcome in _MOVES  # a row that could not be spelled has none
            return ItemCheck(code="row-digest", result=Check.UNKNOWN if needs else Check.PASS)
        try:
            same = any(digest(values) == row.digest for digest in self.digests)
        except ValueError:
            same = False
        return ItemCheck(
            code="row-digest", result=Check.PASS if same else Check.FAIL, evidence=(bytes(row.digest).hex(),)
        )

    def _arrived(self, sampled: SampledRow, values: Values | None) -> ItemCheck:
        """What was read is what stands in the target's book; of somebody known there, it is the same person."""
        merged = sampled.row.outcome == RowOutcome.MERGED
        code = "same-person" if merged else "record-equal"
        record = sampled.record
        if record is None:
            return ItemCheck(code=code, result=Check.FAIL, evidence=("no-record",))
        if values is None or record.erased_at is not None:
            return ItemCheck(code=code, result=Check.UNKNOWN, evidence=("erased",))
        try:
            (customer,) = open_customers(self.vault, tenant=record.tenant, stored=[stored_of(record)])
        except (SubjectShredded, KeysUnavailable):
            return ItemCheck(code=code, result=Check.UNKNOWN, evidence=("erased",))
        except CannotOpen:
            return ItemCheck(code=code, result=Check.FAIL, evidence=("record-sealed-otherwise",))
        told = (record.id, f"version:{record.version}")
        there, here = as_stored(customer.values), as_stored(dict(values))
        if merged:
            return ItemCheck(code=code, result=_same_person(here, there, sampled), evidence=told)
        later = [each for each in sampled.changes if each.undone_at is None]
        if later and record.version > later[-1].version_after:
            return ItemCheck(code="record-changed-since", result=_kept_identity(here, there), evidence=told)
        return ItemCheck(code=code, result=Check.PASS if here == there else Check.FAIL, evidence=told)

    def _event(self, sampled: SampledRow) -> ItemCheck:
        """The event of the chunk that moved the row stands in the signed log."""
        standing = [each for each in sampled.changes if each.undone_at is None]
        event = covering(self._moves, sampled.row.wave, standing[-1].attempt if standing else None, sampled.row.number)
        if event is None:
            return ItemCheck(code="event-proven", result=Check.FAIL, evidence=("no-event",))
        if event not in self._proofs:
            self._proofs[event] = self._proof(event)
        return self._proofs[event]

    def _proof(self, event: str) -> ItemCheck:
        try:
            proof = prove_inclusion(self.session, event, public_key=self.public_key)
        except ProofFails:
            return ItemCheck(code="event-proven", result=Check.FAIL, evidence=(event,))
        if proof is None:
            return ItemCheck(code="event-proven", result=Check.UNKNOWN, evidence=(event, "not-sealed"))
        return ItemCheck(code="event-proven", result=Check.PASS, evidence=(event, f"leaf:{proof.index}"))


def moves_in(events: Sequence[Logged]) -> tuple[tuple[str, str, dict[str, Any]], ...]:
    """The events that say which rows moved: id, action and facts, read once."""
    return tuple(
        (event.id, event.action, facts_in(event))
        for event, _ in events
        if event.action in (MOVED_ACTION, CONFLICT_DECIDED)
    )


def covering(
    moves: Sequence[tuple[str, str, Mapping[str, Any]]], wave: int | None, attempt: int | None, row: int
) -> str | None:
    """The event of the chunk in which a row was moved: by wave, attempt and the range of row numbers."""
    best = None
    for event, action, facts in moves:
        if action == CONFLICT_DECIDED:
            best = event if facts.get("row") == row else best
        elif facts.get("wave") == wave and attempt in (None, facts.get("attempt")) and _covers(facts, row):
            best = event
    return best


MOVED_ACTION: Final = "transfer.rows-moved"
CONFLICT_DECIDED: Final = "transfer.conflict-decided"


def _covers(facts: Mapping[str, Any], row: int) -> bool:
    first, last = facts.get("first"), facts.get("last")
    return first is None or last is None or int(first) <= row <= int(last)


def _same_person(here: Values, there: Values, sampled: SampledRow) -> Check:
    if all(here.get(name) == there.get(name) for name in _IDENTITY):
        return Check.PASS
    # Another document of the same person: then a person has decided so, or the policy on name and contact.
    return Check.PASS if any(each.verdict in _DECIDED_SAME for each in sampled.pairs) else Check.FAIL


def _kept_identity(here: Values, there: Values) -> Check:
    """Somebody changed the record since, as they may: it must still be the same customer."""
    return Check.PASS if here.get("customer_no") == there.get("customer_no") else Check.UNKNOWN


def _journal(sampled: SampledRow) -> ItemCheck:
    """One standing line of the journal, with the record before it where there was one."""
    standing = [each for each in sampled.changes if each.undone_at is None]
    if not sampled.changes and sampled.row.outcome == RowOutcome.MERGED:
        return ItemCheck(code="journal-line", result=Check.PASS, evidence=("unchanged",))  # nothing new to the book
    whole = (
        len(standing) == 1
        and standing[0].record_id == sampled.row.target_record
        and (standing[0].kind == "insert" or standing[0].before_image is not None)
    )
    evidence = tuple(
        f"{each.id}:{hashlib.sha256(bytes(each.after_image)).hexdigest()[:16]}" for each in sampled.changes
    )
    return ItemCheck(code="journal-line", result=Check.PASS if whole else Check.FAIL, evidence=evidence)


def _not_in_journal(sampled: SampledRow) -> ItemCheck:
    """What did not move has changed nothing, or was put back."""
    standing = [each.id for each in sampled.changes if each.undone_at is None]
    return ItemCheck(code="nothing-changed", result=Check.FAIL if standing else Check.PASS, evidence=tuple(standing))


def _notice(sampled: SampledRow) -> ItemCheck:
    """Told, with what shows it."""
    notice = sampled.notice
    if notice is None:
        same = sampled.row.same_row is not None  # the earlier row of the same person has the notice
        return ItemCheck(code="notice-proof", result=Check.PASS if same else Check.FAIL, evidence=("no-notice",))
    told = notice.state in {state.value for state in TOLD} and bool(notice.evidence.keys() - COUNTERS)
    shown = hashlib.sha256(canonical_json(notice.evidence).encode()).hexdigest()
    return ItemCheck(
        code="notice-proof",
        result=Check.PASS if told else Check.FAIL,
        evidence=(notice.id, notice.state, f"sha256:{shown[:16]}"),
    )


def _reason(sampled: SampledRow) -> ItemCheck:
    """Who was refused or waits has a reason on record."""
    row = sampled.row
    reasons = [row.reason_code] if row.reason_code else []
    reasons += [f"{each.get('field')}:{each.get('rule')}" for each in row.faults or ()]
    return ItemCheck(code="reason-given", result=Check.PASS if reasons else Check.FAIL, evidence=tuple(reasons[:5]))


def _pair(sampled: SampledRow) -> ItemCheck:
    """A merge rests on a pair that policy or a person decided."""
    decided = [each for each in sampled.pairs if each.verdict in _DECIDED_SAME]
    return ItemCheck(
        code="merge-decided",
        result=Check.PASS if decided else Check.FAIL,
        evidence=tuple(each.id for each in decided[:5]),
    )
