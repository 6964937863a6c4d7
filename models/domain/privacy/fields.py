"""The catalogue of personal data (个人信息字段目录): every personal field that the product holds, in one place.

A test refuses a sealed column, a kind of file or a field of a form that is not in it. Classes and masks are the
product's defaults after JR/T 0171-2020 and 个人信息保护法 Art. 28; docs/personal-fields.md is made from it.
"""

from dataclasses import replace
from typing import Final

from models.domain.application import DocumentKind
from models.domain.privacy.field import FILE_PREFIX, PersonalField
from models.domain.privacy.words import DataClass, Export, Grade, Mask, Purpose, Sensitivity, Storage

IDENTITY: Final = "AML-34c-identity"
TRANSACTION: Final = "AML-34c-transaction"


def _field(
    id_: str,
    *places: str,
    mask: Mask,
    purpose: Purpose,
    storage: Storage = Storage.CELL,
    data_class: DataClass = DataClass.C2,
    sensitivity: Sensitivity = Sensitivity.NO,
    grade: Grade = Grade.SENSITIVE,
    retention: str = IDENTITY,
    export: Export = Export.RECIPIENT,
    inside: str | None = None,
    inputs: tuple[str, ...] = (),
) -> PersonalField:
    return PersonalField(
        id=id_,
        places=places,
        storage=storage,
        data_class=data_class,
        sensitivity=sensitivity,
        grade=grade,
        mask=mask,
        purpose=purpose,
        retention=retention,
        export=export,
        inside=inside,
        inputs=inputs,
    )


def _index(of: str, *places: str, sensitivity: Sensitivity = Sensitivity.NO) -> PersonalField:
    """The blind index of a field: still personal data, found by who holds the key."""
    return _field(
        f"{of}-index",
        *places,
        storage=Storage.INDEX,
        sensitivity=sensitivity,
        mask=Mask.NEVER,
        purpose=Purpose.IDENTIFY,
        export=Export.NEVER,
    )


_PERSON: Final = (
    _field(
        "name", "subjects.name_cell", "customer_records.name_cell",
        mask=Mask.NAME, purpose=Purpose.IDENTIFY, inputs=("ApplicantBody.name",),
    ),
    _field(
        "id-type", "subjects.id_type",
        storage=Storage.BESIDE, data_class=DataClass.C1, grade=Grade.OTHER, mask=Mask.NONE, purpose=Purpose.IDENTIFY,
        export=Export.PURPOSE, inputs=("ApplicantBody.id_type",),
    ),
    _field(
        "id-number", "subjects.id_cell", "customer_records.id_number_cell",
        sensitivity=Sensitivity.POLICY, mask=Mask.ID_NUMBER, purpose=Purpose.IDENTIFY, export=Export.DIGEST_FIRST,
        inputs=("ApplicantBody.id_number", "SubjectSearchBody.id_number", "CustomerSearchBody.id_number"),
    ),
    _index("id-number", "subjects.id_index", "customer_records.id_index", sensitivity=Sensitivity.POLICY),
    _field(
        "mobile", "contact_points.value_cell", "customer_records.mobile_cell",
        mask=Mask.PHONE, purpose=Purpose.CONTACT,
        inputs=("ApplicantBody.mobile", "SubjectSearchBody.mobile", "CustomerSearchBody.mobile"),
    ),
    _index("mobile", "contact_points.value_index", "customer_records.mobile_index"),
    _field(
        "email", "contact_points.value_cell", "customer_records.email_cell",
        mask=Mask.EMAIL, purpose=Purpose.CONTACT, inputs=("ApplicantBody.email",),
    ),
    _field(
        "address", "subjects.address_cell",
        sensitivity=Sensitivity.PARTLY, mask=Mask.ADDRESS, purpose=Purpose.CONTACT, inputs=("ApplicantBody.address",),
    ),
    _field(
        "employer", "subjects.employer_cell",
        mask=Mask.CATEGORY, purpose=Purpose.ASSESS, export=Export.NEED, inputs=("ApplicantBody.employer",),
    ),
    _field(
        "card-number", "subjects.card_cell",
        sensitivity=Sensitivity.YES, mask=Mask.CARD, purpose=Purpose.PERFORM, export=Export.TOKEN,
        inputs=("ApplicantBody.card_number", "CardBody.card_number"),
    ),
    _field(
        "consents", "consents.purpose", "consents.form", "consents.text_version", "consent_withdrawals.effect",
        storage=Storage.BESIDE, data_class=DataClass.C1, grade=Grade.OTHER, mask=Mask.NONE, purpose=Purpose.OPERATE,
        export=Export.PURPOSE, inputs=("ConsentBody.text_version", "LinkConsentBody.text_version"),
    ),
)  # fmt: skip

