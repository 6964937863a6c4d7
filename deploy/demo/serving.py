"""One agreement in service, as staff and customer treat it over HTTP: money by hand, changes, answers to its tasks."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final

from deploy.demo.courses import Act, Course, Deed
from deploy.demo.lives import PATH, Life
from deploy.demo.office import Unexpected
from models.domain.servicing.events import PaymentChannel, PrepaymentChoice
from models.domain.states import Outcome, TaskState, TaskType
from models.domain.tokens import new_token

_AGREEMENTS: Final = "/v1/agreements"
_FORBIDDEN: Final = 403
_FOUR_EYES: Final = "four-eyes-violation"
_TENTHS_PREPAID: Final = 3
# Whoever is late transfers the next whole hundred above what is owed: a day's late interest more must not leave a rest.
_ROUND_MINOR: Final = 10_000
_BY_MISTAKE_MINOR: Final = 30_000


@dataclass(slots=True)
class Serving:
    """An agreement and the course that it takes.

    Attributes:
        waiting: acts with their business dates, the earliest first.
        defaults: how often the approver was asked whether it is broken.
        paid_by_hand_minor: money that staff recorded and that was not taken back.
    """

    life: Life
    course: Course
    agreement: str
    waiting: list[tuple[date, Act]] = field(default_factory=list)
    defaults: int = 0
    paid_by_hand_minor: int = 0

    @classmethod
    async def of(cls, life: Life) -> "Serving":
        """The agreement that a case has come to.

        Raises:
            Unexpected: it has none.
        """
        assert life.course is not None
        told = (await life.office.officer.call("GET", f"{PATH}/{life.token}/agreement")).json()
        due = {row["no"]: date.fromisoformat(row["due"]) for row in told["rows"]}
        acts = [(due[act.row] + timedelta(days=act.days), act) for act in life.course.acts if act.row in due]
        return cls(life, life.course, told["id"], sorted(acts, key=lambda each: each[0]))

    @property
    def next_act(self) -> date | None:
        """On which business date somebody does something next."""
        return self.waiting[0][0] if self.waiting else None

    async def act_on(self, today: date) -> None:
        """Do what the course has for a business date, while it is open.

        Raises:
            Unexpected: the API refused it.
        """
        while self.waiting and self.waiting[0][0] <= today:
            _, act = self.waiting.pop(0)
            self.life.seen[act.deed] += 1
            if act.deed is Deed.PAY:
                await self._pay(today)
            elif act.deed is Deed.SETTLE:
                await self._settle(today)
            elif act.deed is Deed.TAKE_BACK:
                await self._take_back(today)
            else:
                await self._prepay(_CHOICES[act.deed])

    async def answer(self, task: dict[str, Any]) -> None:
        """Answer one open task about the agreement, unless good news makes it pointless meanwhile.

        Raises:
            Unexpected: nobody planned for such a task, or the answer was refused.
        """
        try:
            await self._answer(task)
        except Unexpected:
            now = (await self.life.office.auditor.call("GET", f"/v1/tasks/{task['id']}")).json()
            if now["state"] != TaskState.CANCELLED:
                raise
            self.life.seen["overtaken"] += 1

    async def _answer(self, task: dict[str, Any]) -> None:
        kind = TaskType(task["type"])
        self.life.seen[kind.value] += 1
        if kind is TaskType.INCIDENT_CONFIRM:
            await self.life.confirm(task)
            return
        if kind is TaskType.DEFAULT:
            said = self.course.when_default_due[min(self.defaults, len(self.course.when_default_due) - 1)]
            self.defaults += 1
            form: dict[str, Any] = {"outcome": said}
            if said is Outcome.EXTEND:
                form["reasonCode"] = "payment-on-its-way"
        elif kind in _ANSWERS:
            form = dict(_ANSWERS[kind])
        else:
            raise Unexpected(f"a task nobody planned for: {kind}")
        await self.life.decide(task, form)

    # -- money by hand -------------------------------------------------------------------------------------------------

    async def _pay(self, today: date) -> None:
        told = await self._told()
        unpaid = sum(row["unpaidMinor"] for row in told["rows"] if date.fromisoformat(row["due"]) <= today)
        amount = unpaid + told["lateMinor"] - told["creditMinor"]
        if told["daysPastDue"]:
            amount = -(-amount // _ROUND_MINOR) * _ROUND_MINOR + _ROUND_MINOR
        if amount > 0:
            await self._record(today, amount, PaymentChannel.TRANSFER)

    async def _record(self, today: date, amount_minor: int, channel: PaymentChannel) -> dict[str, Any]:
        body = _money(amount_minor, channel) | {"valueDate": today.isoformat()}
        answer = await self._post(f"{_AGREEMENTS}/{self.agreement}/payments", body)
        self.paid_by_hand_minor += amount_minor
        return answer

    async def _prepay(self, choice: PrepaymentChoice) -> None:
        told = await self._told()
        amount = told["principalLeftMinor"] * _TENTHS_PREPAID // 10
        path = f"{_AGREEMENTS}/{self.agreement}"
        options = await self._post(f"{path}/prepayment-options", {"amountMinor": amount})
        chosen = next(option for option in options["options"] if option["choice"] == choice)
        agreed_in = await self.life.upload(f"{PATH}/{self.life.token}/documents", "other")  # signed by the customer
        body = _money(amount, PaymentChannel.TRANSFER) | {
            "choice": choice,
            "optionHash": chosen["hash"],
            "agreedIn": agreed_in,
        }
        await self._post(f"{path}/prepayments", body)
        self.paid_by_hand_minor += amount

    async def _settle(self, today: date) -> None:
        quote = await self._post(f"{_AGREEMENTS}/{self.agreement}/settlement-quotes", {"asOf": today.isoformat()})
        money = _money(quote["amountMinor"], PaymentChannel.TRANSFER)
        await self._post(f"/v1/settlement-quotes/{quote['id']}/redemptions", money)
        self.paid_by_hand_minor += quote["amountMinor"]

    async def _take_back(self, today: date) -> None:
        """Record money that is somebody else's, and take it back: who asks for that cannot confirm it."""
        booked = await self._record(today, _BY_MISTAKE_MINOR, PaymentChannel.COUNTER)
        senior = self.life.office.senior
        wish = {"eventId": booked["eventId"], "reasonCode": "wrong-agreement"}
        path = f"{_AGREEMENTS}/{self.agreement}/reversals"
        asked = (await senior.call("POST", path, json=wish, headers=_key())).json()
        shown, path = {"shownHash": asked["shownHash"]}, f"/v1/reversals/{asked['id']}/confirmation"
        refused = await senior.call("POST", path, json=shown, expect=(200, _FORBIDDEN))
        self.life.seen["own-reversal-tried"] += 1
        is_refused = refused.status_code == _FORBIDDEN and refused.json()["code"] == _FOUR_EYES
        self.life.seen["own-reversal-refused"] += is_refused
        await self.life.office.approver.call("POST", path, json=shown)
        self.paid_by_hand_minor -= _BY_MISTAKE_MINOR

    async def _told(self) -> dict[str, Any]:
        told: dict[str, Any] = (
            await self.life.office.officer.call("GET", f"{PATH}/{self.life.token}/agreement")
        ).json()
        return told

    async def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = (await self.life.office.officer.call("POST", path, json=body, headers=_key())).json()
        return answer


_CHOICES: Final = {
    Deed.PREPAY_SHORTER: PrepaymentChoice.SHORTER,
    Deed.PREPAY_LOWER: PrepaymentChoice.LOWER,
}
_ANSWERS: Final[dict[TaskType, dict[str, Any]]] = {
    TaskType.MISSED: {"outcome": Outcome.CONTACTED, "reasonCode": "promised-to-pay"},
    TaskType.FOLLOW_UP: {"outcome": Outcome.REACHED, "reasonCode": "in-order"},
    TaskType.INCIDENT: {"outcome": Outcome.RETRY},
}


def _money(amount_minor: int, channel: PaymentChannel) -> dict[str, Any]:
    return {"amountMinor": amount_minor, "channel": channel, "bankReference": new_token("demo")}


def _key() -> dict[str, str]:
    return {"Idempotency-Key": new_token("demo")}
