"""The people of the demo: each is one account that speaks HTTP like anyone, and remembers every problem it was told."""

import asyncio
import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx

from models.domain.roles import Role
from models.domain.tokens import new_token

_FRESH: Final = "fresh-login-required"
_UNAUTHENTICATED: Final = 401
_PROBLEM: Final = 400
_UNAVAILABLE: Final = 503
_CONFLICT: Final = 409
_IN_FLIGHT: Final = "idempotency-in-flight"
_TRIES: Final = 40
_PAUSE_SECONDS: Final = 0.1
_ANY_BRANCH: Final = "*"
_AUTHORITY_MINOR: Final = 100_000_000
_AUTHORITY_BPS: Final = 1_000


class Unexpected(Exception):
    """The API answered something the demo did not plan; the text is the status and the problem's code."""


@dataclass(slots=True)
class Line:
    """The line to the API. With `patience_seconds` a request that got no answer is sent again, as it was, key and all.

    "Not now" (503) and "the first request under this key is still under way" (409) are no answers.

    Attributes:
        problems: the bodies of all refusals, for the canary.
        repeats: how many requests had to be sent again.
    """

    http: httpx.AsyncClient
    patience_seconds: float = 0.0
    problems: list[bytes] = field(default_factory=list)
    repeats: int = 0

    async def request(self, method: str, path: str, **request: Any) -> httpx.Response:
        """One request, until there is an answer.

        Raises:
            httpx.TransportError: nobody answered within the patience.
        """
        deadline = time.monotonic() + self.patience_seconds
        while True:
            try:
                answer = await self.http.request(method, path, **request)
            except httpx.TransportError:
                if time.monotonic() >= deadline:
                    raise
            else:
                if answer.status_code >= _PROBLEM:
                    self.problems.append(answer.content + str(answer.headers).encode())
                if not _is_for_later(answer) or time.monotonic() >= deadline:
                    return answer
            self.repeats += 1
            await asyncio.sleep(_PAUSE_SECONDS)


@dataclass(slots=True)
class Actor:
    """One account."""

    line: Line
    tenant: str
    login: str
    password: str
    token: str = ""
    entering: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def log_in(self) -> None:
        """Give the password (again)."""
        body = {"tenant": self.tenant, "login": self.login, "password": self.password}
        answer = await self.line.request("POST", "/v1/sessions", json=body)
        if answer.is_error:
            raise Unexpected(f"log-in of {self.login}: {answer.status_code}")
        self.token = answer.json()["accessToken"]

    async def call(
        self, method: str, path: str, *, expect: tuple[int, ...] = (200, 201, 202, 204), **request: Any
    ) -> httpx.Response:
        """Call the API; who has not logged in does it now, an ended or too old log-in is renewed once.

        Raises:
            Unexpected: another status than expected.
        """
        await self._be_known()
        answer = await self._call(method, path, **request)
        if answer.status_code == _UNAUTHENTICATED:
            async with self.entering:
                await self.log_in()
            answer = await self._call(method, path, **request)
        if answer.status_code not in expect:
            raise Unexpected(f"{method} {path.partition('?')[0]}: {answer.status_code} {_code(answer)}")
        return answer

    async def decide(self, task_id: str, form: dict[str, Any]) -> httpx.Response:
        """Read the task, then decide what it shows; read it again if somebody was faster.

        Raises:
            Unexpected: the decision is refused.
        """
        for _ in range(_TRIES):
            task = await self.call("GET", f"/v1/tasks/{task_id}")
            headers = {"If-Match": task.headers["ETag"], "Idempotency-Key": new_token("demo")}
            body = form | {"shownHash": task.json()["shownHash"]}
            answer = await self.call(
                "POST", f"/v1/tasks/{task_id}/decisions", json=body, headers=headers, expect=(201, 202, 409, 412)
            )
            if answer.status_code < _PROBLEM:
                return answer
            await asyncio.sleep(_PAUSE_SECONDS)
        raise Unexpected(f"task {task_id}: {answer.status_code} {_code(answer)}")

    async def _be_known(self) -> None:
        if self.token:
            return
        async with self.entering:
            if not self.token:
                await self.log_in()

    async def _call(self, method: str, path: str, **request: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.token}", "Accept-Language": "zh-CN"} | request.pop("headers", {})
        return await self.line.request(method, path, headers=headers, **request)


