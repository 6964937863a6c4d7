"""Staff who keep the registers, and what they send."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from models.domain.roles import Role
from models.tables.staff import Staff
from tests.support.api import Office

ITEMS = ("handler", "contacts", "purpose", "method", "data-kinds", "retention", "rights", "necessity", "effect")


@dataclass
class RegisterDesk:
    """Two privacy officers, somebody of the business, and an auditor of one institution; all see every branch."""

    office: Office
    officer: Staff
    second: Staff
    business: Staff
    auditor: Staff
    sent: int = 0

    async def call(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        by: Staff | None = None,
        version: int | None = None,
        locale: str = "en",
        key: str | None = None,
    ) -> httpx.Response:
        """Under a fresh key unless one is named; without staff, as the customer."""
        self.sent += 1
        headers = {"Idempotency-Key": key or f"k{self.sent}", "Accept-Language": locale}
        if version is not None:
            headers["If-Match"] = f'"v{version}"'
        async with self.office.client(by) as client:
            return await client.request(method, path, json=body, headers=headers)

    async def done(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """The same; it must succeed."""
        answer = await self.call(*args, **kwargs)
        assert answer.is_success, answer.text
        told: dict[str, Any] = answer.json()
        return told

    async def published(self, body: Mapping[str, Any], *, drafted_by: Staff | None = None) -> dict[str, Any]:
        """A text that two persons have brought to publication."""
        draft = await self.done("POST", "/v1/text-drafts", body, by=drafted_by or self.business)
        path = f"/v1/text-drafts/{draft['id']}"
        shown = await self.done("POST", f"{path}/submission", by=drafted_by or self.business, version=1)
        return await self.done("POST", f"{path}/publication", {"shownHash": shown["shownHash"]}, by=self.officer)


def register_desk(office: Office) -> RegisterDesk:
    """The people."""
    return RegisterDesk(
        office=office,
        officer=office.staff("privacy", Role.PRIVACY_OFFICER, branch="*"),
        second=office.staff("privacy2", Role.PRIVACY_OFFICER, branch="*"),
        business=office.staff("business", Role.APPROVER, branch="*"),
        auditor=office.staff("auditor", Role.AUDITOR, branch="*"),
    )


def consent_text(version: str = "2027-01", kind: str = "credit-report-query", **changes: Any) -> dict[str, Any]:
    """A text of a purpose of consent."""
    words = {
        "zh": f"本人同意贵行查询本人的个人信用报告。版本 {version}。",
        "en": f"I consent to a credit query. {version}.",
    }
    return {"kind": kind, "version": version, "material": True, "text": words} | changes


def notice_text(version: str = "privacy-notice/2027-01", **changes: Any) -> dict[str, Any]:
    """A notice about personal data with every heading."""
    items = {name: {"zh": f"告知内容：{name}。", "en": f"What is told: {name}."} for name in ITEMS}
    notice = {"basis": "contract", "items": items, "sensitiveData": ["financial-account", "medical"]}
    return {"kind": "privacy-notice", "version": version, "material": False, "notice": notice} | changes
