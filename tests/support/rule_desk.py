"""Two compliance officers who settle policies and calendars over HTTP."""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from compliance.audit.deeds import Deed
from compliance.audit.unit import unit_of_work
from models.database.engine import Database
from models.domain.roles import Role
from models.domain.rule_desk import DraftKind
from models.domain.tokens import new_token
from models.operations.rule_desk import NewDraft, add_draft, decide_draft
from models.tables.staff import Staff
from tests.support.api import Office


@dataclass
class RuleDesk:
    """Maker and checker, and what they do."""

    office: Office
    maker: Staff = field(init=False)
    checker: Staff = field(init=False)
    keys: int = 0

    def __post_init__(self) -> None:
        self.maker = self.office.staff("maker", Role.COMPLIANCE_OFFICER)
        self.checker = self.office.staff("checker", Role.COMPLIANCE_OFFICER)

    async def get(self, path: str, by: Staff | None = None) -> Any:
        async with self.office.client(by or self.checker) as client:
            return await client.get(path)

    async def post(self, path: str, body: dict[str, Any], by: Staff | None = None) -> Any:
        self.keys += 1
        self.office.clock.advance(seconds=1)
        async with self.office.client(by or self.maker) as client:
            return await client.post(path, json=body, headers={"Idempotency-Key": f"k{self.keys}"})

    async def decide(self, path: str, draft: dict[str, Any], how: str = "approval", by: Staff | None = None) -> Any:
        body = {"shownHash": draft["shownHash"]}
        return await self.post(f"{path}/{draft['id']}/{how}", body, by or self.checker)

    async def policy(self, version: str, valid_from: str, **told: Any) -> dict[str, Any]:
        """A policy that both have settled."""
        drafted = await self.post("/v1/rule-parameters", {"version": version, "validFrom": valid_from, **told})
        assert drafted.status_code == 201, drafted.text
        approved = await self.decide("/v1/rule-parameters", drafted.json())
        assert approved.status_code == 200, approved.text
        return dict(approved.json())

    async def calendar(self, year: int, version: str, days: list[dict[str, Any]], **told: Any) -> dict[str, Any]:
        """A year that both have settled."""
        body = {"year": year, "version": version, "days": days, **told}
        drafted = await self.post("/v1/calendars", body)
        assert drafted.status_code == 201, drafted.text
        approved = await self.decide("/v1/calendars", drafted.json())
        assert approved.status_code == 200, approved.text
        return dict(approved.json())


def settled_policy(database: Database, *, version: str, since: date, now: datetime, **figures: int) -> None:
    """A policy of tenant `main` that two persons have settled, past the API."""
    draft_id = new_token("rdr")
    new = NewDraft(
        id=draft_id,
        tenant="main",
        kind=DraftKind.POLICY,
        version=version,
        valid_from=since,
        definition={"parameters": figures, "switches": {}, "groups": {}},
    )
    deed = Deed(tenant="main", action="test.prepared", target="test", actor="test", at=now)
    with unit_of_work(database, deed) as unit:
        add_draft(unit.session, new, shown_hash=draft_id, by_staff="s1", by_person="p1", now=now)
        decide_draft(
            unit.session,
            tenant="main",
            draft_id=draft_id,
            shown_hash=draft_id,
            approve=True,
            by_staff="s2",
            by_person="p2",
            earliest=since,
            now=now,
        )
