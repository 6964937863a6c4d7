"""Who may be whom, by equal blocking tokens. Everything here is tokens and names of records; nothing is opened."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeVar

from sqlalchemy import func
from sqlmodel import Session, col, select

from models.domain.matching.blocking import BEARER, SEARCHED, Block
from models.domain.matching.settling import row_number
from models.tables.customers import CustomerRecord
from models.tables.transfer_scopes import in_question
from models.tables.transfers import TransferJob, TransferRow, TransferToken

# So many bearers of one value are no candidates for each other: it is a placeholder, or a company's telephone.
MOST_IN_BLOCK: Final = 50
_CONTACTS: Final = {Block.MOBILE: "mobile", Block.EMAIL: "email", Block.ACCOUNT: "account"}
_TOKENS: Final = TransferToken.__table__  # type: ignore[attr-defined]
_AT_ONCE: Final = 500  # values in one IN (…)

T = TypeVar("T")
Value = tuple[int, bytes]


@dataclass
class Found:
    """Candidates of some rows.

    Attributes:
        pairs: by row, the names of the records to compare it with.
        shared: by row, contacts of it that several persons of the job have.
        names: by row, how many records bear its name.
    """

    pairs: dict[int, list[str]] = field(default_factory=dict)
    shared: dict[int, set[str]] = field(default_factory=dict)
    names: dict[int, int] = field(default_factory=dict)


def rows_to_match(session: Session, job: str, *, after: int, limit: int) -> Sequence[TransferRow]:
    """Rows that nobody has turned away and no wave has moved, by number."""
    return session.exec(
        select(TransferRow)
        .where(col(TransferRow.job) == job, col(TransferRow.number) > after, *in_question())
        .order_by(col(TransferRow.number))
        .limit(limit)
    ).all()


def customers_after(session: Session, job: TransferJob, *, after: str, limit: int) -> Sequence[CustomerRecord]:
    """The target's own records, by id; not those that the job itself has brought."""
    return session.exec(
        select(CustomerRecord)
        .where(
            col(CustomerRecord.tenant) == job.tenant,
            col(CustomerRecord.id) > after,
            col(CustomerRecord.erased_at).is_(None),
            col(CustomerRecord.state) != "moved-out",
            func.coalesce(CustomerRecord.origin, "") != job.token,
        )
        .order_by(col(CustomerRecord.id))
        .limit(limit)
    ).all()


def crowded_blocks(session: Session, job: str) -> dict[str, int]:
    """How many values of each kind have more bearers than are compared, for the report."""
    crowd = (
        select(TransferToken.kind)
        .where(col(TransferToken.job) == job, col(TransferToken.kind).in_(list(SEARCHED)))
        .group_by(col(TransferToken.kind), col(TransferToken.token))
        .having(func.count() > MOST_IN_BLOCK)
        .subquery()
    )
    found = session.execute(select(crowd.c.kind, func.count()).group_by(crowd.c.kind)).all()
    return {Block(kind).name.lower().replace("_", "-"): count for kind, count in found}


def records_with_tokens(session: Session, job: str) -> int:
    """How many records of both sides take part."""
    statement = select(func.count(func.distinct(TransferToken.record))).where(col(TransferToken.job) == job)
    return session.exec(statement).one()


def token_count(session: Session, job: str) -> int:
    """How many tokens a job has."""
    return session.exec(select(func.count()).select_from(TransferToken).where(col(TransferToken.job) == job)).one()


