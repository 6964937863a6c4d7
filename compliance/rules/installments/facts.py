"""Every fact that an installment rule may ask for: its name, type and meaning. One name means one thing at each gate.

Amounts are in minor units, rates in millionths a year, months and days are counts. Words come from
`models.domain.rule_words`. "So far" means: up to the moment at which the gate is asked.
"""

from typing import Final

from compliance.rules.fact import Fact
from compliance.rules.rule import FactKind

_AMOUNT, _COUNT, _RATE, _YES_NO = FactKind.AMOUNT, FactKind.COUNT, FactKind.RATE, FactKind.YES_NO
_CODE, _CODES, _DATE, _INSTANT, _TIME = (
    FactKind.CODE, FactKind.CODES, FactKind.DATE, FactKind.INSTANT, FactKind.TIME,
)  # fmt: skip

_CASE: Final = {
    "hardship_code": Fact(_CODE, "cause of hardship, `HardshipCode`"),
    "hardship_evidence": Fact(_YES_NO, "a proof of hardship is on file"),
    "capacity_minor": Fact(_AMOUNT, "what a month leaves for repayment"),
    "total_due_minor": Fact(_AMOUNT, "the whole debt on the card"),
    "willing_to_repay": Fact(_YES_NO, "the customer is willing to repay"),
    "explanation_available": Fact(_YES_NO, "the decision can be explained from stored working"),
    "human_review_route": Fact(_YES_NO, "somebody who made nothing of it can review it"),
    "consent_form": Fact(_CODE, "form of the consent to a credit query, `ConsentForm`"),
    "consent_purpose": Fact(_CODE, "purpose to which that consent was given"),
    "query_purpose": Fact(_CODE, "purpose of the credit query"),
    "consent_withdrawn": Fact(_YES_NO, "that consent was withdrawn"),
}
_INTAKE: Final = {
    "processing_basis": Fact(_CODE, "ground that the notice given names, `LegalBasis`"),
    "basis_on_record": Fact(
        _YES_NO, "what that ground rests on is on record: the application, or a consent that stands"
    ),
    "notice_items": Fact(
        _CODES, "what the version of the notice says that was given, `NOTICE_ITEMS`, `SENSITIVE_ITEMS`"
    ),
    "notice_form": Fact(_CODE, "form in which it was given, `ConsentForm`"),
    "sensitive_data": Fact(_CODES, "kinds of sensitive data with the case, `SensitiveData`"),
    "sensitive_data_noticed": Fact(_CODES, "kinds for which that notice names a purpose, `SensitiveData`"),
    "separate_consent": Fact(_YES_NO, "the separate consent to that version stands"),
    "data_held": Fact(_CODES, "kinds of data and documents with the case, `DataKind`, `DocumentKind`"),
    "data_needed": Fact(_CODES, "kinds that the purpose needs with this cause of hardship"),
    "consents_asked": Fact(_CODES, "consents asked for since the application, `ConsentPurpose`"),
    "consents_needed": Fact(_CODES, "consents that the product depends on, `ConsentPurpose`"),
    "due_diligence": Fact(_CODE, "what the core says of the due diligence on the holder, `DueDiligence`"),
}
_PLAN: Final = {
    "product": Fact(_CODE, "`Product` of the installment"),
    "term_months": Fact(_COUNT, "number of rows times months in a period"),
    "last_due_on": Fact(_DATE, "due date of the last row"),
    "agreement_signed_on": Fact(_DATE, "day of signing; before it, the day for which signing is planned"),
    "principal_minor": Fact(_AMOUNT, "principal on which the plan charges interest"),
    "principal_received_minor": Fact(
        _AMOUNT, "money the customer really received, or the balance confirmed by the core"
    ),
    "principal_cny_minor": Fact(_AMOUNT, "the principal in fen, foreign currency converted at the day's rate"),
    "minimum_amount_minor": Fact(_AMOUNT, "lowest amount of the bank's product definition"),
    "maximum_amount_minor": Fact(_AMOUNT, "highest amount of the bank's product definition"),
    "already_in_installment": Fact(_YES_NO, "part of the balance is in an installment plan already"),
    "pays_out": Fact(_YES_NO, "money is paid out to the customer"),
    "payout_account_own": Fact(_YES_NO, "the payout account belongs to the customer"),
    "payout_account_kind": Fact(_CODE, "`AccountKind` of the payout account"),
    "rate_shown_ppm": Fact(_RATE, "yearly rate that the customer is shown"),
    "rate_from_flows_ppm": Fact(_RATE, "yearly rate by the shown method, worked out anew from all cash flows"),
    "rate_method": Fact(_CODE, "`RateMethod` of the shown rate"),
    "rate_label": Fact(_CODE, "Chinese words beside the shown rate, as they stand there"),
    "principal_stated": Fact(_YES_NO, "the principal stands in the plan or agreement"),
    "loan_charges": Fact(_CODES, "codes of all charges of normal performance, fees included"),
    "charges_in_flows": Fact(_CODES, "codes of the charges that are in those cash flows"),
    "first_paid": Fact(_CODE, "`FirstPaid`: what a payment at this age of the debt reduces first"),
    "days_past_due": Fact(_COUNT, "days past due of the debt"),
    "penalty_rate_ppm": Fact(_RATE, "what breach costs the customer a year, in the plan"),
    "loss_rate_ppm": Fact(_RATE, "what breach costs the bank a year: the interest it loses"),
    "pia_approved_at": Fact(
        _INSTANT, "approval of the impact assessment: of the assessment model, the cohort or the transfer"
    ),
    "processing_started_at": Fact(
        _INSTANT, "when what it is about began: the model on this case, the batch, the transfer"
    ),
}
_AGREEMENT: Final = {
    "agreement_form": Fact(_CODE, "`AgreementForm`"),
    "agreement_contents": Fact(_CODES, "contents present and not empty, `AGREEMENT_CONTENTS`"),
    "annual_fee_charge": Fact(_CODE, "`FeeCharge` stated for the annual fee"),
    "interest_charge": Fact(_CODE, "`FeeCharge` stated for interest"),
    "other_fees_charge": Fact(_CODE, "`FeeCharge` stated for other fees"),
    "cited_articles": Fact(_CODES, "articles cited in the text, `law/number`: `合同法/77`"),
    "application_recorded": Fact(_YES_NO, "an application for this installment alone is on file"),
    "approved_at": Fact(_INSTANT, "approval of this installment"),
    "signing_at": Fact(_INSTANT, "when the last party signed"),
    "signing_channel": Fact(_CODE, "`SigningChannel`"),
    "disclosed_items": Fact(_CODES, "what was disclosed, `DISCLOSURES`"),
    "confirmation_method": Fact(_CODE, "`Confirmation` of the disclosure"),
    "agreement_installments": Fact(_COUNT, "installments that the agreement covers"),
    "agreement_bundled": Fact(_YES_NO, "the agreement is bundled with another card contract"),
    "minimum_payment_offered": Fact(_YES_NO, "some row may be paid with less than its amount"),
    "interest_options": Fact(_CODES, "ways offered to pay the interest, `InterestCollection`"),
    "interest_default": Fact(_CODE, "the way ticked beforehand, `InterestCollection`"),
    "funds_cost_shown_as": Fact(_CODE, "`FundsCost`: name under which the price of the money is shown"),
    "statement_fields": Fact(_CODES, "what the cost statement holds, `STATEMENT_FIELDS`"),
    "statement_rate_ppm": Fact(_RATE, "total yearly cost in the cost statement"),
    "statement_items": Fact(_CODES, "codes of all charges named in the cost statement, those on breach included"),
    "statement_confirmed_at": Fact(_INSTANT, "when the customer signed or confirmed the cost statement"),
    "statement_popup_shown": Fact(_YES_NO, "the cost statement came up by itself"),
    "statement_read_seconds": Fact(_COUNT, "seconds for which it was shown before it could be confirmed"),
    "partner_charges": Fact(_CODES, "codes of charges of guarantors, referrers and other partners"),
    "rate_in_agreement": Fact(_YES_NO, "the yearly rate stands in the agreement"),
    "short_rate_more_conspicuous": Fact(_YES_NO, "a daily or monthly rate is more conspicuous than the yearly one"),
    "major_clauses": Fact(_CODES, "clauses of major interest to the customer"),
    "highlighted_clauses": Fact(_CODES, "clauses set off in the text"),
    "acknowledged_clauses": Fact(_CODES, "clauses that the customer acknowledged"),
    "explanations_asked": Fact(_COUNT, "explanations that the customer asked for"),
    "explanations_given": Fact(_COUNT, "of these, given and on record"),
    "prompt_evidence": Fact(_CODES, "how it can be shown that clauses were pointed out, `PromptEvidence`"),
    "signature_data_exclusive": Fact(_YES_NO, "the signing data belong to the signer only"),
    "signature_sole_control": Fact(_YES_NO, "the signer alone controlled them when signing"),
    "signature_change_detectable": Fact(_YES_NO, "a later change of the signature can be found"),
    "text_change_detectable": Fact(_YES_NO, "a later change of the text can be found"),
    "signed_electronically": Fact(_CODES, "documents of the case signed electronically"),
    "signed_reliably": Fact(_CODES, "of these, signed with a reliable signature or under agreed conditions"),
    "recording_archived": Fact(_YES_NO, "the recording of the oral agreement is in the archive"),
    "recording_kept_until": Fact(_DATE, "day until which that recording is kept"),
    "change_agreed_by_customer": Fact(_YES_NO, "the customer agreed: signed, or said so on the recording"),
    "change_agreed_by_bank": Fact(_YES_NO, "the bank agreed: approved and signed"),
    "change_unambiguous": Fact(_YES_NO, "old and new terms stand side by side, none is open"),
    "guarantors": Fact(_COUNT, "guarantors of the debt"),
    "guarantors_consented": Fact(_COUNT, "of these, with consent in writing"),
    "burden_increased": Fact(_YES_NO, "the term gets longer or the cost higher than what they guaranteed"),
    "signing_gate_open": Fact(_YES_NO, "no verdict of the signing gate blocks"),
    "agreement_archived": Fact(_YES_NO, "the agreement can be retrieved and its hash is in the log"),
    "own_card_block_set": Fact(_YES_NO, "the core confirmed the block of new cards at this bank"),
    "own_card_block_released": Fact(_YES_NO, "the core confirmed the release of that block"),
    "agencies_not_recalled": Fact(
        _COUNT, "collection agencies that did not acknowledge the recall; 0 if there are none"
    ),
    "adverse_report_planned": Fact(_YES_NO, "a bad status will be reported to the credit database"),
    "adverse_notice_at": Fact(_INSTANT, "when the customer was told so"),
    "adverse_report_at": Fact(_INSTANT, "when it is reported"),
}
_DEBIT: Final = {
    "repays_by_debit": Fact(_YES_NO, "the rows are collected by debit"),
    "mandate_fields": Fact(_CODES, "what the mandate states, `MANDATE_FIELDS`"),
    "mandate_given_on": Fact(_DATE, "day on which the mandate was given"),
    "first_debit_on": Fact(_DATE, "day of the first debit, planned or done"),
    "mandate_status": Fact(_CODE, "`MandateStatus` now"),
    "mandate_valid_to": Fact(_DATE, "last day of the mandate"),
    "mandate_account": Fact(_CODE, "token of the account in the mandate"),
    "mandate_payee": Fact(_CODE, "code of the payee in the mandate"),
    "mandate_limit_minor": Fact(_AMOUNT, "highest single debit under the mandate"),
    "mandate_day_limit_minor": Fact(_AMOUNT, "highest sum of debits of a day"),
    "offset_procedure_agreed": Fact(_YES_NO, "the contract holds the procedure for debiting other accounts"),
    "debit_account": Fact(_CODE, "token of the account to be debited"),
    "debit_account_kind": Fact(_CODE, "`AccountKind` of it"),
    "debit_payee": Fact(_CODE, "code of the payee of the order"),
    "debit_on": Fact(_DATE, "day on which the debit is to happen"),
    "debit_amount_minor": Fact(_AMOUNT, "amount of the order"),
    "debited_today_minor": Fact(_AMOUNT, "other debits under the mandate for that day, settled or under way"),
    "debits_not_notified": Fact(_COUNT, "earlier debits of which the customer has not been told"),
    "due_now_minor": Fact(_AMOUNT, "what is due and unpaid on the day of the debit, read when the run begins"),
    "row_due_on": Fact(_DATE, "due date of the row"),
    "row_amount_minor": Fact(_AMOUNT, "amount of the row as signed"),
    "row_paid": Fact(_YES_NO, "nothing of the row is unpaid"),
    "orders_open": Fact(_COUNT, "other orders for the row without a final answer"),
    "orders_settled": Fact(_COUNT, "orders for the row that were settled and not returned"),
    "reminder_sent_on": Fact(_DATE, "day on which the reminder of the row went out"),
    "reminder_amount_minor": Fact(_AMOUNT, "amount named in it"),
    "reminder_exemption": Fact(_CODE, "`ReminderExemption`, with its proof on file"),
    "agreement_status": Fact(_CODE, "`AgreementStatus` now"),
    "account_disputed": Fact(_YES_NO, "the account is marked as disputed"),
    "change_kind": Fact(_CODE, "`ChangeKind`; at signing, `agreement`"),
    "interest_asked_minor": Fact(_AMOUNT, "interest in the settlement or prepayment quote"),
    "interest_accrued_minor": Fact(_AMOUNT, "interest for the money used and the days it was used, so far unpaid"),
    "early_fee_minor": Fact(_AMOUNT, "fee for paying early in the quote"),
    "early_fee_agreed": Fact(_YES_NO, "that fee is agreed and was disclosed"),
    "interest_agreed_otherwise": Fact(_YES_NO, "the agreement itself sets another interest for early repayment"),
    "charges_posted": Fact(_CODES, "codes of all charges posted so far or by this change"),
}
_CONTACT: Final = {
    "contact_purpose": Fact(_CODE, "`ContactPurpose`"),
    "contact_channel": Fact(_CODE, "`ContactChannel`"),
    "contact_role": Fact(_CODE, "`ContactRole` of the person"),
    "contact_maker": Fact(_CODE, "`ContactMaker`"),
    "contact_script": Fact(_CODE, "`ContactScript`"),
    "contact_local_time": Fact(_TIME, "clock where the person is; Asia/Shanghai on the mainland"),
    "contact_hours_consent": Fact(_YES_NO, "the debtor consented to contact at other hours"),
    "contact_refused": Fact(_YES_NO, "this person refused to be contacted in this way"),
    "debtor_lost": Fact(_YES_NO, "there is proof that the debtor cannot be reached, is dead or lacks capacity"),
    "dials_today": Fact(_COUNT, "attempts to call this number so far today"),
    "effective_calls_today": Fact(_COUNT, "calls with the debtor that were answered so far today, AI voice included"),
    "banned_words_found": Fact(_YES_NO, "the text or script holds a banned phrase"),
    "misconduct_complaint_open": Fact(_YES_NO, "a complaint about how the debt is collected is open"),
    "third_party_kind": Fact(_CODE, "`ThirdParty`; who is not known to share the debt does not"),
    "lost_by": Fact(_CODE, "how the contact log shows that the debtor is lost, `LostBy`"),
    "contact_source": Fact(_CODE, "where the number or address used comes from, `ContactSource`"),
    "contact_recorded": Fact(_YES_NO, "this contact is or will be recorded"),
    "visit_staff": Fact(_COUNT, "how many visit; 0 if it is no visit"),
    "visit_id_shown": Fact(_YES_NO, "they show who they are; no if it is no visit"),
    "visit_entry_consent": Fact(_YES_NO, "they are let in; no if it is no visit"),
    "contact_on": Fact(_DATE, "day of the contact in Shanghai"),
    "agency_listed": Fact(_YES_NO, "the agency stands on the published list"),
    "agency_evaluated_on": Fact(_DATE, "when it was inspected or evaluated last"),
    "collection_contacts": Fact(_COUNT, "collection contacts of the case; at the contact gate, this one included"),
    "contacts_recorded": Fact(_COUNT, "of these, recorded; at the contact gate, with this one if it will be"),
    "recording_retention_months": Fact(_COUNT, "shortest time for which their recordings are kept, from the contact"),
    "collection_policy_version": Fact(_CODE, "version of the bank's collection policy; empty if there is none"),
    "collector_measures": Fact(_CODES, "measures by which collectors are judged"),
    "letter_fields": Fact(_CODES, "what the collection letter holds, `LETTER_FIELDS`"),
    "objections_open": Fact(_COUNT, "objections to the collection that are not answered"),
    "entrustment_terms": Fact(_CODES, "what the contract with the agency settles, `ENTRUSTMENT_TERMS`"),
    "sub_entrusted": Fact(_YES_NO, "the agency passed the work on without the bank's consent"),
}
_CLOSE: Final = {
    "settled_on": Fact(_DATE, "day on which the debt was settled"),
    "last_transaction_on": Fact(_DATE, "day of the last payment or posting"),
    "relation_ended_on": Fact(_DATE, "end of the relation under this agreement; the close if no other is known"),
    "records_kept_until": Fact(_DATE, "day until which identity and transaction records are kept"),
    "data_kept_until": Fact(_DATE, "last day before the personal data of the case are deleted"),
    "purpose_ends_on": Fact(_DATE, "day from which no purpose needs the data: after-care, claims, recordings"),
    "statutory_until": Fact(_DATE, "last day for which a law demands that they are kept"),
    "data_after_close": Fact(_CODE, "`DataAfterClose`: the state that the close puts them in"),
}

FACTS: Final[dict[str, Fact]] = {**_CASE, **_INTAKE, **_PLAN, **_AGREEMENT, **_DEBIT, **_CONTACT, **_CLOSE}


def asks(*names: str) -> dict[str, FactKind]:
    """The facts of a rule by their names.

    Raises:
        KeyError: there is no such fact.
    """
    return {name: FACTS[name].kind for name in names}
