"""A change of suite: how fast people's data move while they stay readable, beside opening and sealing alone."""

from collections.abc import Iterable
from datetime import timedelta
from functools import partial
from typing import Final

from activities.parties.reseal_steps import SqlReseal
from bench.measuring import NOW, Stores, empty_stores, seconds
from bench.registry import Figure, Floor, measures
from compliance.vault.cells import RowAddress
from compliance.vault.purposes import Purpose
from compliance.vault.subjects import new_subject_key
from models.contracts.parties import ResealStep, SubjectsStep
from models.domain.suite_changes import ChangeKind, ChangeReason, ChangeState, SuiteName
from models.tables.parties import ContactPoint, Subject
from models.tables.suite_changes import SuiteChange
from models.tables.tenants import Tenant

PEOPLE: Final = 20_000
_TENANT: Final = "main"
_CHUNK: Final = 500
_VALUES: Final = {
    "name_cell": "欧阳晓雯",
    "id_cell": "110105194912310021",
    "employer_cell": "某某科技（上海）有限公司",
    "address_cell": "上海市浦东新区某某路一百二十八弄六号五〇二室",
    "card_cell": "6222021234567890123",
}
CELLS: Final = len(_VALUES) + 1  # of one person


@measures("reseal")
def reseal(scale: float) -> Iterable[Figure]:
    """Move a book of six cells and two indexes a person to SM4 and back; the floor opens and seals the cells alone."""
    people = max(200, int(PEOPLE * scale))
    for suite in (SuiteName.SM4_GCM, SuiteName.AES_256_GCM):
        with empty_stores() as stores:
            ids = _book(stores, people)
            if suite is SuiteName.AES_256_GCM:  # back again
                _all_steps(stores, SuiteName.SM4_GCM)
            bare = people / seconds(partial(_bare, stores, ids))
            floor = Floor(name="open and seal the cells alone, people/s", value=bare)
            took, scanned = _all_steps(stores, suite)
        yield Figure(
            name=f"{people:,} people to {suite}, sealed and proven", value=people / took, unit="people/s", floor=floor
        )
        yield Figure(name="cells moved", value=people * CELLS / took, unit="cells/s")
        yield Figure(name="headers scanned", value=people * CELLS / scanned, unit="cells/s")


def _book(stores: Stores, people: int) -> list[str]:
    vault = stores.vault
    vault.ensure_tenant(_TENANT)
    with stores.data.write() as session:
        session.add(Tenant(code=_TENANT, name="-", created_at=NOW))
    branch = vault.branches.get(_TENANT, Purpose.SUBJECT_WRAP).current
    ids = [f"sub_{number:026d}" for number in range(people)]
    for first in range(0, people, _CHUNK):
        chunk = ids[first : first + _CHUNK]
        with vault.branches.database.write() as session:
            keys = (new_subject_key(branch, tenant=_TENANT, subject_id=each, version=1, at=NOW)[0] for each in chunk)
            session.add_all(keys)
        vault.load_subjects(_TENANT, chunk)
        with stores.data.write() as session:
            session.add_all(_subject(stores, each) for each in chunk)
            session.flush()
            session.add_all(_point(stores, each) for each in chunk)
    return ids


def _subject(stores: Stores, subject: str) -> Subject:
    row = RowAddress(_TENANT, "subjects", subject, subject)
    values = {**_VALUES, "id_cell": subject}
    return Subject(
        id=subject,
        tenant=_TENANT,
        id_type="passport",
        id_index=stores.vault.blind_index(tenant=_TENANT, field="id_number", value=subject),
        created_at=NOW,
        **stores.vault.seal_many(row, values),
    )


def _point(stores: Stores, subject: str) -> ContactPoint:
    point, mobile = f"cpt_{subject[4:]}", f"138{subject[-8:]}"
    return ContactPoint(
        id=point,
        tenant=_TENANT,
        subject_id=subject,
        kind="mobile",
        value_cell=stores.vault.seal(RowAddress(_TENANT, "contact_points", point, subject).cell("value_cell"), mobile),
        value_index=stores.vault.blind_index(tenant=_TENANT, field="mobile", value=mobile),
        created_at=NOW,
    )


def _bare(stores: Stores, ids: list[str]) -> None:
    """Open and seal six values a person, keys in memory: no database, no index, no event."""
    vault, sample = stores.vault, ids[:1_000]
    vault.load_subjects(_TENANT, sample)
    rows = [RowAddress(_TENANT, "subjects", each, each) for each in sample]
    cells = [vault.seal_many(row, {**_VALUES, "more_cell": "13812345678"}) for row in rows]
    for number in range(len(ids)):
        row, sealed = rows[number % len(rows)], cells[number % len(rows)]
        vault.seal_many(row, vault.open_many(row, sealed))


def _all_steps(stores: Stores, suite: SuiteName) -> tuple[float, float]:
    """Seconds that all steps take, without the rests between them, and those of the scan alone."""
    steps = SqlReseal(stores.data, stores.vault, lambda: NOW, stores.folder / "files", rest=timedelta())
    change = ResealStep(tenant=_TENANT, change=f"sch_{suite}")
    with stores.data.write() as session:
        session.add(
            SuiteChange(
                id=change.change,
                tenant=_TENANT,
                kind=ChangeKind.SUITE,
                suite=suite,
                reason_code=ChangeReason.SCHEDULE,
                shown_hash="-",
                state=ChangeState.RUNNING,
                proposed_by="-",
                proposed_at=NOW,
            )
        )
    steps.begin(change)
    steps.publish(change)
    steps.activate(change)
    sealing = seconds(lambda: [_pass(steps, change, number) for number in (1, 2)])
    steps.branches(change)
    found = []
    scanning = seconds(lambda: found.append(steps.scan(change)))
    steps.close(change)
    if not found[0].is_clean:
        raise RuntimeError("the book was not moved")
    return sealing + scanning, scanning


def _pass(steps: SqlReseal, change: ResealStep, number: int) -> None:
    after: str | None = ""
    while after is not None:
        after = steps.subjects(
            SubjectsStep(tenant=change.tenant, change=change.change, number=number, after=after)
        ).after
