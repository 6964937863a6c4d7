"""Who approves in the portfolio: an approver with little authority, and a senior for what lies above it."""

from dataclasses import dataclass
from typing import Final

from deploy.demo.office import Actor, Office
from models.domain.roles import Role
from models.domain.tokens import new_token

_LOGIN: Final = "demo.approver"
_ANY_BRANCH: Final = "*"
AMOUNT_MINOR: Final = 10_000_000  # 100,000.00
CONCESSION_BPS: Final = 600
SENIOR_CONCESSION_BPS: Final = 1_500
"""Nothing is chosen that even the senior would not approve; the account itself may concede more."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Approvers:
    """Two persons with the role of an approver."""

    first: Actor
    senior: Actor


async def hire_approvers(office: Office) -> Approvers:
    """One administrator makes the first approver, another confirms role and authority; the senior is there already.

    Raises:
        Unexpected: the API refused it.
    """
    first = Actor(office.line, office.officer.tenant, _LOGIN, new_token("demo"))
    body = {"login": first.login, "name": "审批人（小额）", "branch": _ANY_BRANCH, "initialPassword": first.password}
    made = (await office.admin.call("POST", "/v1/staff", json=body, headers=_key())).json()
    proposal = {
        "roles": [Role.APPROVER],
        "authorityAmountMinor": AMOUNT_MINOR,
        "authorityConcessionBps": CONCESSION_BPS,
        "staffVersion": made["version"],
    }
    path = f"/v1/staff/{made['id']}/role-changes"
    change = (await office.admin.call("POST", path, json=proposal, headers=_key())).json()
    confirmation = f"/v1/role-changes/{change['id']}/confirmation"
    await office.second_admin.call("POST", confirmation, json={"shownHash": change["shownHash"]})
    await first.log_in()
    chosen = new_token("demo") + new_token("demo")
    passwords = {"currentPassword": first.password, "newPassword": chosen}
    await first.call("PUT", "/v1/me/password", json=passwords)
    first.password = chosen
    await first.log_in()
    return Approvers(first=first, senior=office.approver)


def _key() -> dict[str, str]:
    return {"Idempotency-Key": new_token("demo")}
