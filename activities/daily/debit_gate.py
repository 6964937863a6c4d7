"""The rules before a debit (扣款前合规检查): every order of a chunk is asked about, and what is barred is set apart."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session

from compliance.desk.policy import AS_DELIVERED, BankPolicy, evaluate_under
from compliance.rules.evaluate import RULE_SET_VERSION, blocks
from compliance.verdicts import verdict_rows
from models.domain.states import Gate
from models.queries.debit_facts import AskedDebit, DebitRecords, debit_facts
from models.tables.installments import RuleVerdict

_GATE: Final = Gate.DEBIT


@dataclass(frozen=True, slots=True)
class Barred:
    """A debit that a rule stands against: the first such rule, and the key under which the verdicts are kept."""

    rule_id: str
    gate_key: str


@dataclass(slots=True)
class DebitGate:
    """The gate over one chunk of one date.

    `policy` is the bank's of that date. `asked` and `barred` are what the chunk's event tells: how many orders, and how
    often each rule stood against one.
    """

    records: DebitRecords
    on: date
    now: datetime
    policy: BankPolicy = AS_DELIVERED
    asked: int = 0
    barred: Counter[str] = field(default_factory=Counter)
    _rows: list[dict[str, Any]] = field(default_factory=list)

    def ask(self, order: AskedDebit) -> Barred | None:
        """What stands against an order, if anything; its verdicts wait to be kept."""
        self.asked += 1
        facts = debit_facts(order, self.records)
        verdicts = evaluate_under(self.policy, _GATE, facts, as_of=self.on, evaluated_at=self.now)
        against = [one for one in verdicts if blocks(result=one.result, severity=one.severity)]
        if not against:
            return None
        self.barred.update(one.rule_id for one in against)
        key = f"{order.agreement.case_token}/{_GATE}/{order.row.no}/{self.on.isoformat()}"
        token = order.agreement.case_token
        rows = verdict_rows(against, gate=_GATE, case_token=token, key=key, now=self.now)
        self._rows += [row.model_dump() for row in rows]
        return Barred(against[0].rule_id, key)

    def keep(self, session: Session) -> dict[str, Any]:
        """Keep the verdicts that bar an order, once per row and date; returns what the event says of the chunk."""
        if self._rows:
            insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
            session.execute(
                insert(RuleVerdict).on_conflict_do_nothing(index_elements=["gate_key", "rule_id"]), self._rows
            )
        return {"gate": _GATE.value, "ruleSet": RULE_SET_VERSION, "asked": self.asked, "barred": dict(self.barred)}
