"""What routes of installment cases take. Shapes only: whether a number is a number of its kind is asked in `intake`."""

from typing import Annotated, Final, Literal

from pydantic import Field

from api.bodies import Body, Instant, Minor, ShortCode, Token
from api.paging import DEFAULT_LIMIT, MAX_LIMIT
from models.domain.application import (
    ConsentForm,
    ConsentPurpose,
    ContactChannel,
    ContactDirection,
    ContactResult,
    EvidenceKind,
    HardshipCode,
)
from models.domain.form_base import MAX_NOTE_CHARS
from models.domain.forms import MAX_AMOUNT_MINOR, MAX_TERM_MONTHS
from models.domain.identifiers import IdType
from models.domain.rule_words import ContactPurpose, ContactRole, ContactScript, ContactSource, ThirdParty
from models.domain.states import CaseStage

MAX_CONSENTS: Final = 10
MAX_CURSOR: Final = 600  # characters

FreeText = Annotated[str, Field(min_length=1, max_length=MAX_NOTE_CHARS, pattern=r"\S")]
"""Words of a person; sealed before they are kept."""
TextVersion = Annotated[str, Field(pattern=r"\A(?!.*[0-9]{9})[A-Za-z0-9][A-Za-z0-9./-]{0,39}\Z")]
"""Which version of a text was shown. It stands in clear, so no long run of digits: that might be a person's number."""
CardNumber = Annotated[str, Field(min_length=1, max_length=40)]
"""As somebody writes it; checked and brought into one spelling by `models.domain.bank_card`."""
RecordingRef = Annotated[
    str, Field(pattern=r"\A(?!.*[0-9]{15})(?!.*(?<![0-9])1[3-9][0-9]{9}(?![0-9]))[A-Za-z0-9][A-Za-z0-9._/-]{0,119}\Z")
]
"""Where a recording lies. It stands in clear, so no telephone, card or identity number in it."""
LetterField = Literal[
    "name", "outstanding-balance", "reason", "legal-basis", "rights-and-duties",
    "how-to-query", "how-to-repay", "how-to-object", "how-to-file-evidence", "bank-contacts", "official-seal",
]  # fmt: skip
LetterFields = Annotated[list[LetterField], Field(max_length=11)]
"""What a collection letter holds (CCM-69a)."""
Branch = Annotated[str, Field(pattern=r"\A(?!.*[0-9]{9})[A-Za-z0-9][A-Za-z0-9-]{0,39}\Z")]


class ApplicantBody(Body):
    """Who applies (申请人). Numbers as typed: spaces, hyphens and full-width digits are mended."""

    id_type: IdType
    id_number: Annotated[str, Field(min_length=1, max_length=64)]
    name: Annotated[str, Field(min_length=1, max_length=100)]
    mobile: Annotated[str, Field(min_length=1, max_length=40)]
    email: Annotated[str, Field(min_length=3, max_length=254)] | None = None
    address: Annotated[str, Field(min_length=1, max_length=300)] | None = None
    employer: Annotated[str, Field(min_length=1, max_length=200, pattern=r"\S")] | None = None
    card_number: CardNumber | None = None


class FinancesBody(Body):
    """A household's month and the whole debt on the card; minor units."""

    total_due_minor: Annotated[int, Field(ge=1, le=MAX_AMOUNT_MINOR)]
    monthly_income_minor: Minor
    essential_expense_minor: Minor
    other_debt_payment_minor: Minor
    dependants: Annotated[int, Field(ge=0, le=30)]


class HardshipBody(Body):
    """Why the customer cannot pay as agreed (困难情况)."""

    code: HardshipCode
    note: FreeText | None = None


class RequestedBody(Body):
    """What is asked for: an amount in minor units over months."""

    amount_minor: Annotated[int, Field(ge=1, le=MAX_AMOUNT_MINOR)]
    term_months: Annotated[int, Field(ge=1, le=MAX_TERM_MONTHS)]


