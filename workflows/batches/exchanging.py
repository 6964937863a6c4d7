"""Files out and replies in (送盘、回盘): cut-off and bank days, retries, and the term of late returns."""

from models.contracts.batch_steps import FilesSent, RepliesTaken
from models.domain.batches.states import RunStage
from models.domain.states import Gate
from workflows.batches.desk import RunDesk
from workflows.ports.batches import BankPort


class ExchangingStages(RunDesk):
    """The stages in which the bank is told, and heard."""

    async def send(self) -> None:
        """Nothing leaves before the rules of the export are satisfied; then every file, each once."""
        await self.pass_gate(Gate.BATCH_EXPORT)
        await self._send_files()
        await self.enter_next()

    async def _send_files(self) -> None:
        """Until nothing waits: a file that is too late for today's cut-off leaves on the next bank day."""
        looks = 0
        while True:
            sent: FilesSent = await self.bulk_call("batches.send_files", BankPort.send_files, self._run)
            if sent.paused:
                await self.while_paused()
            elif sent.stopped is not None:
                await self.decide_about_breaker(sent.stopped)
            elif sent.due_in_s is None:
                return
            else:
                looks += 1
                await self.rest(looks, due_in_s=sent.due_in_s)
                await self.heed()

    async def await_replies(self) -> None:
        """Until every order has its answer and no money can come back any more.

        Answers are taken while the run is paused, too: what the bank has done is done. Only retries wait.
        """
        read = await self.read()
        while True:
            taken: RepliesTaken = await self.bulk_call("batches.take_replies", BankPort.take_replies, self._run)
            if taken.stopped is not None and not self._stopping:
                await self.decide_about_breaker(taken.stopped)
                continue
            if not taken.open_orders:
                break
            self._waits += 1
            if taken.retries and read.has_retries and not self._stopping:
                await self.walk("batches.make_retries", BankPort.make_retries, again=str(self._waits))
                await self._send_files()
            await self.rest(self._waits, due_in_s=taken.due_in_s)
            await self.heed()
        await self.enter(RunStage.RECONCILING)