@dataclass(slots=True)
class Office:
    """Everybody, by role."""

    officer: Actor
    approver: Actor
    operator: Actor
    second_operator: Actor
    auditor: Actor
    admin: Actor
    second_admin: Actor
    senior: Actor
    line: Line

    def for_role(self, role: str) -> Actor:
        """Who works on tasks meant for a role."""
        return {Role.CASE_OFFICER.value: self.officer, Role.APPROVER.value: self.approver}.get(role, self.operator)

    async def log_in(self) -> None:
        """Everybody comes to work."""
        everybody = (self.officer, self.approver, self.operator, self.second_operator, self.auditor)
        for actor in (*everybody, self.admin, self.second_admin):
            await actor.log_in()

    async def hire_senior(self) -> None:
        """A senior who is officer and approver at once, made by two administrators: to try four-eyes with."""
        body = {"login": self.senior.login, "name": "高级经理", "branch": _ANY_BRANCH}
        first = {"initialPassword": self.senior.password}
        made = (await self.admin.call("POST", "/v1/staff", json=body | first, headers=_key())).json()
        proposal = {
            "roles": [Role.CASE_OFFICER, Role.APPROVER],
            "authorityAmountMinor": _AUTHORITY_MINOR,
            "authorityConcessionBps": _AUTHORITY_BPS,
            "staffVersion": made["version"],
        }
        path = f"/v1/staff/{made['id']}/role-changes"
        change = (await self.admin.call("POST", path, json=proposal, headers=_key())).json()
        shown = {"shownHash": change["shownHash"]}
        confirmation = f"/v1/role-changes/{change['id']}/confirmation"
        await self.admin.call("POST", confirmation, json=shown, expect=(403,))  # who proposed cannot confirm
        await self.second_admin.call("POST", confirmation, json=shown)
        await self.senior.log_in()
        chosen = new_token("demo") + new_token("demo")
        passwords = {"currentPassword": self.senior.password, "newPassword": chosen}
        await self.senior.call("PUT", "/v1/me/password", json=passwords)
        self.senior.password = chosen
        await self.senior.log_in()


def open_office(line: Line, login_file: Path) -> Office:
    """The development accounts that `casework up` made."""
    accounts = json.loads(login_file.read_text(encoding="utf-8"))

    def actor(login: str) -> Actor:
        return Actor(line, accounts["tenant"], login, accounts["password"])

    return Office(
        officer=actor("dev.officer"),
        approver=actor("dev.approver"),
        operator=actor("dev.operator"),
        second_operator=actor("dev.operator2"),
        auditor=actor("dev.auditor"),
        admin=actor("dev.admin"),
        second_admin=actor("dev.admin2"),
        senior=Actor(line, accounts["tenant"], "demo.senior", new_token("demo")),
        line=line,
    )


def _key() -> dict[str, str]:
    return {"Idempotency-Key": new_token("demo")}


def _is_for_later(answer: httpx.Response) -> bool:
    if answer.status_code == _UNAVAILABLE:
        return True
    # A new key instead of this one would be a new request: only the same one can learn what became of it.
    return answer.status_code == _CONFLICT and _code(answer) == _IN_FLIGHT


def _code(answer: httpx.Response) -> str:
    """What a problem says without its texts: its code, and the fields at fault."""
    try:
        problem = answer.json()
    except ValueError:
        return "no problem body"
    faults = [f"{fault['pointer']} {fault['code']}" for fault in problem.get("errors", ())]
    return " ".join([str(problem.get("code")), *faults])
