"""How entries of the consent register are told: codes with words, the standing of each, and what a withdrawal did."""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from sqlmodel import Session

from api.registers.consent_bodies import EffectAnswer, EntryAnswer, GoesOnAnswer, WithdrawalAnswer
from api.wording import worded
from models.domain.spreadsheets import neutral
from models.queries.consent_register import standings, withdrawals_of
from models.tables.consent_register import ConsentWithdrawal
from models.tables.parties import Consent

COLUMNS: Final = (
    "id",
    "subjectId",
    "name",
    "purpose",
    "form",
    "textVersion",
    "textHash",
    "channel",
    "evidenceKind",
    "evidence",
    "givenAt",
    "standing",
    "withdrawnAt",
    "withdrawnThrough",
)


def entry_answers(session: Session, consents: Sequence[Consent], *, now: datetime, locale: str) -> list[EntryAnswer]:
    """Entries as they are told, in the order given."""
    stand, taken_back = standings(session, consents, now=now), withdrawals_of(session, consents)
    return [_entry(each, stand[each.id].value, taken_back.get(each.id), locale=locale) for each in consents]


def _entry(row: Consent, standing: str, withdrawal: ConsentWithdrawal | None, *, locale: str) -> EntryAnswer:
    # Before channels and kinds were recorded, a document was the only evidence there was.
    kind = row.evidence_kind or ("document" if row.evidence_document_id is not None else None)
    return EntryAnswer(
        id=row.id,
        subject_id=row.subject_id,
        purpose=row.purpose,
        purpose_text=worded(f"consent-purpose.{row.purpose}", locale),
        form=row.form,
        form_text=worded(f"consent-form.{row.form}", locale),
        text_version=row.text_version,
        text_hash=row.text_hash,
        text_known=row.text_hash is not None,
        channel=row.channel,
        evidence_kind=kind,
        evidence_kind_text=worded(f"evidence-kind.{kind}", locale) if kind is not None else None,
        evidence_document_id=row.evidence_document_id,
        evidence_ref=row.evidence_ref,
        given_at=row.given_at,
        standing=standing,
        standing_text=worded(f"consent-standing.{standing}", locale),
        withdrawal=withdrawal_answer(row, withdrawal, locale=locale),
    )


def withdrawal_answer(consent: Consent, row: ConsentWithdrawal | None, *, locale: str) -> WithdrawalAnswer | None:
    """What is on record about a withdrawal; of one from before it was recorded, its time only."""
    if consent.withdrawn_at is None:
        return None
    return WithdrawalAnswer(
        withdrawn_at=consent.withdrawn_at,
        channel=row.channel if row is not None else None,
        actor=row.actor if row is not None else None,
        effect=effect_answer(row.effect, locale=locale) if row is not None else None,
    )


def effect_answer(effect: dict[str, Any], *, locale: str) -> EffectAnswer:
    """An effect as it was kept, in words."""
    return EffectAnswer(
        version=effect["version"],
        stops=effect["stops"],
        stops_text=[worded(f"consent-stops.{code}", locale) for code in effect["stops"]],
        goes_on=[
            GoesOnAnswer(
                what=each["what"],
                what_text=worded(f"consent-goes-on.{each['what']}", locale),
                ground=each["ground"],
                ground_text=worded(f"consent-ground.{each['ground']}", locale),
            )
            for each in effect["goesOn"]
        ],
    )


def as_csv(entries: Iterable[EntryAnswer], *, masked_name: str | None = None) -> str:
    """Entries as comma-separated values (RFC 4180) under `COLUMNS`; identifiers and codes, and a name only if masked.

    No cell begins with a sign that a spreadsheet would take for a formula: all of them are ours, or begin with a letter
    or digit, but the name.
    """
    name = neutral(masked_name or "")
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for each in entries:
        withdrawal = each.withdrawal
        writer.writerow(
            (
                each.id,
                each.subject_id,
                name,
                each.purpose,
                each.form,
                each.text_version,
                each.text_hash or "",
                each.channel or "",
                each.evidence_kind or "",
                each.evidence_document_id or each.evidence_ref or "",
                each.given_at.isoformat(),
                each.standing,
                withdrawal.withdrawn_at.isoformat() if withdrawal is not None else "",
                (withdrawal.channel or "") if withdrawal is not None else "",
            )
        )
    return text.getvalue()