_APPLICATION: Final = (
    _field(
        "hardship-note", "installment_cases.hardship_note_cell",
        sensitivity=Sensitivity.PARTLY, mask=Mask.HIDDEN, purpose=Purpose.ASSESS, retention="application",
        export=Export.NEED, inputs=("HardshipBody.note",),
    ),
    _field(
        "hardship-cause", "installment_cases.hardship_code",
        storage=Storage.BESIDE, sensitivity=Sensitivity.PARTLY, mask=Mask.CATEGORY, purpose=Purpose.ASSESS,
        retention="application", export=Export.NEED, inputs=("HardshipBody.code",),
    ),
    _field(
        "finances",
        "installment_cases.monthly_income_minor", "installment_cases.essential_expense_minor",
        "installment_cases.other_debt_payment_minor", "installment_cases.dependants",
        "affordability_assessments.capacity_minor", "affordability_assessments.working",
        storage=Storage.BESIDE, mask=Mask.CATEGORY, purpose=Purpose.ASSESS, retention="application",
        export=Export.NEED,
        inputs=(
            "FinancesBody.monthly_income_minor", "FinancesBody.essential_expense_minor",
            "FinancesBody.other_debt_payment_minor", "FinancesBody.dependants",
        ),
    ),
    _field(
        "debt",
        "installment_cases.total_due_minor", "card_balances.*_minor", "customer_links.terms", "core_orders.core_ref",
        storage=Storage.BESIDE, sensitivity=Sensitivity.YES, mask=Mask.AMOUNT, purpose=Purpose.ASSESS,
        retention=TRANSACTION,
        inputs=("FinancesBody.total_due_minor", "LinkTermsBody.total_due_minor", "LinkTermsBody.amount_minor"),
    ),
    _field(
        "requested-plan",
        "installment_cases.requested_*", "installment_cases.granted_*", "installment_cases.willing_to_repay",
        "proposals.*_minor", "plan_offers.terms", "plan_offers.rows", "plan_offers.figures", "tasks.amount_minor",
        "tasks.title_params", "tasks.shown", "decisions.form",
        storage=Storage.BESIDE, sensitivity=Sensitivity.YES, mask=Mask.AMOUNT, purpose=Purpose.PERFORM,
        retention=TRANSACTION, inputs=("RequestedBody.amount_minor", "*.amount_minor"),
    ),
    _field(
        "credit-report", "bureau_reports.report_cell",
        sensitivity=Sensitivity.POLICY, mask=Mask.HIDDEN, purpose=Purpose.ASSESS, retention="application",
        export=Export.NEVER,
    ),
    _field(
        "credit-figures",
        "bureau_reports.open_accounts", "bureau_reports.monthly_obligation_minor",
        "bureau_reports.worst_days_past_due",
        storage=Storage.BESIDE, sensitivity=Sensitivity.POLICY, mask=Mask.HIDDEN, purpose=Purpose.ASSESS,
        retention="application", export=Export.NEVER,
        inputs=(
            "IncidentMend.open_accounts", "IncidentMend.monthly_obligation_minor", "IncidentMend.worst_days_past_due",
        ),
    ),
    _field(
        "file-name", "case_documents.filename_cell",
        mask=Mask.HIDDEN, purpose=Purpose.OPERATE, retention="application", export=Export.CASE,
    ),
)  # fmt: skip

