"""Facts about a company transfer (公司转让): which event it is, who was told, and what moves."""

from typing import Final

from compliance.rules.fact import Fact
from compliance.rules.rule import FactKind

_CODE: Final = FactKind.CODE
_DATE: Final = FactKind.DATE
_INSTANT: Final = FactKind.INSTANT
_CODES: Final = FactKind.CODES
_COUNT: Final = FactKind.COUNT
_YES_NO: Final = FactKind.YES_NO

FACTS: Final = {
    "transferred": Fact(_CODE, "what changes hands, `TRANSFERRED`"),
    "transfer_event": Fact(_CODE, "the legal event, `TRANSFER_EVENTS`"),
    "recipient_abroad": Fact(_YES_NO, "the recipient of data is abroad"),
    "transfer_classes": Fact(_CODES, "class on record, `A` to `F`, and `G` if the recipient is abroad"),
    "transfer_evidence": Fact(_CODES, "evidence on file"),
    "contract_party_rewritten": Fact(_YES_NO, "contracts of the company were rewritten to another party"),
    "data_given_to_shareholder": Fact(_YES_NO, "personal data are given to the new shareholder or its group"),
    "separate_consent_shareholder": Fact(_YES_NO, "those persons consented separately to that"),
    "registered_items_changed": Fact(_CODES, "registered items that changed, `REGISTERED_ITEMS`"),
    "registered_items_filed": Fact(_CODES, "of these, registered"),
    "change_relied_on_before_register": Fact(
        _YES_NO, "the change is relied on against others though it is not registered"
    ),
    "shareholders_all_waived": Fact(_YES_NO, "every other shareholder waived the right of first refusal"),
    "shareholders_told_on": Fact(_DATE, "day on which the other shareholders were told of the sale"),
    "shares_sold_on": Fact(_DATE, "day on which the shares are transferred"),
    "members_register_updated": Fact(_YES_NO, "the company's register of members shows the new holder"),
    "articles_updated": Fact(_YES_NO, "certificate and articles show the new holder"),
    "merger_kind": Fact(_CODE, "`absorption` or `new-company`"),
    "resolution_on": Fact(_DATE, "day of the resolution on the merger or division"),
    "creditors_told_on": Fact(_DATE, "last day on which a creditor was told"),
    "announced_on": Fact(_DATE, "day of the announcement"),
    "successor_takes_all": Fact(_YES_NO, "the successor is on record for every claim and debt"),
    "division_liability_recorded": Fact(_YES_NO, "joint liability, or another deal with the creditors, is on record"),
    "end_reason_on": Fact(_DATE, "day on which the reason for dissolution arose"),
    "end_reason_published_on": Fact(_DATE, "day on which it was published"),
    "new_business_in_liquidation": Fact(
        _YES_NO, "the company takes on business that has nothing to do with the liquidation"
    ),
    "deregistered": Fact(_YES_NO, "the company is deregistered"),
    "liquidation_report_confirmed": Fact(_YES_NO, "the report on the liquidation is confirmed"),
    "change_decided_on": Fact(_DATE, "day of the decision or event that changes a registered item"),
    "change_filed_on": Fact(_DATE, "day on which the change was filed with the registry"),
    "register_changed_on": Fact(_DATE, "day on which the registry changed it"),
    "tax_register_changed_on": Fact(_DATE, "day on which the tax registration was changed"),
    "tax_event_reported": Fact(_YES_NO, "the merger or division was reported to the tax authority"),
    "taxes_settled": Fact(_YES_NO, "taxes are paid, or the successor is on record for them"),
    "migrant_wages_owed": Fact(_YES_NO, "wages of migrant workers are owed"),
    "migrant_wages_deal": Fact(_YES_NO, "there is a written deal with those workers"),
    "successor_is_party": Fact(_YES_NO, "the successor stands as the party of every contract"),
    "creditor_change_told": Fact(_YES_NO, "the debtor was told that the creditor divided, merged or moved"),
    "late_fee_charged": Fact(_YES_NO, "a late fee is charged for the time without that notice"),
    "claim_assignability": Fact(_CODE, "`ok`, `agreed-not`, `forbidden-by-law` or `forbidden-by-nature`"),
    "assignment_notice_at": Fact(_INSTANT, "when the notice of assignment reached the debtor"),
    "assignee_demand_at": Fact(_INSTANT, "first debit or demand in the assignee's name"),
    "notice_revoked_alone": Fact(_YES_NO, "the notice was revoked without the assignee's consent"),
    "payment_made_at": Fact(_INSTANT, "when the debtor paid"),
    "payment_credited_to": Fact(_CODE, "who keeps the payment: `assignor` or `assignee`"),
    "accessory_rights": Fact(_COUNT, "guarantees and other accessory rights of the claims"),
    "accessory_rights_moved": Fact(_COUNT, "of these, on record with the recipient"),
    "defences_known": Fact(_COUNT, "disputes and defences known against the claims"),
    "defences_moved": Fact(_COUNT, "of these, passed on to the recipient"),
    "counterclaims_known": Fact(_COUNT, "counterclaims that may be set off"),
    "counterclaims_moved": Fact(_COUNT, "of these, passed on to the recipient"),
    "debt_moves": Fact(_YES_NO, "a debt of the institution moves to somebody else"),
    "creditor_consented": Fact(_YES_NO, "the creditor consented to that; silence is a refusal"),
    "debt_joined": Fact(_YES_NO, "somebody joins a debt"),
    "debt_joining_told": Fact(_YES_NO, "the creditor was told, and did not refuse in a reasonable time"),
    "contracts_move": Fact(_YES_NO, "whole contracts move, with rights and duties"),
    "counterparty_consented": Fact(_YES_NO, "the other party consented to that"),
    "guarantors_of_claims": Fact(_COUNT, "guarantors of the claims"),
    "guarantors_told": Fact(_COUNT, "of these, told of the assignment"),
    "guarantors_agreed_writing": Fact(_COUNT, "of these, with written consent to the new debtor"),
    "subjects": Fact(_COUNT, "persons whose data are processed or moved"),
    "subjects_told": Fact(_COUNT, "of these, told with proof of delivery"),
    "recipient_notice_items": Fact(_CODES, "what they were told about the recipient, `PROVISION_NOTICE`"),
    "recipient_same_purposes": Fact(_YES_NO, "the recipient keeps purpose and method"),
    "subjects_consented_anew": Fact(_COUNT, "persons who consented anew to another purpose or method"),
    "subjects_consented_apart": Fact(_COUNT, "persons who consented separately to the recipient"),
    "notice_only_opinion": Fact(
        _CODE, "number of the legal opinion under which notice without consent is enough; empty if there is none"
    ),
    "recipient_undertaking": Fact(_YES_NO, "the recipient signed to keep the duties of data security"),
    "authority_plan_filed_on": Fact(
        _DATE, "day on which the plan, with the recipient's name and contacts, was reported to the authority"
    ),
    "cutover_on": Fact(_DATE, "day of the cut-over"),
    "protective_measures": Fact(_YES_NO, "protective measures for the event are in place"),
    "data_deleted_without_successor": Fact(_YES_NO, "without a successor, the data are deleted"),
    "has_successor": Fact(_YES_NO, "somebody takes over the data"),
    "affiliate_sharing": Fact(_YES_NO, "user data are shared with affiliates"),
    "affiliate_notice_consent": Fact(
        _YES_NO, "each user was told the affiliate's name and contacts and consented separately"
    ),
    "key_field_mismatches": Fact(_COUNT, "key fields that differ between the old and the new store"),
    "mismatches_open": Fact(_COUNT, "exceptions of the comparison that are not resolved"),
    "contractors_used": Fact(_YES_NO, "contractors work on the migration"),
    "contractor_terms": Fact(_CODES, "what the contract with them settles, `ENTRUSTMENT_TERMS`"),
    "contractor_passed_on": Fact(_YES_NO, "they passed the work on without consent"),
    "contractor_deletion_proof": Fact(
        _YES_NO, "they are bound to prove at the end that they returned or deleted the data"
    ),
    "old_store_state": Fact(_CODE, "state of the old store: `deleted`, `locked` or `open`"),
    "old_store_statutory_until": Fact(_DATE, "last day for which a law demands that the old data are kept"),
    "first_write_at": Fact(_INSTANT, "first write of the migration"),
    "backup_made_at": Fact(_INSTANT, "when the backup was complete"),
    "backup_encrypted": Fact(_YES_NO, "the backup is encrypted"),
    "restore_tested": Fact(_YES_NO, "a restore of that backup was tested and passed"),
    "key_changes": Fact(_COUNT, "changes of key fields"),
    "key_changes_by_two": Fact(_COUNT, "of these, approved by a second person"),
    "key_changes_with_diff": Fact(_COUNT, "of these, with old and new value kept"),
}
