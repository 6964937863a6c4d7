"""The two companies of the transfer demo: made before the stack starts, with staff, keys and books of their own."""

import csv
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import Final

from compliance.vault.customer_layout import customer_tokens
from compliance.vault.keyring import Vault
from deploy import datadir
from deploy.bootstrap import Account, Legal, create_tenant
from deploy.clock import wall_clock
from deploy.customers import Loaded, load_customers
from deploy.demo.office import Actor, Line, Unexpected
from deploy.settings import load_settings
from deploy.stores import Stores, build_vault, open_stores, prepare_embedded
from models.domain.roles import Role
from models.domain.tokens import new_token
from models.queries.customers import ids_by_number

ACQUIRER: Final = "main"
TRANSFEROR: Final = "target-co"
_CHUNK: Final = 400
# Two persons in every role: whoever made something cannot confirm it.
_ROLES: Final = tuple(Role)
_LEGAL: Final = {
    ACQUIRER: Legal(name="示例银行", address="示例市示范路100号", hotline="400-000-0000", complaints="400-000-0001"),
    TRANSFEROR: Legal(name="示例消费金融公司", address="示例市样板街8号", hotline="400-000-0002"),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Founded:
    """What was put on record before the start.

    Attributes:
        passwords: by company; every account of a company has the same one.
        loaded: how each company's book was loaded.
        record_of: record in the acquirer's book, by customer number.
    """

    passwords: dict[str, str]
    loaded: dict[str, Loaded]
    record_of: dict[str, str]


@dataclass(frozen=True, slots=True)
class Company:
    """One company's staff, by role: the first and the second person."""

    tenant: str
    staff: dict[Role, tuple[Actor, Actor]]

    @property
    def officer(self) -> Actor:
        """Who does the work."""
        return self.staff[Role.CASE_OFFICER][0]

    @property
    def approver(self) -> Actor:
        """Who approves it."""
        return self.staff[Role.APPROVER][0]

    @property
    def lead(self) -> Actor:
        """Who runs the transfer (迁移负责人)."""
        return self.for_role("migration-lead")[0]

    @property
    def auditor(self) -> Actor:
        """Who reads everything and decides nothing."""
        return self.staff[Role.AUDITOR][0]

    def everybody(self) -> Iterable[Actor]:
        """All accounts."""
        return (actor for pair in self.staff.values() for actor in pair)

    def for_role(self, role: str) -> tuple[Actor, ...]:
        """Who may answer a task that is meant for a role, the first person first.

        Raises:
            Unexpected: there is no such role in the demo.
        """
        known = next((pair for each, pair in self.staff.items() if each.value == role), None)
        if known is None:
            raise Unexpected(f"a task for a role that nobody has: {role}")
        return known


def found(
    data: Path, books: dict[str, Path], *, progress: Callable[[str, int], object] = lambda _company, _read: None
) -> Founded:
    """Make both companies in an empty data directory and load their books. Blocking.

    Args:
        data: the directory; made if it is not there.
        books: of each company, a file as `casework customers load` reads it.
        progress: called with the company and how many rows of its book are read.
    """
    datadir.make_private()
    settings = load_settings(overrides={"CASEWORK_DATA_DIR": str(data), "CASEWORK_SANDBOX": "true"})
    passwords = {company: new_token("demo") + new_token("demo") for company in _LEGAL}
    with datadir.exclusive(settings, purpose="demo"), open_stores(settings) as stores:
        prepare_embedded(settings, stores, now=wall_clock())
        vault = build_vault(settings, stores, wall_clock)
        for company, legal in _LEGAL.items():
            accounts = accounts_of(passwords[company])
            create_tenant(stores, vault, code=company, legal=legal, accounts=accounts, sandbox=True, now=wall_clock())
        loaded = {}
        for company, path in books.items():
            loaded[company] = load_customers(
                stores.data, vault, path, tenant=company, clock=wall_clock, progress=partial(progress, company)
            )
        record_of = _records(stores, vault, books[ACQUIRER])
    return Founded(passwords=passwords, loaded=loaded, record_of=record_of)


def company_of(line: Line, tenant: str, password: str) -> Company:
    """The accounts that `found` made."""
    staff = {
        role: (Actor(line, tenant, _login(role, 1), password), Actor(line, tenant, _login(role, 2), password))
        for role in _ROLES
    }
    return Company(tenant, staff)


def accounts_of(password: str) -> list[Account]:
    """Two persons in every role, all with one password."""
    return [
        Account(
            login=_login(role, person),
            name=f"{role.value} {person}",
            roles=(role,),
            password=password,
            initial=False,
            authority_amount_minor=100_000_000 if role is Role.APPROVER else 0,
            authority_concession_bps=1_000 if role is Role.APPROVER else 0,
        )
        for role in _ROLES
        for person in (1, 2)
    ]


def _login(role: Role, person: int) -> str:
    return f"{role.value}.{person}"


def _records(stores: Stores, vault: Vault, book: Path) -> dict[str, str]:
    """Record by customer number, for scoring: outside the demo nobody needs such a list."""
    found: dict[str, str] = {}
    with book.open(encoding="utf-8", newline="") as file:
        numbers = (line["customer_no"] for line in csv.DictReader(file))
        while some := list(islice(numbers, _CHUNK)):
            tokens = customer_tokens(vault, tenant=ACQUIRER, index="customer_no_index", values=some)
            with stores.data.read() as session:
                ids = ids_by_number(session, tenant=ACQUIRER, tokens=[*chain.from_iterable(tokens)])
            for number, of_number in zip(some, tokens, strict=True):
                record = next((ids[token] for token in of_number if token in ids), None)
                if record is not None:
                    found[number] = record
    return found
