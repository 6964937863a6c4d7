"""The first tenant and its first staff: what nobody could create over HTTP, since nobody can log in yet."""

import base64
import os
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Final

from sqlmodel import Session, select

from api.identity.passwords import hash_password
from compliance.audit.deeds import Deed
from compliance.audit.unit import unit_of_work
from compliance.vault.keyring import Vault
from deploy import datadir
from deploy.exits import CommandFailed, ExitCode
from deploy.stores import Stores
from deploy.values import Settings
from models.domain.ids import TENANT_CODE
from models.domain.roles import Role
from models.domain.shanghai import shanghai_date
from models.domain.viewer import ANY_BRANCH
from models.operations.agreements import set_first_business_date
from models.operations.assessments import model_assessment
from models.operations.products import set_default_terms
from models.operations.staff import NewStaff, seed_staff
from models.tables.staff import Staff
from models.tables.tenants import Tenant

DEMO_TENANT: Final = "main"
LOCALE: Final = "zh-CN"
LEAST_ADMINS: Final = 2  # a change of roles takes two persons


@dataclass(frozen=True, kw_only=True, slots=True)
class Legal:
    """What contracts and letters print of an institution (机构信息).

    Attributes:
        name: of the legal entity; also in the certificate of its seal.
        address, hotline, complaints: what is not set is printed as where a cardholder finds it.
        model_assessed_on: approval of the impact assessment (个人信息保护影响评估) of the affordability model; without
            it no plan can be approved.
        collection_account, collection_bank: where debits go (收款账号、联行号); without them nothing is debited.
    """

    name: str
    address: str | None = None
    hotline: str | None = None
    complaints: str | None = None
    collection_account: str | None = None
    collection_bank: str | None = None
    model_assessed_on: date | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Account:
    """One account to be made.

    Attributes:
        subject: the person's `sub` at an outside issuer; None for a password.
        password: the first password; None with an outside issuer.
        initial: the password must be changed at the first log-in.
    """

    login: str
    name: str
    roles: tuple[Role, ...]
    subject: str | None = None
    password: str | None = None
    initial: bool = True
    authority_amount_minor: int = 0
    authority_concession_bps: int = 0


# Each is a person of their own, so that four-eyes can be tried with them.
DEVELOPMENT: Final = (
    ("dev.officer", "客户经理（开发）", Role.CASE_OFFICER),
    ("dev.approver", "审批人（开发）", Role.APPROVER),
    ("dev.operator", "运维甲（开发）", Role.OPERATOR),
    ("dev.operator2", "运维乙（开发）", Role.OPERATOR),
    ("dev.auditor", "内审（开发）", Role.AUDITOR),
    ("dev.privacy", "个人信息保护负责人（开发）", Role.PRIVACY_OFFICER),
    ("dev.compliance", "合规管理甲（开发）", Role.COMPLIANCE_OFFICER),
    ("dev.compliance2", "合规管理乙（开发）", Role.COMPLIANCE_OFFICER),
    ("dev.admin", "人员管理甲（开发）", Role.STAFF_ADMIN),
    ("dev.admin2", "人员管理乙（开发）", Role.STAFF_ADMIN),
)
_EXAMPLE: Final = Legal(
    name="示例银行",
    address="示例市示范路100号",
    hotline="400-000-0000",
    complaints="400-000-0001",
    collection_account="0000000000000000",
    collection_bank="000000000000",
    model_assessed_on=date(2026, 1, 5),
)
_DEV_AMOUNT_MINOR: Final = 100_000_000  # 1,000,000.00
_DEV_CONCESSION_BPS: Final = 5_000


