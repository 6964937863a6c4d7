"""What can go wrong, as types: each says its code, its HTTP status, whether waiting helps and who must act.

One table for the whole product (`docs/adr/0006-one-table-for-errors.md`). `detail` is for engineers and holds
identifiers only; what a person reads is rendered from `code` and `params` by `models.texts`.
"""

# long because it is the one table of errors
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar


class Audience(StrEnum):
    """Who must act on a failure."""

    CALLER = "caller"
    OPERATIONS = "operations"
    ENGINEERING = "engineering"


@dataclass(frozen=True, kw_only=True, slots=True)
class FieldFault:
    """One field that breaks a rule: RFC 6901 pointer, rule code, and what the text needs to name the fix."""

    pointer: str
    code: str
    params: dict[str, str | int] = field(default_factory=dict)


@dataclass(kw_only=True, eq=False)
class CaseworkError(Exception):
    """A failure that the product anticipates.

    Attributes:
        detail: for the log; identifiers and codes only, never personal data.
        params: values for the localised text of `code`; identifiers, codes and numbers only.
        faults: fields at fault, for `422` answers.
    """

    detail: str = ""
    params: dict[str, str | int] = field(default_factory=dict)
    faults: tuple[FieldFault, ...] = ()
    code: ClassVar[str] = "internal"
    status: ClassVar[int] = 500
    retryable: ClassVar[bool] = False
    audience: ClassVar[Audience] = Audience.ENGINEERING

    def __str__(self) -> str:
        return f"{self.code}: {self.detail}" if self.detail else self.code


@dataclass(kw_only=True, eq=False)
class BadRequest(CaseworkError):
    """The request cannot be read."""

    code = "bad-request"
    status = 400
    audience = Audience.CALLER


@dataclass(kw_only=True, eq=False)
class IdempotencyKeyMissing(CaseworkError):
    """The request needs an `Idempotency-Key` header: 1 to 255 printable ASCII characters."""

    code = "idempotency-key-required"
    status = 400
    audience = Audience.CALLER


@dataclass(kw_only=True, eq=False)
class NotAuthenticated(CaseworkError):
    """No valid credentials: always the same answer, whatever was wrong with them."""

    code = "not-authenticated"
    status = 401
    audience = Audience.CALLER


@dataclass(kw_only=True, eq=False)
class FreshLoginRequired(CaseworkError):
    """This act needs a log-in that is at most `params.minutes` old."""

    code = "fresh-login-required"
    status = 401
    audience = Audience.CALLER


@dataclass(kw_only=True, eq=False)
class PermissionMissing(CaseworkError):
    """The caller's roles do not hold the permission `params.permission`."""

    code = "permission-missing"
    status = 403
    audience = Audience.CALLER


@dataclass(kw_only=True, eq=False)
class PasswordChangeRequired(CaseworkError):
    """The password was set by somebody else; the caller must choose one before anything else."""

    code = "password-change-required"
    status = 403
    audience = Audience.CALLER


@dataclass(kw_only=True, eq=False)
class NotACandidate(CaseworkError):
    """The task is meant for another role or branch."""

    code = "not-a-candidate"
    status = 403
    audience = Audience.CALLER


@dataclass(kw_only=True, eq=False)
class TrainingMissing(CaseworkError):
    """No training grant lets `params.who` open data of this transfer job (培训准入)."""

    code = "training-missing"
    status = 403
    audience = Audience.CALLER


@dataclass(kw_only=True, eq=False)
class FourEyesViolation(CaseworkError):
    """Maker and checker of one subject must be two persons (双人复核)."""

    code = "four-eyes-violation"
    status = 403
    audience = Audience.CALLER


@dataclass(kw_only=True, eq=False)
class CustomerOnly(CaseworkError):
    """What only the customer can do, through a link; nobody of the bank signs for them."""

    code = "customer-only"
    status = 403
    audience = Audience.CALLER


