"""How a customer's record is shown: masked on the server. The clear value leaves through a reveal only."""

from collections.abc import Sequence

from api.customers.bodies import CustomerAnswer
from api.deps import ApiDeps
from api.wording import worded
from compliance.vault.customer_layout import open_customers, stored_of
from compliance.vault.masking import masked
from models.domain.customers.showing import SHOWN
from models.domain.privacy.masks import MaskPolicy
from models.errors import SubjectShredded
from models.queries.products import masks_of
from models.tables.customers import CustomerRecord


def masked_customers(deps: ApiDeps, records: Sequence[CustomerRecord], *, locale: str) -> list[CustomerAnswer]:
    """Open what is shown of records and mask it, in their order; call it outside any transaction.

    Raises:
        CannotOpen: a cell was altered or moved.
    """
    if not records:
        return []
    with deps.database.read() as session:
        masks = masks_of(session, records[0].tenant)
    try:
        opened = _open(deps, records)
    except SubjectShredded:  # one of them; the others are shown
        return [_one(deps, record, masks, locale=locale) for record in records]
    return [_answer(record, opened[record.id], masks, locale=locale) for record in records]


def _open(deps: ApiDeps, records: Sequence[CustomerRecord]) -> dict[str, dict[str, str | None]]:
    stored = (stored_of(record) for record in records)
    opened = open_customers(deps.vault, tenant=records[0].tenant, stored=stored, fields=[each.value for each in SHOWN])
    return {customer.id: dict(customer.values) for customer in opened}


def _one(deps: ApiDeps, record: CustomerRecord, masks: MaskPolicy, *, locale: str) -> CustomerAnswer:
    try:
        values = _open(deps, [record])[record.id]
    except SubjectShredded:
        return _answer(record, {}, masks, locale=locale, erased=True)
    return _answer(record, values, masks, locale=locale)


def _answer(
    record: CustomerRecord, values: dict[str, str | None], masks: MaskPolicy, *, locale: str, erased: bool = False
) -> CustomerAnswer:
    shown = {
        name.value: None if (value := values.get(name)) is None else masked(mask, value, masks)
        for name, mask in SHOWN.items()
    }
    return CustomerAnswer(
        id=record.id,
        id_type=record.id_type,
        id_type_text=worded(f"id-type.{record.id_type}", locale),
        language=record.language,
        state=record.state,
        origin=record.origin,
        person_link=record.person_link,
        version=record.version,
        updated_at=record.updated_at,
        erased=erased,
        **shown,
    )
