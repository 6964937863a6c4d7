"""The public notice (公告), for those whom no channel reached: published once, as a page that anybody can read.

It names institutions and kinds of data, never a customer. A copy goes into the exchange, for the bank's own site and
for the newspaper; the words, their hash and the time stand in the records.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import col, update

from activities.gateways.spool import Spool
from compliance.audit.unit import Unchanged, unit_of_work
from compliance.transfers.notice_job import NoticeJob, deed_of, read_job
from compliance.transfers.public_page import public_page
from models.database.engine import Database
from models.domain.clock import Clock
from models.domain.transfers.notice_facts import LANGUAGES
from models.domain.transfers.notice_policy import Way
from models.tables.transfer_telling import TransferNoticeText


@dataclass(frozen=True, slots=True)
class Publishing:
    """Publishes. `folder` lies in the exchange; None keeps the records' copy only."""

    database: Database
    clock: Clock
    folder: Spool | None = None

    def publish(self, job: str) -> bool:
        """Publish the notice of a job; repeatable. False: nobody need be told, and there is none.

        Raises:
            GatewayUnavailable: the exchange cannot be written.
        """
        about = read_job(self.database, job)
        if about.duty.kind is None or not about.texts:
            return False
        public = [about.texts[language, Way.PUBLIC.value] for language in LANGUAGES]
        now = min((each.published_at for each in public if each.published_at is not None), default=self.clock())
        self._copy(about, public, now)
        deed = deed_of(
            about.job, "transfer.public-notice", now, hashes={each.language: each.text_hash for each in public}
        )
        with unit_of_work(self.database, deed) as unit:
            published = unit.session.exec(
                update(TransferNoticeText)
                .where(
                    col(TransferNoticeText.id).in_([each.id for each in public]),
                    col(TransferNoticeText.published_at).is_(None),
                )
                .values(published_at=now)
                .execution_options(synchronize_session=False)
            )
            if not published.rowcount:
                raise Unchanged
        return True

    def _copy(self, about: NoticeJob, public: list[TransferNoticeText], now: datetime) -> None:
        if self.folder is None:
            return
        for each in public:
            name = f"public-notice-{about.job.token.partition('.')[2]}-{each.language}.html"
            self.folder.keep(name, public_page(each, now).encode())