@dataclass(kw_only=True, eq=False)
class AuthorityExceeded(CaseworkError):
    """The amount or concession lies above what this person may approve (审批权限)."""

    code = "authority-exceeded"
    status = 403
    audience = Audience.CALLER


@dataclass(kw_only=True, eq=False)
class NotFound(CaseworkError):
    """There is no such thing, or it is not the caller's to see: the same answer for both."""

    code = "not-found"
    status = 404
    audience = Audience.CALLER


@dataclass(kw_only=True, eq=False)
class MethodNotAllowed(CaseworkError):
    """The path exists, but not with this method."""

    code = "method-not-allowed"
    status = 405
    audience = Audience.CALLER


@dataclass(kw_only=True, eq=False)
class AlreadyClaimed(CaseworkError):
    """Somebody else holds the task; `params.holder` is a staff id."""

    code = "already-claimed"
    status = 409
    audience = Audience.CALLER


@dataclass(kw_only=True, eq=False)
class NotClaimedByCaller(CaseworkError):
    """Only who holds the task may do this."""

    code = "not-claimed-by-caller"
    status = 409
    audience = Audience.CALLER


@dataclass(kw_only=True, eq=False)
class WrongState(CaseworkError):
    """The thing is not in a state that allows this; `params.state` is the present one."""

    code = "wrong-state"
    status = 409
    audience = Audience.CALLER


@dataclass(kw_only=True, eq=False)
class DecisionPending(CaseworkError):
    """A decision on this task or case is under way."""

    code = "decision-pending"
    status = 409
    retryable = True
    audience = Audience.CALLER


@dataclass(kw_only=True, eq=False)
class DecisionRefused(CaseworkError):
    """The workflow refused the decision; `params.reason` is its code. The task is back in the inbox."""

    code = "decision-refused"
    status = 409
    audience = Audience.CALLER


@dataclass(kw_only=True, eq=False)
class ShownChanged(CaseworkError):
    """What the caller was shown is not what the task shows now: read it again, then decide."""

    code = "shown-changed"
    status = 409
    audience = Audience.CALLER


@dataclass(kw_only=True, eq=False)
class BlockedByRule(CaseworkError):
    """A law-cited rule blocks this outcome; `params.rule` is its id."""

    code = "blocked-by-rule"
    status = 409
    audience = Audience.CALLER


@dataclass(kw_only=True, eq=False)
class AlreadyBooked(CaseworkError):
    """Money with this bank reference is in the books; it counts once."""

    code = "already-booked"
    status = 409
    audience = Audience.CALLER


@dataclass(kw_only=True, eq=False)
class QuoteStale(CaseworkError):
    """A settlement quote that does not hold any more, or not yet; `params.reason` says why. Make a new one."""

    code = "quote-stale"
    status = 409
    audience = Audience.CALLER


@dataclass(kw_only=True, eq=False)
class Conflict(CaseworkError):
    """A uniqueness rule of the business is broken."""

    code = "conflict"
    status = 409
    audience = Audience.CALLER


@dataclass(kw_only=True, eq=False)
class TooManyTickets(CaseworkError):
    """A customer has `params.limit` tickets of a case open already."""

    code = "too-many-tickets"
    status = 409
    audience = Audience.CALLER


@dataclass(kw_only=True, eq=False)
class IdempotencyInFlight(CaseworkError):
    """The first request under this key is still under way."""

    code = "idempotency-in-flight"
    status = 409
    retryable = True
    audience = Audience.CALLER


@dataclass(kw_only=True, eq=False)
class LinkExpired(CaseworkError):
    """The customer's link is spent, expired or withdrawn."""

    code = "link-expired"
    status = 410
    audience = Audience.CALLER


@dataclass(kw_only=True, eq=False)
class StaleVersion(CaseworkError):
    """`If-Match` names an older version; `params.currentVersion` is the present one."""

    code = "stale-version"
    status = 412
    audience = Audience.CALLER


@dataclass(kw_only=True, eq=False)
class BodyTooLarge(CaseworkError):
    """The body is over the limit of `params.limit` bytes."""

    code = "body-too-large"
    status = 413
    audience = Audience.CALLER