_SERVICE: Final = (
    _field(
        "mandate-account", "mandates.account_cell",
        sensitivity=Sensitivity.YES, mask=Mask.CARD, purpose=Purpose.PERFORM, retention=TRANSACTION,
        export=Export.TOKEN, inputs=("MandateBody.account",),
    ),
    _field("mandate-holder", "mandates.holder_cell", mask=Mask.NAME, purpose=Purpose.PERFORM, retention=TRANSACTION),
    _index(
        "account", "debit_orders.account_index", "bank_replies.account_index", "customer_records.account_index",
        sensitivity=Sensitivity.YES,
    ),
    _field(
        "mandate-terms", "mandates.limit_minor", "mandates.bank_code",
        storage=Storage.BESIDE, sensitivity=Sensitivity.YES, mask=Mask.AMOUNT, purpose=Purpose.PERFORM,
        retention=TRANSACTION, inputs=("MandateBody.bank_code",),
    ),
    _field(
        "balances-and-transactions",
        "agreements.*_minor", "agreements.terms", "agreements.snapshot", "agreements.checkpoint",
        "agreements.days_past_due", "agreement_rows.*_minor", "agreement_events.amount_minor",
        "agreement_events.params", "ledger_entries.amount_minor", "settlement_quotes.total_minor",
        "settlement_quotes.items", "settlement_quotes.facts", "debit_orders.amount_minor", "bank_replies.amount_minor",
        "bank_files.total_minor", "reversals.amount_minor", "suspense_assignments.amount_minor",
        "agreement_texts.facts",
        storage=Storage.BESIDE, sensitivity=Sensitivity.YES, mask=Mask.AMOUNT, purpose=Purpose.PERFORM,
        retention=TRANSACTION, inputs=("*.amount_minor",),
    ),
    _field(
        "bank-reference", "agreement_events.params", "suspense_assignments.bank_reference",
        storage=Storage.BESIDE, data_class=DataClass.C1, grade=Grade.OTHER, mask=Mask.NONE, purpose=Purpose.PERFORM,
        retention=TRANSACTION, export=Export.PURPOSE,
        inputs=("RedemptionBody.bank_reference", "PaymentBody.bank_reference", "PrepaymentBody.bank_reference"),
    ),
)  # fmt: skip

_CUSTOMERS: Final = (
    _field(
        "customer-number", "customer_records.customer_no_cell",
        mask=Mask.CARD, purpose=Purpose.IDENTIFY, inputs=("CustomerSearchBody.customer_no",),
    ),
    _index("customer-number", "customer_records.customer_no_index"),
    _field(
        "customer-account", "customer_records.account_cell",
        sensitivity=Sensitivity.YES, mask=Mask.CARD, purpose=Purpose.PERFORM, export=Export.TOKEN,
        inputs=("CustomerSearchBody.account",),
    ),
    _field(
        "customer-details", "customer_records.packed_cell",
        sensitivity=Sensitivity.PARTLY, mask=Mask.HIDDEN, purpose=Purpose.IDENTIFY,
    ),
    _field(
        "customer-beside", "customer_records.id_type", "customer_records.language", "customer_records.state",
        "customer_records.person_link",
        storage=Storage.BESIDE, data_class=DataClass.C1, grade=Grade.OTHER, mask=Mask.NONE, purpose=Purpose.IDENTIFY,
        export=Export.PURPOSE,
    ),
    _field(
        "transfer-row", "transfer_rows.row_cell", "transfer_changes.before_image", "transfer_changes.after_image",
        sensitivity=Sensitivity.PARTLY, mask=Mask.HIDDEN, purpose=Purpose.OPERATE, retention="application",
    ),
    _field(
        "transfer-row-digest", "transfer_rows.digest", "transfer_record_tokens.tokens", "transfer_waves.leaves_before",
        storage=Storage.DIGEST, mask=Mask.NEVER, purpose=Purpose.OPERATE, retention="application",
        export=Export.NEVER,
    ),
    _field(
        "transfer-correction", "transfer_corrections.changes_cell",
        sensitivity=Sensitivity.PARTLY, mask=Mask.HIDDEN, purpose=Purpose.OPERATE, retention="application",
        inputs=tuple(
            f"RowValues.{name}"
            for name in (
                "customer_no", "name", "id_type", "id_number", "id_valid_until", "mobile", "email", "account", "sex",
                "birth_date", "nationality", "occupation", "employer", "employer_uscc", "address", "postcode",
                "language",
            )
        ),
    ),
)  # fmt: skip

