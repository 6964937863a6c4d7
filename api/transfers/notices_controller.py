"""A job's notices for staff (告知台账): figures, who is not told, one customer's proof, the words; public notices."""

from typing import Annotated, Final

from litestar import Controller, Response, get
from litestar.params import FromPath, QueryParameter
from pydantic import Field
from sqlmodel import col, func, select

from api.bodies import known_token
from api.deps import Deps, Locale
from api.identity.authenticate import requires
from api.identity.principal import Caller
from api.transfers.lookup import read_job
from api.transfers.notices_bodies import (
    AttemptAnswer,
    FollowUpFigure,
    NoticeAnswer,
    NoticeFigure,
    NoticeFigures,
    NoticePage,
    NoticeProof,
    NoticeTextAnswer,
    NoticeTexts,
)
from api.wording import worded
from compliance.transfers import notice_job
from compliance.transfers.public_page import public_page
from models.domain.roles import Permission
from models.domain.transfers.notice_policy import Way
from models.domain.transfers.states import TOLD
from models.errors import NotFound
from models.operations.transfers.consents import register_figures
from models.operations.transfers.follow_ups import figures_of
from models.queries.transfers.notices import attempts_of, figures, left_of_job, notice_of_row, texts_of_job, untold
from models.tables.transfer_notices import TransferNotice, TransferNoticeAttempt
from models.tables.transfer_telling import TransferNoticeText, TransferRating

_PAGE: Final = 100
_READ: Final = [requires(Permission.REGISTERS_READ)]


class TransferNoticeController(Controller):
    """Notices of a job of the caller's institution."""

    path = "/v1/transfers/{job:str}/notices"
    tags = ("Transfers",)

    @get("/", guards=_READ, sync_to_thread=True, operation_id="GetTransferNotices")
    def totals(self, job: FromPath[str], deps: Deps, principal: Caller, locale: Locale) -> NoticeFigures:
        """Customers by state, channel and consent; what is left; follow-ups; ratings."""
        found = read_job(deps, principal, job)
        about = notice_job.read_job(deps.database, found.token)
        with deps.database.read() as session:
            rows = figures(session, found.token)
            left = left_of_job(session, found.token, consent_days=about.policy.consent_days)
            follow_ups, consents = figures_of(session, found.token), register_figures(session, found.token)
            ratings = session.exec(
                select(col(TransferRating.score), func.count())
                .where(col(TransferRating.job) == found.token)
                .group_by(col(TransferRating.score))
            ).all()
        return NoticeFigures(
            customers=sum(count for *_, count in rows) + left.unplanned,
            told=sum(count for state, _, _, count in rows if state in TOLD),
            left=left.count,
            due_at=left.next_at,
            published_at=next((each.published_at for each in about.texts.values() if each.published_at), None),
            by_state=[_figure(*row, locale=locale) for row in rows],
            follow_ups=[
                FollowUpFigure(
                    kind=kind,
                    kind_text=worded(f"follow-up-subject.{kind}", locale),
                    state=state,
                    answer=answer,
                    count=count,
                )
                for kind, state, answer, count in follow_ups
            ],
            consents=consents,
            ratings={str(score): count for score, count in ratings},
        )

    @get("/untold", guards=_READ, sync_to_thread=True, operation_id="ListUntoldCustomers")
    def list_untold(
        self,
        *,
        job: FromPath[str],
        deps: Deps,
        principal: Caller,
        locale: Locale,
        after: Annotated[Annotated[int, Field(ge=0)] | None, QueryParameter(name="after")] = None,
    ) -> NoticePage:
        """Customers in no final state, by row, a hundred at a time; `after` is `endCursor` of the page before."""
        found = read_job(deps, principal, job)
        with deps.database.read() as session:
            rows = untold(session, found.token, after=after or 0, limit=_PAGE + 1)
        page = rows[:_PAGE]
        return NoticePage(
            items=[NoticeAnswer(**_notice(row, locale)) for row in page],
            end_cursor=str(page[-1].row_number) if len(rows) > _PAGE else None,
        )

    @get("/texts", guards=_READ, sync_to_thread=True, operation_id="GetTransferTexts")
    def texts(self, job: FromPath[str], deps: Deps, principal: Caller) -> NoticeTexts:
        """The words of every channel and language, with their hashes."""
        found = read_job(deps, principal, job)
        with deps.database.read() as session:
            kept = texts_of_job(session, found.token)
        return NoticeTexts(items=[_text(kept[key]) for key in sorted(kept)])

    @get("/{row:int}", guards=_READ, sync_to_thread=True, operation_id="GetTransferNoticeProof")
    def proof(
        self, job: FromPath[str], row: FromPath[int], deps: Deps, principal: Caller, locale: Locale
    ) -> NoticeProof:
        """How one customer was told: every attempt, and the proof."""
        found = read_job(deps, principal, job)
        with deps.database.read() as session:
            notice = notice_of_row(session, found.token, row) if row < 2**63 else None  # no column holds more
            tries = attempts_of(session, notice.id) if notice is not None else []
        if notice is None:
            raise NotFound
        return NoticeProof(
            **_notice(notice, locale),
            language=notice.language,
            text_version=notice.text_version,
            text_hash=notice.evidence.get("text_hash"),
            evidence=notice.evidence,
            tries=[_attempt(each, locale) for each in tries],
        )


class PublicNoticeController(Controller):
    """Public notices (公告): anybody may read them; they name no customer."""

    path = "/v1/public-notices"
    tags = ("Transfers",)

    @get("/{text_id:str}", opt={"public": True}, sync_to_thread=True, operation_id="ReadPublicNotice")
    def read(self, text_id: FromPath[str], deps: Deps) -> Response[str]:
        """The page of one language, as it was published."""
        with deps.database.read() as session:
            text = session.get(TransferNoticeText, known_token(text_id))
        if text is None or text.channel != Way.PUBLIC or text.published_at is None:
            raise NotFound
        return Response(public_page(text, text.published_at), media_type="text/html; charset=utf-8")


def _figure(state: str, channel: str | None, consent: str | None, count: int, *, locale: str) -> NoticeFigure:
    return NoticeFigure(
        state=state,
        state_text=worded(f"transfer-notice-state.{state}", locale),
        channel=channel,
        channel_text=worded(f"transfer-notice-channel.{channel}", locale) if channel is not None else None,
        consent=consent,
        count=count,
    )


def _notice(row: TransferNotice, locale: str) -> dict[str, object]:
    return {
        "row": row.row_number,
        "state": row.state,
        "state_text": worded(f"transfer-notice-state.{row.state}", locale),
        "channel": row.channel,
        "consent": row.consent,
        "attempts": row.attempts,
        "due_at": row.due_at,
        "told_at": row.told_at,
    }


def _attempt(row: TransferNoticeAttempt, locale: str) -> AttemptAnswer:
    return AttemptAnswer(
        number=row.number,
        channel=row.channel,
        channel_text=worded(f"transfer-notice-channel.{row.channel}", locale),
        state=row.state,
        reason_code=row.reason_code,
        at=row.at,
        settled_at=row.settled_at,
    )


def _text(row: TransferNoticeText) -> NoticeTextAnswer:
    return NoticeTextAnswer(
        language=row.language,
        channel=row.channel,
        version=row.version,
        text_hash=row.text_hash,
        subject=row.subject,
        words=row.words,
        published_at=row.published_at,
    )