@dataclass(kw_only=True, eq=False)
class MediaTypeUnsupported(CaseworkError):
    """This route does not take the media type sent."""

    code = "media-type-unsupported"
    status = 415
    audience = Audience.CALLER


@dataclass(kw_only=True, eq=False)
class FormInvalid(CaseworkError):
    """A field breaks its rule; `faults` names each field, the rule and the fix."""

    code = "form-invalid"
    status = 422
    audience = Audience.CALLER


@dataclass(kw_only=True, eq=False)
class IdempotencyMismatch(CaseworkError):
    """The key was used with another body."""

    code = "idempotency-mismatch"
    status = 422
    audience = Audience.CALLER


@dataclass(kw_only=True, eq=False)
class CharacterUnprintable(CaseworkError):
    """The font of the documents cannot print `params.character` (a code point) in `params.field`."""

    code = "character-unprintable"
    status = 422
    audience = Audience.OPERATIONS


@dataclass(kw_only=True, eq=False)
class CodeRefused(CaseworkError):
    """The one-time code is not taken; `params.reason` says why."""

    code = "code-refused"
    status = 422
    audience = Audience.CALLER


@dataclass(kw_only=True, eq=False)
class NotRead(CaseworkError):
    """A document was not read for `params.least` seconds, or not confirmed; `params.document` is its kind."""

    code = "not-read"
    status = 422
    audience = Audience.CALLER


@dataclass(kw_only=True, eq=False)
class PreconditionRequired(CaseworkError):
    """The request needs the header `params.header`."""

    code = "precondition-required"
    status = 428
    audience = Audience.CALLER


@dataclass(kw_only=True, eq=False)
class TooManyRequests(CaseworkError):
    """Too many tries; `params.retryAfter` seconds until the next."""

    code = "too-many-requests"
    status = 429
    retryable = True
    audience = Audience.CALLER


@dataclass(kw_only=True, eq=False)
class DatabaseBusy(CaseworkError):
    """The database did not answer in time; nothing was changed."""

    code = "database-busy"
    status = 503
    retryable = True
    audience = Audience.OPERATIONS


@dataclass(kw_only=True, eq=False)
class KeysUnavailable(CaseworkError):
    """The key store or its key-encryption key cannot be reached; nothing was changed."""

    code = "keys-unavailable"
    status = 503
    retryable = True
    audience = Audience.OPERATIONS


@dataclass(kw_only=True, eq=False)
class WorkflowUnavailable(CaseworkError):
    """Temporal cannot be reached."""

    code = "workflow-unavailable"
    status = 503
    retryable = True
    audience = Audience.OPERATIONS


@dataclass(kw_only=True, eq=False)
class GatewayUnavailable(CaseworkError):
    """An outside party did not answer; the call is repeated under the same key."""

    code = "gateway-unavailable"
    status = 503
    retryable = True
    audience = Audience.OPERATIONS


@dataclass(kw_only=True, eq=False)
class GatewayRefused(CaseworkError):
    """An outside party refused for good; a person must look. `params.reason` is its code."""

    code = "gateway-refused"
    status = 502
    audience = Audience.OPERATIONS


@dataclass(kw_only=True, eq=False)
class BankFileInvalid(CaseworkError):
    """A file or an order for the bank breaks its rules; `faults` names every place and rule. Nothing was sent."""

    code = "bank-file-invalid"
    status = 500
    audience = Audience.OPERATIONS


@dataclass(kw_only=True, eq=False)
class BankFileUnreadable(CaseworkError):
    """A file from the bank cannot be read as a whole; `faults` says where. Nothing of it was taken."""

    code = "bank-file-unreadable"
    status = 502
    audience = Audience.OPERATIONS


@dataclass(kw_only=True, eq=False)
class BankFileConflict(CaseworkError):
    """The exchange with the bank holds another file under this name, or the file is gone from it."""

    code = "bank-file-conflict"
    status = 500
    audience = Audience.OPERATIONS


