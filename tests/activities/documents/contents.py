"""Contents of documents about generated people."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

from activities.documents.content import (
    Agreement,
    AnnualRate,
    BreachTerms,
    Charge,
    ChargeKind,
    CloseLetter,
    ContingentItem,
    CostItem,
    CostStatement,
    Customer,
    DebitMandate,
    DebtKind,
    DebtPart,
    DefaultNotice,
    Heading,
    IdentityDocument,
    Institution,
    MissedRow,
    RateMethod,
    RepaymentCycle,
    RepaymentMethod,
    Settlement,
    SigningForm,
)
from models.domain.schedules.rows import Row, Schedule

PLAN_HASH = "9f2b6c41d7e85a03" * 4
LENDER = Institution(
    name="示例商业银行股份有限公司信用卡中心",
    address="上海市浦东新区示范路100号",
    hotline="400-000-0000",
    complaints="400-000-0001",
)
BORROWER = Customer(
    name="欧阳晓静",
    id_type=IdentityDocument.RESIDENT_ID,
    id_number="110101199003077715",
    mobile="13800001234",
    address="北京市东城区和平里北街21号院3号楼2单元501室",
)


def heading(document_id: str) -> Heading:
    return Heading(document_id=document_id, plan_hash=PLAN_HASH, made_on=date(2026, 11, 21))


def schedule(count: int, *, principal_minor: int = 8_650_037) -> Schedule:
    """Equal principal at 1 % a month, the remainder in the last row."""
    rows, left = [], principal_minor
    for no in range(1, count + 1):
        principal = principal_minor // count if no < count else left
        month = 11 + no
        due = date(2026 + (month - 1) // 12, (month - 1) % 12 + 1, 21)
        rows.append(Row(no=no, due=due, principal_minor=principal, interest_minor=left // 100))
        left -= principal
    return Schedule(
        convention="equal-principal", start=date(2026, 11, 21), principal_minor=principal_minor, rows=tuple(rows)
    )


def agreement(count: int = 12, *, form: SigningForm = SigningForm.ELECTRONIC, **changes: object) -> Agreement:
    made = Agreement(
        heading=heading("agr_7K2M9QXW4D"),
        lender=LENDER,
        borrower=BORROWER,
        card_number="6225880012345678",
        currency="CNY",
        debt=(
            DebtPart(kind=DebtKind.PURCHASES, amount_minor=7_300_000),
            DebtPart(kind=DebtKind.CASH_ADVANCES, amount_minor=1_000_000),
            DebtPart(kind=DebtKind.INTEREST, amount_minor=350_037),
            DebtPart(kind=DebtKind.LATE_FEES, amount_minor=120_000),
        ),
        debt_as_of=date(2026, 11, 20),
        waived_minor=120_000,
        schedule=schedule(count),
        cycle=RepaymentCycle.MONTHLY,
        method=RepaymentMethod.EQUAL_PRINCIPAL,
        rates=(
            AnnualRate(value=Decimal("0.126825"), method=RateMethod.EFFECTIVE),
            AnnualRate(value=Decimal("0.12"), method=RateMethod.NOMINAL),
        ),
        charges=(
            Charge(kind=ChargeKind.ANNUAL_FEE, charged=False, standard=""),
            Charge(kind=ChargeKind.INTEREST, charged=True, standard="按剩余本金每月 1% 计收，逐期列入还款计划表"),
            Charge(kind=ChargeKind.EARLY_SETTLEMENT, charged=False, standard=""),
            Charge(kind=ChargeKind.OTHER, charged=False, standard=""),
        ),
        breach=BreachTerms(grace_days=3, missed_rows=2, overdue_rate=Decimal("0.1825")),
        mandate=DebitMandate(
            payee_name=LENDER.name,
            payer_name=BORROWER.name,
            payer_bank="示例银行北京和平里支行",
            payer_account="6217000012345678901",
            limit_minor=900_000,
            valid_from=date(2026, 11, 21),
            valid_to=date(2028, 1, 31),
        ),
        form=form,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def cost_statement(**changes: object) -> CostStatement:
    plan = schedule(12)
    made = CostStatement(
        heading=heading("cst_7K2M9QXW4D"),
        lender=LENDER,
        borrower=BORROWER,
        currency="CNY",
        principal_minor=plan.principal_minor,
        rows=12,
        first_due=plan.rows[0].due,
        last_due=plan.rows[-1].due,
        method=RepaymentMethod.EQUAL_PRINCIPAL,
        items=(
            CostItem(
                name="利息",
                method="随每期还款收取",
                standard="剩余本金的 1%/月",
                charged_by=LENDER.name,
                amount_minor=sum(row.interest_minor for row in plan.rows),
                annual_rate=Decimal("0.126825"),
            ),
            CostItem(
                name="担保服务费",
                method="首期一次收取",
                standard="不收取",
                charged_by="示例融资担保有限公司",
                amount_minor=0,
                annual_rate=Decimal(0),
            ),
        ),
        total=AnnualRate(value=Decimal("0.126825"), method=RateMethod.EFFECTIVE),
        contingent=(
            ContingentItem(
                name="逾期利息",
                condition="到期日后超过宽限期仍未足额偿还",
                standard="逾期金额按年利率 18.25%（单利）计收",
                charged_by=LENDER.name,
            ),
        ),
        form=SigningForm.ELECTRONIC,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def close_letter(**changes: object) -> CloseLetter:
    made = CloseLetter(
        heading=replace(heading("cls_7K2M9QXW4D"), plan_hash=None),
        lender=LENDER,
        borrower=BORROWER,
        agreement_id="agr_7K2M9QXW4D",
        signed_on=date(2026, 11, 21),
        settled_on=date(2027, 11, 21),
        settlement=Settlement.AS_AGREED,
        currency="CNY",
        principal_minor=8_650_037,
        paid_minor=9_212_289,
        card_number="6225880012345678",
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def default_notice(**changes: object) -> DefaultNotice:
    made = DefaultNotice(
        heading=heading("dft_7K2M9QXW4D"),
        lender=LENDER,
        borrower=BORROWER,
        agreement_id="agr_7K2M9QXW4D",
        signed_on=date(2026, 11, 21),
        as_of=date(2027, 3, 1),
        currency="CNY",
        missed=(
            MissedRow(no=2, due=date(2027, 1, 21), open_minor=800_125, days_past_due=39),
            MissedRow(no=3, due=date(2027, 2, 21), open_minor=792_917, days_past_due=8),
        ),
        overdue_interest_minor=18_777,
        remaining_minor=7_950_000,
        pay_by=date(2027, 3, 15),
    )
    return replace(made, **changes)  # type: ignore[arg-type]