_BATCHES: Final = (
    _field(
        "batch-client", "batch_clients.name_cell",
        mask=Mask.NAME, purpose=Purpose.IDENTIFY, inputs=("NewClientBody.name",),
    ),
    _field(
        "funding-account", "funding_accounts.account_cell",
        mask=Mask.CARD, purpose=Purpose.PERFORM, retention=TRANSACTION, export=Export.TOKEN,
        inputs=("NewAccountBody.number",),
    ),
    _field(
        "batch-row", "batch_rows.row_cell", "batch_corrections.changes_cell",
        sensitivity=Sensitivity.YES, mask=Mask.HIDDEN, purpose=Purpose.PERFORM, retention=TRANSACTION,
        inputs=("RowCorrectionBody.values",),
    ),
    _field(
        "batch-row-digest", "batch_rows.natural_key",
        storage=Storage.DIGEST, mask=Mask.NEVER, purpose=Purpose.OPERATE, retention=TRANSACTION, export=Export.NEVER,
    ),
    _field(
        "batch-amounts", "batch_*.*_minor", "funding_*.*_minor",
        storage=Storage.BESIDE, sensitivity=Sensitivity.YES, mask=Mask.AMOUNT, purpose=Purpose.PERFORM,
        retention=TRANSACTION,
    ),
    _field(
        "batch-words", "batch_disputes.text_cell", "batch_feedback.text_cell",
        sensitivity=Sensitivity.PARTLY, mask=Mask.HIDDEN, purpose=Purpose.ANSWER, export=Export.CASE,
        inputs=("NewDisputeBody.text",),
    ),
    _field("batch-paper", "batch_papers.content_cell", mask=Mask.HIDDEN, purpose=Purpose.OPERATE, export=Export.NEVER),
)  # fmt: skip