@dataclass(kw_only=True, eq=False)
class CoreFileUnreadable(CaseworkError):
    """A file of the card core cannot be used; `params` names file, line, field and rule. Nothing of it was taken."""

    code = "core-file-unreadable"
    status = 502
    audience = Audience.OPERATIONS


@dataclass(kw_only=True, eq=False)
class CannotOpen(CaseworkError):
    """A sealed value does not open: altered, moved, or sealed under another key."""

    code = "cannot-open"
    status = 500
    audience = Audience.OPERATIONS


@dataclass(kw_only=True, eq=False)
class SubjectShredded(CaseworkError):
    """The keys of this person were destroyed; the data cannot be read again."""

    code = "subject-shredded"
    status = 410
    audience = Audience.CALLER


@dataclass(kw_only=True, eq=False)
class SubjectLocked(CaseworkError):
    """The data of this person may only be stored (仅存储) through `params.until`: a law keeps them, no purpose does."""

    code = "subject-locked"
    status = 409
    audience = Audience.CALLER


@dataclass(kw_only=True, eq=False)
class CustomerMovedOut(CaseworkError):
    """The relation with this customer went to another company on `params.since`: nothing of the record changes."""

    code = "customer-moved-out"
    status = 409
    audience = Audience.CALLER


@dataclass(kw_only=True, eq=False)
class SuiteHeldByTransfer(CaseworkError):
    """The transfer `params.job` has `params.waves` waves that can be put back: nothing is sealed anew meanwhile."""

    code = "suite-held-by-transfer"
    status = 409
    audience = Audience.CALLER


@dataclass(kw_only=True, eq=False)
class SuiteChangeUnderWay(CaseworkError):
    """The change of suite `params.change` is under way: no wave of a transfer begins meanwhile."""

    code = "suite-change-under-way"
    status = 409
    audience = Audience.CALLER


@dataclass(kw_only=True, eq=False)
class BatchFileRefused(CaseworkError):
    """The whole file of a batch is refused (`params.because`): too large, a bomb, formulas, another form."""

    code = "batch-file-refused"
    status = 422
    audience = Audience.CALLER


@dataclass(kw_only=True, eq=False)
class BatchFileKnown(CaseworkError):
    """The same bytes are the file of the run `params.run`: a file is never taken twice."""

    code = "batch-file-known"
    status = 409
    audience = Audience.CALLER


@dataclass(kw_only=True, eq=False)
class LayoutUnknown(CaseworkError):
    """There is no record layout `params.layout` in `params.version`."""

    code = "layout-unknown"
    status = 422
    audience = Audience.CALLER


@dataclass(kw_only=True, eq=False)
class CohortFrozen(CaseworkError):
    """The cohort is part of what is approved; nothing of it changes."""

    code = "cohort-frozen"
    status = 409
    audience = Audience.CALLER


@dataclass(kw_only=True, eq=False)
class FundingShort(CaseworkError):
    """The client's account has `params.availableMinor` free where the batch needs `params.neededMinor`."""

    code = "funding-short"
    status = 409
    audience = Audience.CALLER


@dataclass(kw_only=True, eq=False)
class RuleSetNotTested(CaseworkError):
    """A version of a rule set is proposed once its sample has hit what is expected."""

    code = "rule-set-not-tested"
    status = 409
    audience = Audience.CALLER


@dataclass(kw_only=True, eq=False)
class ClaimUnderWay(CaseworkError):
    """An order for the same claim is open in the run `params.run`: nothing is collected twice."""

    code = "claim-under-way"
    status = 409
    audience = Audience.CALLER


@dataclass(kw_only=True, eq=False)
class UnsafeSetting(CaseworkError):
    """A setting that production refuses; `detail` names it and the fix."""

    code = "unsafe-setting"
    status = 500
    audience = Audience.OPERATIONS


@dataclass(kw_only=True, eq=False)
class SchemaNewer(CaseworkError):
    """The database was written by a newer version of the product."""

    code = "schema-newer"
    status = 500
    audience = Audience.OPERATIONS
