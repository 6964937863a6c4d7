"""Shapes of transfer jobs (公司转让后的客户信息变更): what is sent, and what is told."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from api.bodies import Answer, Body, Instant, Sha256Hex, ShortCode, Token
from api.tasks.views import PermitAnswer
from models.domain.transfers.plan import MAX_PLAN_BYTES
from models.queries.transfers.job_search import MAX_PAGE, JobSort

_Reference = Annotated[str, Field(pattern=r"\A[A-Za-z0-9][A-Za-z0-9._/-]{0,119}\Z")]
_PlanText = Annotated[str, Field(min_length=1, max_length=MAX_PLAN_BYTES)]


class PlanBody(Body):
    """A plan as JSON, or as the text of a TOML file; exactly one of both."""

    plan: dict[str, Any] | None = None
    plan_toml: _PlanText | None = None


class NewJobBody(PlanBody):
    """The legal event, whose book the customers come from, and the plan."""

    source_tenant: Annotated[str, Field(pattern=r"\A[a-z][a-z0-9-]{1,15}\Z")] | None = None  # None: files only
    transferred: Literal["customer-company", "institution", "portfolio"]
    transfer_event: Literal["share-transfer", "merger", "division", "asset-sale", "dissolution", "bankruptcy"]
    recipient_abroad: bool = False


class JobSearchBody(Body):
    """A page of the transfer jobs that the institution receives or gives.

    `filter`: members `stage`, `class`, `state`, `side`, `sourceTenant`, `targetTenant`, `createdAt`, `updatedAt`,
    `endedAt`; each a literal or an object of the operators `$eq $neq $in $notIn $gt $gte $lt $lte $exists` that fit it.
    All must hold; an unknown member or operator is refused. `state` is `running`, `paused` or how the job ended, and
    `open` stands for the first two; `side` is `target` where the institution receives. `cursor` is `nextCursor` of a
    page in the same order. Without `facets` the answer has no counts.
    """

    filter: dict[str, Any] = Field(default_factory=dict)
    sort: JobSort = JobSort.CREATED_DESC
    limit: Annotated[int, Field(ge=1, le=MAX_PAGE)] = 50
    cursor: Annotated[str, Field(max_length=600)] | None = None
    facets: bool = True


class ReferenceBody(Body):
    """Evidence that is kept elsewhere: where, and the SHA-256 of the document."""

    kind: ShortCode
    reference: _Reference
    digest: Sha256Hex


class FactBody(Body):
    """A fact for the rules that no record tells, of the type that the rules expect, and the evidence it rests on."""

    value: bool | int | str | list[ShortCode]
    evidence: Token | None = None


class WishBody(Body):
    """Why."""

    reason_code: Literal["transfer-called-off", "opened-by-mistake", "risk-not-covered"]


class RollbackBody(Body):
    """Which wave is to be put back; none: the whole job."""

    wave: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    reason_code: Literal["error-rate", "wrong-mapping", "source-wrong", "transfer-called-off"]


class GrantBody(Body):
    """Who has passed which course, when, and until when that is good."""

    staff_id: Token
    course: ShortCode
    passed_at: Instant
    valid_until: Instant
    is_sponsor: bool = False


class ApprovalAnswer(Answer):
    """One company's approval of the plan in force."""

    side: str
    tenant: str
    by: str
    at: datetime


class JobAnswer(Answer):
    """A job as it stands. `allowedActions` says what the caller may do, and why not."""

    job: str
    tenant: str
    source_tenant: str | None
    classes: list[str]
    stage: str
    stage_text: str
    outcome: str | None
    reason_code: str | None
    paused: bool
    cancel_asked: bool
    plan: dict[str, Any]
    plan_hash: str
    plan_version: int
    approvals: list[ApprovalAnswer]
    facts: dict[str, Any]
    counts: dict[str, Any]
    error_budget: int
    created_by: str
    created_at: datetime
    updated_at: datetime
    ended_at: datetime | None
    version: int
    allowed_actions: dict[str, PermitAnswer]


class JobItem(Answer):
    """A job in a list."""

    job: str
    source_tenant: str | None
    classes: list[str]
    stage: str
    stage_text: str
    outcome: str | None
    paused: bool
    created_at: datetime
    ended_at: datetime | None


class JobPage(Answer):
    """Jobs, newest first; `endCursor` is null on the last page."""

    items: list[JobItem]
    end_cursor: str | None


class JobFacetsAnswer(Answer):
    """Exact counts over all that was found, not over the page. A job of two classes counts in both."""

    stage: dict[str, int]
    classes: dict[str, int]
    state: dict[str, int]
    side: dict[str, int]


class JobSearchAnswer(Answer):
    """A page of jobs. `total` and `facets` are of the same moment as the items; `nextCursor` is null on the last."""

    items: list[JobItem]
    total: int | None
    facets: JobFacetsAnswer | None
    next_cursor: str | None


class PlanVersionAnswer(Answer):
    """One version of a plan, and who wrote it."""

    number: int
    plan_hash: str
    plan: dict[str, Any]
    made_by: str
    made_at: datetime


class PlanVersionList(Answer):
    """All versions, newest first."""

    items: list[PlanVersionAnswer]


class PlanTemplate(Answer):
    """A plan to fill in, as a file and as JSON."""

    classes: list[str]
    cutover_on: date
    toml: str
    plan: dict[str, Any]


class EvidenceAnswer(Answer):
    """Evidence on file: a sealed document, or the reference and hash of one."""

    id: str
    kind: str
    digest: str
    reference: str | None
    media_type: str | None
    size_bytes: int | None
    added_by: str
    added_at: datetime


class EvidenceList(Answer):
    """All evidence of a job, and the kinds that its classes ask for and that are not on file."""

    items: list[EvidenceAnswer]
    missing: list[str]


class FactAnswer(Answer):
    """A statement that stands."""

    name: str
    value: Any
    evidence: str | None


class RollbackAnswer(Answer):
    """A request for a rollback; a second person decides in the inbox."""

    id: str
    wave: int | None
    state: str
    reason_code: str
    asked_by: str
    asked_at: datetime
    done_at: datetime | None


class RollbackList(Answer):
    """Requests, newest first."""

    items: list[RollbackAnswer]


class JobProgress(Answer):
    """How far a job is: its stage, its rows, its waves, what waits.

    `departures`: rows that have moved, how many of them left the giving company's book, and how many it does not know.
    """

    job: str
    stage: str
    outcome: str | None
    paused: bool
    stages_done: int
    stages: int
    rows: dict[str, int]
    waves: dict[str, int]
    departures: dict[str, int]


class GrantAnswer(Answer):
    """A training grant."""

    id: str
    staff_id: str
    course: str
    passed_at: datetime
    valid_until: datetime
    is_sponsor: bool
    granted_by: str
    revoked_at: datetime | None


class GrantList(Answer):
    """The grants of a job."""

    items: list[GrantAnswer]