def first_tenant(settings: Settings, stores: Stores, vault: Vault, *, now: datetime) -> bool:
    """On an embedded installation without staff: tenant `main` and development accounts; True if they were made.

    Their one password stands in `<data>.dev-login.json` (0600) before the accounts exist, so that it is never lost.
    """
    with stores.data.read() as session:
        if session.exec(select(Staff.id).limit(1)).first() is not None:
            return False
    path = settings.data.beside(".dev-login.json")
    known = datadir.read_json(path)
    password = str(known["password"]) if isinstance(known, dict) and "password" in known else new_password()
    accounts = [
        Account(
            login=login,
            name=name,
            roles=(role,),
            password=password,
            initial=False,
            authority_amount_minor=_DEV_AMOUNT_MINOR if role is Role.APPROVER else 0,
            authority_concession_bps=_DEV_CONCESSION_BPS if role is Role.APPROVER else 0,
        )
        for login, name, role in DEVELOPMENT
    ]
    shown = [{"login": account.login, "roles": [role.value for role in account.roles]} for account in accounts]
    datadir.write_private(path, {"tenant": DEMO_TENANT, "password": password, "accounts": shown})
    create_tenant(stores, vault, code=DEMO_TENANT, legal=_EXAMPLE, accounts=accounts, sandbox=settings.sandbox, now=now)
    return True


def create_tenant(
    stores: Stores,
    vault: Vault,
    *,
    code: str,
    legal: Legal,
    accounts: list[Account],
    now: datetime,
    sandbox: bool = False,
) -> list[str]:
    """A tenant (机构), its keys, first staff and books, opened on the date in Shanghai; returns the staff's ids.

    Args:
        stores: both databases.
        vault: makes the tenant's keys, before its row.
        code: lower-case letters, digits, hyphens; at most 16.
        legal: the legal entity, as it is printed; its seal is made with its keys.
        accounts: at least two of them staff administrators: a change of roles takes two persons.
        now: when.
        sandbox: may date business ahead of the clock.

    Raises:
        CommandFailed: 65, a wrong code or too few administrators; 73, the tenant exists.
    """
    if TENANT_CODE.match(code) is None:
        raise CommandFailed(ExitCode.DATA, "a tenant's code is 2 to 16 lower-case letters, digits and hyphens")
    if sum(Role.STAFF_ADMIN in account.roles for account in accounts) < LEAST_ADMINS:
        raise CommandFailed(ExitCode.DATA, f"name at least {LEAST_ADMINS} administrators: a change of roles takes two")
    hashes = {account.login: hash_password(account.password) for account in accounts if account.password is not None}
    vault.ensure_tenant(code)
    vault.ensure_seal(tenant=code, organisation=legal.name)
    deed = Deed(tenant=code, action="tenant.created", target=code, actor="operator", at=now, facts={"sandbox": sandbox})
    with unit_of_work(stores.data, deed) as unit:
        if unit.session.get(Tenant, code) is not None:
            raise CommandFailed(ExitCode.CANNOT_CREATE, f"tenant {code} exists")
        printed = {name: value for name, value in asdict(legal).items() if name != "model_assessed_on"}
        unit.session.add(Tenant(code=code, sandbox=sandbox, created_at=now, **printed))
        unit.session.flush()
        if legal.model_assessed_on is not None:
            unit.session.add(model_assessment(code, approved_on=legal.model_assessed_on, now=now))
        set_default_terms(unit.session, tenant=code, now=now)
        set_first_business_date(unit.session, tenant=code, today=shanghai_date(now), now=now)
        ids = [
            _seed(unit.session, account, tenant=code, password_hash=hashes.get(account.login), now=now)
            for account in accounts
        ]
        deed.facts["staff"] = {
            staff_id: [role.value for role in account.roles] for staff_id, account in zip(ids, accounts, strict=True)
        }
    return ids


def _seed(session: Session, account: Account, *, tenant: str, password_hash: str | None, now: datetime) -> str:
    new = NewStaff(
        tenant=tenant,
        login=account.login,
        name=account.name,
        branch=ANY_BRANCH,
        locale=LOCALE,
        password_hash=password_hash,
        external_subject=account.subject,
    )
    staff = seed_staff(
        session,
        new,
        roles=frozenset(account.roles),
        authority_amount_minor=account.authority_amount_minor,
        authority_concession_bps=account.authority_concession_bps,
        now=now,
    )
    staff.password_initial = account.password is not None and account.initial
    return staff.id


def new_password() -> str:
    """160 random bits as 27 characters."""
    return base64.urlsafe_b64encode(os.urandom(20)).rstrip(b"=").decode()