_WORDS: Final = (
    _field(
        "contact-note", "case_contacts.note_cell",
        sensitivity=Sensitivity.PARTLY, mask=Mask.HIDDEN, purpose=Purpose.COLLECT, retention="recording",
        export=Export.CASE, inputs=("ContactBody.note",),
    ),
    _field(
        "recording", "case_contacts.recording_ref",
        storage=Storage.BESIDE, sensitivity=Sensitivity.PARTLY, mask=Mask.NONE, purpose=Purpose.COLLECT,
        retention="recording", export=Export.CASE,
        inputs=("ContactBody.recording_ref", "RecordingBody.recording_ref"),
    ),
    _field(
        "comment", "task_comments.text_cell",
        sensitivity=Sensitivity.PARTLY, mask=Mask.HIDDEN, purpose=Purpose.OPERATE, export=Export.NEVER,
        inputs=("CommentBody.text",),
    ),
    _field(
        "decision-note", "decisions.note_cell",
        sensitivity=Sensitivity.PARTLY, mask=Mask.HIDDEN, purpose=Purpose.ANSWER, export=Export.CASE,
        inputs=("*.note", "*.answer"),
    ),
    _field(
        "ticket-text", "tickets.text_cell",
        sensitivity=Sensitivity.PARTLY, mask=Mask.HIDDEN, purpose=Purpose.ANSWER, export=Export.CASE,
        inputs=("LinkTicketBody.text", "NewTicketBody.text"),
    ),
    _field(
        "transfer-paper", "transfer_papers.content_cell",
        mask=Mask.HIDDEN, purpose=Purpose.OPERATE, export=Export.NEVER,
    ),
    _field(
        "assessment-words",
        "impact_assessments.necessity_cell", "impact_assessments.risk_cell", "impact_assessments.measures_cell",
        mask=Mask.HIDDEN, purpose=Purpose.OPERATE, export=Export.NEVER,
        inputs=("AssessmentBody.necessity", "AssessmentBody.risk", "AssessmentBody.measures"),
    ),
    _field(
        "incident-words", "security_incidents.summary_cell", "incident_reports.reason_cell",
        sensitivity=Sensitivity.PARTLY, mask=Mask.HIDDEN, purpose=Purpose.OPERATE, export=Export.NEVER,
        inputs=("IncidentBody.summary", "NotNeededBody.reason"),
    ),
    _field(
        "transfer-request", "transfer_follow_ups.note_cell",
        sensitivity=Sensitivity.PARTLY, mask=Mask.HIDDEN, purpose=Purpose.ANSWER, export=Export.NEVER,
        inputs=("TransferRequestBody.text",),
    ),
    _field(
        "message-contact-point", "customer_messages.to_cell",
        mask=Mask.HIDDEN, purpose=Purpose.CONTACT, export=Export.NEVER,
    ),
    _field(
        "changed-values", "change_requests.values_cell", "change_requests.before_image", "change_requests.after_image",
        sensitivity=Sensitivity.PARTLY, mask=Mask.HIDDEN, purpose=Purpose.OPERATE, export=Export.NEVER,
        inputs=("ChangeRequestBody.values",),
    ),
    _field(
        "erasure-note", "erasure_requests.note_cell",
        sensitivity=Sensitivity.PARTLY, mask=Mask.HIDDEN, purpose=Purpose.ANSWER, export=Export.NEVER,
        inputs=("ErasureBody.note",),
    ),
    _field(
        "notice-figures", "notices.params",
        storage=Storage.BESIDE, sensitivity=Sensitivity.YES, mask=Mask.AMOUNT, purpose=Purpose.CONTACT,
        retention=TRANSACTION, export=Export.CASE,
    ),
)  # fmt: skip

_AUTHENTICATION: Final = (
    _field(
        "notice-secret", "notices.secrets_cell",
        data_class=DataClass.C2_AUX, sensitivity=Sensitivity.YES, grade=Grade.IMPORTANT, mask=Mask.NEVER,
        purpose=Purpose.AUTHENTICATE, retention="authentication", export=Export.NEVER,
    ),
    _field(
        "one-time-code", "one_time_codes.code_mac",
        storage=Storage.DIGEST, data_class=DataClass.C3, sensitivity=Sensitivity.YES, grade=Grade.IMPORTANT,
        mask=Mask.NEVER, purpose=Purpose.AUTHENTICATE, retention="authentication", export=Export.NEVER,
        inputs=("SignatureBody.code",),
    ),
    _field(
        "staff-password", "staff.password_hash",
        storage=Storage.DIGEST, data_class=DataClass.C3, sensitivity=Sensitivity.YES, grade=Grade.IMPORTANT,
        mask=Mask.NEVER, purpose=Purpose.AUTHENTICATE, retention="authentication", export=Export.NEVER,
        inputs=(
            "LogInBody.password", "PasswordBody.current_password", "PasswordBody.new_password",
            "CreateStaffBody.initial_password",
        ),
    ),
    _field(
        "staff-session", "refresh_tokens.token_hash",
        storage=Storage.DIGEST, data_class=DataClass.C3, sensitivity=Sensitivity.YES, grade=Grade.IMPORTANT,
        mask=Mask.NEVER, purpose=Purpose.AUTHENTICATE, retention="authentication", export=Export.NEVER,
        inputs=("RefreshBody.refresh_token",),
    ),
    _field(
        "staff-name", "staff.name",
        storage=Storage.STAFF, data_class=DataClass.C1, grade=Grade.OTHER, mask=Mask.NONE, purpose=Purpose.OPERATE,
        retention="staff", export=Export.PURPOSE, inputs=("CreateStaffBody.name",),
    ),
    _field(
        "staff-account", "staff.login", "staff.external_subject",
        storage=Storage.STAFF, data_class=DataClass.C1, grade=Grade.OTHER, mask=Mask.NONE, purpose=Purpose.OPERATE,
        retention="staff", export=Export.PURPOSE,
        inputs=("LogInBody.login", "CreateStaffBody.login", "CreateStaffBody.external_subject"),
    ),
)  # fmt: skip


