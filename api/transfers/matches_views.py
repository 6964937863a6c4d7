"""How a pair is shown: both records masked on the server, beside what each field is worth."""

from collections.abc import Callable, Mapping
from typing import Final

from api.deps import ApiDeps
from api.transfers.matches_bodies import MatchAnswer, MatchDetailAnswer, MatchFieldAnswer
from api.wording import worded
from compliance.vault.customer_layout import open_customers, stored_of
from compliance.vault.masking import mask_address, mask_card, mask_email, mask_id_number, mask_mobile, mask_name
from compliance.vault.transfer_rows import open_rows
from models.domain.matching.levels import FIELDS
from models.domain.matching.policy import is_high_risk
from models.domain.privacy.masks import MaskPolicy
from models.errors import NotFound
from models.queries.products import masks_of
from models.queries.transfers.match_pairs import pair_of, sides
from models.tables.customers import CustomerRecord
from models.tables.transfers import TransferJob, TransferPair, TransferRow

_YEAR: Final = 4
_MASKED: Final[dict[str, tuple[str, Callable[[str, MaskPolicy], str]]]] = {
    "name": ("name", mask_name),
    "identity": ("id_number", mask_id_number),
    "birth_date": ("birth_date", lambda value, _masks: f"{value[:_YEAR]}-**-**"),
    "sex": ("sex", lambda value, _masks: value),
    "mobile": ("mobile", mask_mobile),
    "email": ("email", mask_email),
    "account": ("account", mask_card),
    "address": ("address", mask_address),
}
# What is opened to be shown, for the event that tells of it.
OPENED_FIELDS: Final = tuple(field for field, _ in _MASKED.values())


def match_answer(pair: TransferPair, *, locale: str) -> MatchAnswer:
    """A pair without its people."""
    return MatchAnswer(
        id=pair.id,
        row=pair.row_number,
        other=pair.other,
        score_milli=pair.score_milli,
        verdict=pair.verdict,
        verdict_text=worded(f"match-verdict.{pair.verdict}", locale),
        vetoes=list(pair.vetoes),
        two_persons=is_high_risk(pair.vetoes),
        task_id=pair.task_id,
        reason_code=pair.reason_code,
        decided_by=pair.decided_by,
        second_by=pair.second_by,
        decided_at=pair.decided_at,
    )


def match_detail(deps: ApiDeps, job: TransferJob, pair_id: str, *, locale: str) -> MatchDetailAnswer:
    """A pair with both records, masked; blocking, outside any transaction.

    Raises:
        NotFound: the job has no such pair.
        SubjectShredded, CannotOpen: a record cannot be shown.
    """
    with deps.database.read() as session:
        pair = pair_of(session, job.token, pair_id)
        if pair is None:
            raise NotFound
        row, other = sides(session, pair)
        masks = masks_of(session, job.tenant)
    one, that = _opened(deps, row), _opened(deps, other)
    fields = [
        MatchFieldAnswer(
            field=name,
            field_text=worded(f"match-field.{name}", locale),
            level=pair.weights[name][0],
            level_text=worded(f"match-level.{pair.weights[name][0]}", locale),
            milli_bits=pair.weights[name][1],
            one=_shown(name, one, masks),
            other=_shown(name, that, masks),
        )
        for name in FIELDS
    ]
    return MatchDetailAnswer(
        pair=match_answer(pair, locale=locale),
        veto_texts=[worded(f"match-veto.{veto}", locale) for veto in pair.vetoes],
        fields=fields,
        gone=other is None,
    )


def _opened(deps: ApiDeps, record: TransferRow | CustomerRecord | None) -> Mapping[str, str | None]:
    if record is None:
        return {}
    if isinstance(record, TransferRow):
        [(_, values)] = open_rows(deps.vault, tenant=record.tenant, rows=[(record.subject_id, record.row_cell)])
        return values
    [customer] = open_customers(
        deps.vault, tenant=record.tenant, stored=[stored_of(record)], fields=(*OPENED_FIELDS, "id_type")
    )
    return customer.values


def _shown(name: str, values: Mapping[str, str | None], masks: MaskPolicy) -> str | None:
    field, mask = _MASKED[name]
    value = values.get(field)
    return mask(value, masks) if value else None
