"""What of a job its notices need: duty, policy and words, read once for a part of the work."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from compliance.audit.deeds import Deed
from models.database.engine import Database
from models.domain.transfers.notice_facts import LANGUAGES, Duty, duty_of, notice_facts
from models.domain.transfers.notice_policy import NoticePolicy, Way, notice_policy
from models.queries.transfers.notices import texts_of_job
from models.tables.tenants import Tenant
from models.tables.transfer_telling import TransferNoticeText
from models.tables.transfers import TransferJob
from models.texts.transfer_notices import TransferWords, transfer_words

ACTOR = "workflow"


@dataclass(frozen=True, kw_only=True, slots=True)
class NoticeJob:
    """A job as its notices see it.

    Attributes:
        is_sandbox: nobody lives there; no hour is too late.
        texts: the words as they are kept, by language and channel; empty before they are planned.
    """

    job: TransferJob
    duty: Duty
    policy: NoticePolicy
    is_sandbox: bool
    texts: Mapping[tuple[str, str], TransferNoticeText]

    @property
    def is_published(self) -> bool:
        """Whether the public notice is out."""
        return any(each.published_at is not None for each in self.texts.values())

    def may_rouse(self, way: Way, now: datetime) -> datetime:
        """`now`, or when the quiet hours end."""
        return now if self.is_sandbox else self.policy.may_rouse(way, now)


def read_job(database: Database, token: str) -> NoticeJob:
    """Read a job; blocking.

    Raises:
        PlanFault: the plan's figures for notices cannot be used.
    """
    with database.read() as session:
        job = session.get_one(TransferJob, token)
        tenant = session.get_one(Tenant, job.tenant)
        texts = texts_of_job(session, token)
    return NoticeJob(
        job=job,
        duty=duty_of(job.classes, job.facts),
        policy=notice_policy(job.plan),
        is_sandbox=tenant.sandbox,
        texts=texts,
    )


def words_of_job(database: Database, about: NoticeJob) -> list[TransferWords]:
    """The words of every channel and language, as the plan gives them; blocking.

    Raises:
        PlanFault: an item that the law demands is missing, or something advertises.
    """
    job = about.job
    with database.read() as session:
        recipient = session.get_one(Tenant, job.tenant).name
        source = session.get_one(Tenant, job.source_tenant).name if job.source_tenant is not None else recipient
    made = []
    for language in LANGUAGES:
        facts = notice_facts(job.plan, source=source, recipient=recipient, language=language, duty=about.duty)
        made += [
            transfer_words(about.duty, facts, way=way, language=language, consent_days=about.policy.consent_days)
            # The words of a mail are those of the page behind the link, whether or not mail is sent.
            for way in dict.fromkeys((*about.policy.channels, Way.EMAIL, Way.PUBLIC))
        ]
    return made


def deed_of(job: TransferJob, action: str, now: datetime, **facts: object) -> Deed:
    """A deed of the job's notices."""
    return Deed(tenant=job.tenant, action=action, target=job.token, actor=ACTOR, at=now, facts=dict(facts))