def candidates(session: Session, job: str, names: Sequence[str]) -> Found:
    """Whom these rows (`row:<number>`) are compared with: the target's records, and earlier rows of the job."""
    mine = _tokens_of(session, job, names)
    sizes = _sizes(session, job, names)
    wanted = {value for value, size in sizes.items() if 1 < size <= MOST_IN_BLOCK and value[0] != Block.NAME.value}
    members = _members(session, job, wanted)
    crowds = {value for value in wanted if value[0] in _CONTACTS and len(members[value]) > 1}
    bearers = _bearers(session, job, {record for value in crowds for record in members[value]})
    found = Found()
    for name, values in mine.items():
        number = row_number(name)
        assert number is not None
        others = {other for value in values if value in wanted for other in members[value]}
        found.pairs[number] = sorted(other for other in others if _is_before(other, number))
        found.names[number] = max((sizes.get(value, 1) for value in values if value[0] == Block.NAME.value), default=0)
        found.shared[number] = {
            _CONTACTS[Block(value[0])]
            for value in values
            if value[0] in _CONTACTS and _is_shared(value, sizes, members, bearers)
        }
    return found


def _is_before(other: str, number: int) -> bool:
    other_number = row_number(other)
    return other_number is None or other_number < number


def _is_shared(
    value: Value, sizes: dict[Value, int], members: dict[Value, list[str]], bearers: dict[str, bytes]
) -> bool:
    if sizes.get(value, 0) > MOST_IN_BLOCK:
        return True
    return len({bearers[record] for record in members.get(value, ()) if record in bearers}) > 1


def _tokens_of(session: Session, job: str, names: Sequence[str]) -> dict[str, set[Value]]:
    found: dict[str, set[Value]] = defaultdict(set)
    for some in _parts(sorted(names)):
        rows = session.execute(
            select(TransferToken.record, TransferToken.kind, TransferToken.token).where(
                col(TransferToken.job) == job, col(TransferToken.record).in_(some)
            )
        )
        for record, kind, token in rows:
            found[record].add((kind, bytes(token)))
    return found


def _sizes(session: Session, job: str, names: Sequence[str]) -> dict[Value, int]:
    """How many bear each value of these records, where it is more than one."""
    found: dict[Value, int] = {}
    for some in _parts(sorted(names)):
        mine = (
            select(TransferToken.kind, TransferToken.token)
            .where(col(TransferToken.job) == job, col(TransferToken.record).in_(some))
            .distinct()
            .subquery()
        )
        same = (_TOKENS.c.job == job) & (_TOKENS.c.kind == mine.c.kind) & (_TOKENS.c.token == mine.c.token)
        rows = session.execute(
            select(mine.c.kind, mine.c.token, func.count())
            .select_from(mine.join(_TOKENS, same))
            .group_by(mine.c.kind, mine.c.token)
            .having(func.count() > 1)
        )
        found.update({(kind, bytes(token)): count for kind, token, count in rows})
    return found


def _members(session: Session, job: str, values: Collection[Value]) -> dict[Value, list[str]]:
    found: dict[Value, list[str]] = defaultdict(list)
    for kind, some in _by_kind(values):
        rows = session.execute(
            select(TransferToken.token, TransferToken.record).where(
                col(TransferToken.job) == job, col(TransferToken.kind) == kind, col(TransferToken.token).in_(some)
            )
        )
        for token, record in rows:
            found[kind, bytes(token)].append(record)
    return found


def _bearers(session: Session, job: str, names: Collection[str]) -> dict[str, bytes]:
    """By record, who bears it: what the name sounds like, and the birth date."""
    found: dict[str, bytes] = {}
    for some in _parts(sorted(names)):
        rows = session.execute(
            select(TransferToken.record, TransferToken.token).where(
                col(TransferToken.job) == job,
                col(TransferToken.record).in_(some),
                col(TransferToken.kind) == BEARER.value,
            )
        )
        found.update({record: bytes(token) for record, token in rows})
    return found


def _by_kind(values: Collection[Value]) -> Iterable[tuple[int, list[bytes]]]:
    kinds: dict[int, list[bytes]] = defaultdict(list)
    for kind, token in sorted(values):
        kinds[kind].append(token)
    for kind, tokens in kinds.items():
        for some in _parts(tokens):
            yield kind, some


def _parts(items: list[T]) -> Iterable[list[T]]:
    for first in range(0, len(items), _AT_ONCE):
        yield items[first : first + _AT_ONCE]
