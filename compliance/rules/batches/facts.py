"""Facts about cohorts, rule sets, rows of a run, payroll, disputes and exports. Amounts are minor units."""

from typing import Final

from compliance.rules.fact import Fact
from compliance.rules.rule import FactKind

_AMOUNT: Final = FactKind.AMOUNT
_CODE: Final = FactKind.CODE
_DATE: Final = FactKind.DATE
_CODES: Final = FactKind.CODES
_COUNT: Final = FactKind.COUNT
_YES_NO: Final = FactKind.YES_NO

FACTS: Final = {
    "thresholds_without_operator": Fact(
        _COUNT, "thresholds of the rule set that do not say whether the figure is included"
    ),
    "rules_without_dates": Fact(_COUNT, "rules that do not say from when to when they hold"),
    "parameters_by_event_date": Fact(_YES_NO, "parameters are loaded by the date of the legal fact, not by today's"),
    "standards_blocking_unasked": Fact(
        _COUNT, "rules of a recommended standard or of self-regulation that block though no policy says so"
    ),
    "rules_passing_unknown": Fact(_COUNT, "blocking rules that let a case pass while a fact is missing"),
    "clock_zone": Fact(_CODE, "time zone by which hours of contact are counted"),
    "customer_abroad": Fact(_YES_NO, "the customer is abroad"),
    "customer_zone": Fact(_CODE, "time zone where the customer is"),
    "cohort_disputed": Fact(_COUNT, "accounts of the cohort that are marked as disputed"),
    "cohort_paid": Fact(_COUNT, "accounts of the cohort with nothing due: paid, or an agreement that is kept"),
    "cohort_revoked": Fact(_COUNT, "accounts of the cohort whose mandate is revoked or missing"),
    "rule_set_version": Fact(_CODE, "version of the rule set of the batch; empty if it has none"),
    "rules_without_source": Fact(_COUNT, "rules of the set without a source"),
    "rule_set_approvers": Fact(_COUNT, "different people who approved the set"),
    "rows_in_run": Fact(_COUNT, "rows of the run"),
    "rows_with_outcome": Fact(_COUNT, "of these, with an outcome and its reason on record"),
    "run_total_minor": Fact(_AMOUNT, "total that the run reports"),
    "run_rows_sum_minor": Fact(_AMOUNT, "sum of its rows"),
    "debit_basis": Fact(_CODE, "what the debit rests on, `DEBIT_BASES`"),
    "bank_at_fault": Fact(_YES_NO, "a debit turned out to be without cause, by the bank's fault"),
    "refund_paid": Fact(_YES_NO, "the amount was returned"),
    "refund_interest_paid": Fact(_YES_NO, "interest for the time was paid besides"),
    "debit_payee_fixed": Fact(_YES_NO, "the payee is fixed by the mandate"),
    "debit_rhythm_agreed": Fact(_YES_NO, "a cycle, a condition or a rule for the amount is agreed beforehand"),
    "mandate_channel": Fact(_CODE, "how the mandate was given, `MANDATE_CHANNELS`"),
    "mandate_evidence": Fact(_YES_NO, "proof of the mandate is on file"),
    "payee_business": Fact(_CODE, "business of the payee; empty if it is not known"),
    "due_reminder_arranged": Fact(_YES_NO, "the payer is reminded before each due date"),
    "parties_screened": Fact(_YES_NO, "payees and debtors were screened against the lists in force on that day"),
    "listed_parties": Fact(_COUNT, "listed persons among them"),
    "abnormal_accounts": Fact(_COUNT, "accounts that the fraud monitor marked"),
    "abnormal_accounts_checked": Fact(_COUNT, "of these, verified, delayed or limited"),
    "fraud_data_elsewhere": Fact(_YES_NO, "data gathered for that were used for something else"),
    "statement_issued": Fact(_YES_NO, "a statement of its own goes to the customers"),
    "statement_shows": Fact(_CODES, "what the statement (对账单) shows, `STATEMENT_ITEMS`"),
    "card_number_masked": Fact(_YES_NO, "the card number is partly masked on it"),
    "objections_received": Fact(_COUNT, "objections received so far"),
    "objections_marked": Fact(_COUNT, "of these, marked on the account in the same step, and being verified"),
    "contested_rows": Fact(_COUNT, "rows that somebody contests"),
    "contested_rows_excluded": Fact(_COUNT, "of these, taken out of every run to come"),
    "dispute_evidence_kept": Fact(_YES_NO, "the issuer's evidence about them is kept together"),
    "complaint_received_on": Fact(_DATE, "day on which the complaint came in"),
    "complaint_answered_on": Fact(_DATE, "day of the answer"),
    "complaint_kind": Fact(
        _CODE, "`ordinary`, `complex`, or `extended` with the approval on file; other words count as ordinary"
    ),
    "payee_is_worker": Fact(_YES_NO, "the account credited belongs to the worker"),
    "wage_record_kept_until": Fact(_DATE, "day until which amount, time and recipient are kept"),
    "wage_paid_on": Fact(_DATE, "day of the payment"),
    "wage_working_day_on": Fact(_DATE, "the agreed day, or the nearest working day before it"),
    "wage_months_since_last": Fact(_COUNT, "months since the last payment"),
    "wage_deductions": Fact(_CODES, "kinds of deductions, `DEDUCTIONS`"),
    "wage_gross_minor": Fact(_AMOUNT, "wage of the month"),
    "wage_damages_minor": Fact(_AMOUNT, "deducted as damages"),
    "wage_net_minor": Fact(_AMOUNT, "paid out"),
    "minimum_wage_minor": Fact(_AMOUNT, "minimum wage of the place"),
    "migrant_workers": Fact(_YES_NO, "the payees are migrant workers"),
    "wage_ledger_items": Fact(_CODES, "what the ledger of the payment holds, `LEDGER_ITEMS`"),
    "wage_ledger_kept_until": Fact(_DATE, "day until which the ledger is kept"),
    "wage_project": Fact(_YES_NO, "wages of a construction project, paid for by a main contractor"),
    "wage_source_special": Fact(_YES_NO, "they come from the project's special wage account"),
    "wage_sheet_signed": Fact(_YES_NO, "the worker signed the sheet"),
    "worker_card_held": Fact(_YES_NO, "somebody else holds the worker's card"),
    "wage_funding_short": Fact(_YES_NO, "the money was not paid into the special account as agreed"),
    "contractor_told": Fact(_YES_NO, "the main contractor was told so"),
    "export_job_approved": Fact(_YES_NO, "the export is an approved job"),
    "export_rows_grave": Fact(_COUNT, "rows of location, communication, credit or property data"),
    "export_rows_serious": Fact(_COUNT, "rows of health, communication records or transaction data"),
    "export_rows_other": Fact(_COUNT, "rows of other personal data"),
    "recipient_contract": Fact(_YES_NO, "a contract with the recipient settles purpose, method, scope and duties"),
    "recipient_supervised": Fact(_YES_NO, "what the recipient does is supervised, on record"),
    "processing_record_kept_until": Fact(_DATE, "day until which the record of the transfer or entrustment is kept"),
    "processing_record_made_on": Fact(_DATE, "day of that record"),
}
