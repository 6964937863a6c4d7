"""Notices before or after moving, what comes back of them, and the old store (告知、回访)."""

from models.contracts.transfer_job import JobRead
from models.domain.states import Gate
from models.domain.transfers.states import JobStage
from workflows.ports.transfers import NoticePort
from workflows.transfers.desk import JobDesk


class TellingStages(JobDesk):
    """Notify and follow up."""

    async def notify_first(self) -> None:
        """The class wants consent: nobody is moved before the gate is open (单独同意)."""
        await self._tell()
        await self.pass_gate(Gate.TRANSFER_NOTIFY)
        await self.enter(JobStage.UPDATING)

    async def notify(self) -> None:
        """Everybody who was moved is told, if that was not done before."""
        read = await self.read()
        if not read.consent_first:
            await self._tell()
            if read.tells:
                await self.pass_gate(Gate.TRANSFER_NOTIFY)
        await self.enter(JobStage.FOLLOWING_UP)

    async def follow_up(self) -> None:
        """Bounces, objections and corrections are settled, the old store is locked or deleted (割接后)."""
        await self.until_settled("transfers.follow_ups_open", NoticePort.follow_ups_open)
        await self.pass_gate(Gate.TRANSFER_AFTER_CUT_OVER)
        await self.enter(JobStage.AUDITING)

    async def _tell(self) -> None:
        """One notice each, channel after channel; the public notice last, for whom none has reached."""
        await self.walk("transfers.plan_notices", NoticePort.plan_notices)
        published, waited, looks = "transfers.publish_notice", f"receipts-waited-s/{self._stage}", 0
        before: int | None = None
        while True:
            await self._send_round()
            left = await self.bulk_call("transfers.notices_left", NoticePort.notices_left, self._job)
            if not left.left:
                return
            if left.left != before:  # receipts come in: more of them may lie there soon
                looks, before = 0, left.left
            if left.due_in_s is not None:
                looks += 1
                await self.rest(looks, due_in_s=left.due_in_s)
            elif published in self._done:
                looks += 1
                await self.rest(looks)
            elif (wait := (read := await self.read()).receipt_wait_s - self._rounds.get(waited, 0)) > 0:
                looks += 1
                self._rounds[waited] = self._rounds.get(waited, 0) + await self._wait_for_receipts(looks, wait, read)
            else:
                await self.once(published, NoticePort.publish_notice)
                looks = 0
            await self.heed()

    async def _send_round(self) -> None:
        """Hand over everything that is due now."""
        name = "transfers.send_notices"
        await self.walk(name, NoticePort.send_notices)
        self.forget(name)

    async def _wait_for_receipts(self, looks: int, left_s: int, begun: JobRead) -> int:
        """Rest, but no longer than receipts are waited for; returns how long that was, in seconds.

        By the clock of the records: the workflow's own shows another time in a replay that goes over a slow local step.
        """
        await self.rest(looks, due_in_s=left_s)
        return max(0, (await self.read()).at_s - begun.at_s)