def _file(kind: DocumentKind) -> PersonalField:
    """Files of one kind; what the bank prints is a contract record, what comes in belongs to the application."""
    medical = kind in {DocumentKind.HARDSHIP_EVIDENCE, DocumentKind.OTHER}
    contract = kind in _CONTRACT_FILES
    return _field(
        f"file-{kind.value}",
        f"{FILE_PREFIX}{kind.value}",
        storage=Storage.FILE,
        sensitivity=Sensitivity.PARTLY if medical else Sensitivity.YES if contract else Sensitivity.NO,
        mask=Mask.CATEGORY,
        purpose=Purpose.PERFORM if contract else Purpose.ASSESS,
        retention=TRANSACTION if contract else "application",
        export=Export.CASE if contract else Export.NEED,
    )


_CONTRACT_FILES: Final = frozenset(
    {
        DocumentKind.AGREEMENT,
        DocumentKind.COST_STATEMENT,
        DocumentKind.PAPER_AGREEMENT,
        DocumentKind.PAPER_COST_STATEMENT,
        DocumentKind.SEALED_AGREEMENT,
        DocumentKind.CLOSE_LETTER,
        DocumentKind.SIGNED_PAPER,
    }
)
_FILES: Final = tuple(_file(kind) for kind in DocumentKind)
_PRINTED_PARTS: Final = ("name", "id-number", "mobile", "address", "card-number", "mandate-account")


def _parts() -> tuple[PersonalField, ...]:
    """What stands inside the agreement as it is printed; whoever opens the file reads it."""
    known = {each.id: each for each in (*_PERSON, *_SERVICE)}
    within = f"file-{DocumentKind.AGREEMENT.value}"
    return tuple(
        replace(
            known[part],
            id=f"printed-{part}",
            places=(),
            storage=Storage.FILE,
            purpose=Purpose.PERFORM,
            retention=TRANSACTION,
            export=Export.CASE,
            inside=within,
            inputs=(),
        )
        for part in _PRINTED_PARTS
    )


FIELDS: Final = {
    each.id: each
    for each in (
        *_PERSON,
        *_APPLICATION,
        *_SERVICE,
        *_CUSTOMERS,
        *_BATCHES,
        *_WORDS,
        *_AUTHENTICATION,
        *_FILES,
        *_parts(),
    )
}


def fields_in(place: str) -> tuple[PersonalField, ...]:
    """What lies in a column (`table.column`) or a kind of file (`file:<kind>`); empty if nobody knows of it."""
    return tuple(each for each in FIELDS.values() if each.lies_in(place))


def sealed_places() -> frozenset[str]:
    """Every column that holds cells, and every kind of sealed file."""
    sealed = (Storage.CELL, Storage.FILE)
    return frozenset(place for each in FIELDS.values() if each.storage in sealed for place in each.places)


def index_places() -> frozenset[str]:
    """Every column of blind indexes: tokens that an erasure removes."""
    return frozenset(place for each in FIELDS.values() if each.storage is Storage.INDEX for place in each.places)