class ConsentBody(Body):
    """What the customer agreed to, in which form, to which version of the text."""

    purpose: ConsentPurpose
    form: ConsentForm
    text_version: TextVersion


class EvidenceBody(Body):
    """What proves a consent where no document does: where the recording lies, or the number of the one-time code."""

    kind: Literal[EvidenceKind.RECORDING, EvidenceKind.CODE]
    reference: RecordingRef


class NewConsentBody(ConsentBody):
    """A consent that comes in later, with what proves it: a document of the case, or something else."""

    evidence_document_id: Token | None = None
    evidence: EvidenceBody | None = None


class LinkApplicationBody(Body):
    """An application (分期申请) as the customer sends it."""

    applicant: ApplicantBody
    finances: FinancesBody
    hardship: HardshipBody
    willing_to_repay: bool
    requested: RequestedBody
    consents: Annotated[list[ConsentBody], Field(max_length=MAX_CONSENTS)]


class ApplicationBody(LinkApplicationBody):
    """An application as staff enter it; without `branch` it belongs to the caller's."""

    branch: Branch | None = None


class CaseFilterBody(Body):
    """Members are joined by "and", values of one by "or"; `open` among outcomes means: not ended."""

    stage: Annotated[list[CaseStage], Field(min_length=1, max_length=10)] | None = None
    outcome: (
        Annotated[
            list[Literal["open", "completed", "broken", "cancelled", "rejected", "withdrawn"]],
            Field(min_length=1, max_length=10),
        ]
        | None
    ) = None
    branch: Annotated[list[Branch], Field(min_length=1, max_length=50)] | None = None
    created_from: Instant | None = None
    created_to: Instant | None = None


class CaseSearchBody(Body):
    """A page of cases, newest first."""

    filter: CaseFilterBody = CaseFilterBody()
    limit: Annotated[int, Field(ge=1, le=MAX_LIMIT)] = DEFAULT_LIMIT
    after: Annotated[str, Field(max_length=MAX_CURSOR)] | None = None


class WithdrawalBody(Body):
    """Why the case is withdrawn (撤回申请)."""

    reason_code: ShortCode
    note: FreeText | None = None


class CardBody(Body):
    """The card whose debt is meant; it is sealed at once and shown masked."""

    card_number: CardNumber


class VisitBody(Body):
    """How a visit is made (上门)."""

    staff: Annotated[int, Field(ge=1, le=20)]
    id_shown: bool
    entry_consent: bool


class ContactMannerBody(Body):
    """To whom, from where and by whom a contact about the debt is made; what nobody says is unknown or counts as no.

    `thirdParty` says of a third person whether they share the debt; `source` where the number or address comes from,
    which the debtor's own record answers if the debtor is contacted; `agency` is the code of the agency that makes it.
    """

    third_party: ThirdParty | None = None
    source: ContactSource | None = None
    visit: VisitBody | None = None
    agency: ShortCode | None = None


class ContactBody(ContactMannerBody):
    """A talk with the customer; without `at` it was just now.

    `purpose` says that it was about the debt: `collection`, or a `service-reminder` of what falls due.
    """

    channel: ContactChannel
    direction: ContactDirection
    result_code: ContactResult
    note: FreeText | None = None
    at: Instant | None = None
    purpose: ContactPurpose | None = None
    role: ContactRole = ContactRole.DEBTOR
    script: ContactScript = ContactScript.FULL
    recording_ref: RecordingRef | None = None
    letter_fields: LetterFields | None = None


class RecordingBody(Body):
    """Where the recording of a contact lies."""

    recording_ref: RecordingRef


class ContactCheckBody(ContactMannerBody):
    """A contact that somebody is about to make; without `at` it is now."""

    channel: ContactChannel
    purpose: ContactPurpose
    role: ContactRole = ContactRole.DEBTOR
    script: ContactScript = ContactScript.FULL
    will_be_recorded: bool
    letter_fields: LetterFields | None = None
    at: Instant | None = None
