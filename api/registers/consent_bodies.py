"""Shapes of the consent and notice register (同意与告知台账)."""

from datetime import datetime

from api.bodies import Answer, Body, Sha256Hex
from api.installments.bodies import TextVersion
from api.parties.views import MaskedSubjectAnswer
from api.registers.text_bodies import TextWords
from models.domain.application import ConsentPurpose


class GoesOnAnswer(Answer):
    """What may go on after a withdrawal, and on which ground."""

    what: str
    what_text: str
    ground: str
    ground_text: str


class EffectAnswer(Answer):
    """What a withdrawal stops, and what may go on."""

    version: str
    stops: list[str]
    stops_text: list[str]
    goes_on: list[GoesOnAnswer]


class PurposeAnswer(Answer):
    """A purpose: the text that holds now, what a withdrawal would stop, and how many must be asked again.

    `told`: somebody is told something and agrees to nothing. `outdated`: persons whose newest consent is to a version
    before the last material change.
    """

    purpose: str
    purpose_text: str
    told: bool
    current_version: str | None
    content_hash: str | None
    valid_from: datetime | None
    effect: EffectAnswer
    outdated: int


class PurposeList(Answer):
    """Every purpose."""

    items: list[PurposeAnswer]


class WithdrawalAnswer(Answer):
    """When, by whom and through what a consent was taken back, and what that stopped."""

    withdrawn_at: datetime
    channel: str | None
    actor: str | None
    effect: EffectAnswer | None


class EntryAnswer(Answer):
    """One entry: who agreed to (or was told) what, when, in which version, by which channel, on what evidence.

    `textKnown`: the version is in the register, and `textHash` is the hash of its words. `standing`: `stands`,
    `outdated`, `replaced` by a newer one of the same person and purpose, or `withdrawn`.
    """

    id: str
    subject_id: str
    purpose: str
    purpose_text: str
    form: str
    form_text: str
    text_version: str
    text_hash: str | None
    text_known: bool
    channel: str | None
    evidence_kind: str | None
    evidence_kind_text: str | None
    evidence_document_id: str | None
    evidence_ref: str | None
    given_at: datetime
    standing: str
    standing_text: str
    withdrawal: WithdrawalAnswer | None


class EntryPage(Answer):
    """Entries of one purpose, newest first; `endCursor` is null on the last page."""

    items: list[EntryAnswer]
    end_cursor: str | None


class SubjectRegisterAnswer(Answer):
    """The register of one person, masked, oldest entry first."""

    subject: MaskedSubjectAnswer
    items: list[EntryAnswer]


class LinkConsentBody(Body):
    """The customer agrees to, or acknowledges, what they have read: purpose, version and the hash of the words."""

    purpose: ConsentPurpose
    text_version: TextVersion
    content_hash: Sha256Hex


class LinkEntryAnswer(Answer):
    """An entry as the customer sees it, with the words that they were given where these are in the register."""

    id: str
    purpose: str
    purpose_text: str
    text_version: str
    text: TextWords | None
    given_at: datetime
    standing: str
    standing_text: str
    withdrawable: bool
    withdrawal: WithdrawalAnswer | None


class LinkEntryList(Answer):
    """What the customer was told and agreed to, oldest first."""

    items: list[LinkEntryAnswer]
