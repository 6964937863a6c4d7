"""The card whose debt is to be paid in installments (信用卡卡号): given with the application, or later by staff."""

from api.deps import ApiDeps
from api.identity.principal import Principal
from api.installments.bodies import CardBody
from compliance.audit.deeds import Deed
from compliance.audit.unit import Unchanged, unit_of_work
from compliance.vault.cells import CellAddress
from models.domain.bank_card import check_bank_card
from models.domain.rule_broken import RuleBroken
from models.errors import FieldFault, FormInvalid
from models.operations.parties import fill_subject
from models.tables.installments import InstallmentCase
from models.tables.parties import Subject

POINTER = "/cardNumber"


def put_card(deps: ApiDeps, principal: Principal, case: InstallmentCase, body: CardBody) -> None:
    """Record the card of the case's customer; blocking, and repeatable with the same number.

    Raises:
        FormInvalid: it is no card number (`card-length`, `card-luhn`), or another card is on record (`card-differs`).
    """
    try:
        number = check_bank_card(body.card_number)
    except RuleBroken as broken:
        raise FormInvalid(faults=(broken.fault(POINTER),)) from None
    address = CellAddress(case.tenant, "subjects", "card_cell", case.subject_id, case.subject_id)
    cell = deps.vault.seal(address, number)
    deed = Deed(
        tenant=case.tenant,
        action="subject.card-recorded",
        target=case.token,
        actor=principal.staff_id,
        at=deps.clock(),
        facts={"subject": case.subject_id},
    )
    with unit_of_work(deps.database, deed) as unit:
        fill_subject(unit.session, subject_id=case.subject_id, cells={"card_cell": cell})
        held = unit.session.get_one(Subject, case.subject_id, populate_existing=True).card_cell
        if held != cell:  # there was one before
            raise Unchanged
    if held != cell and (held is None or deps.vault.open_text(address, held) != number):
        raise FormInvalid(faults=(FieldFault(pointer=POINTER, code="card-differs"),))
