"""The data-quality report (数据质量报告): per field how much is filled and valid, per rule how often it is broken.

Counts of a whole job, from its rows as they are; written once as they came and again after corrections.
"""

from collections import Counter
from typing import Any, Final

from sqlalchemy import select as alchemy_select
from sqlalchemy.dialects import postgresql, sqlite

from activities.transfers.chunked import CHUNK, JobWork
from compliance.audit.unit import unit_of_work
from compliance.transfers.training import require_training
from compliance.vault.keyring import Vault
from compliance.vault.transfer_rows import open_living
from models.domain.customers.faults import Severity, severity_of
from models.domain.customers.record import FIELDS
from models.queries.transfers.conservation import conservation_of
from models.queries.transfers.sources import quality_of
from models.tables.transfer_corrections import TransferQuality
from models.tables.transfers import TransferRow

BEFORE: Final = "before"
AFTER: Final = "after"
_ROWS = TransferRow.__table__  # type: ignore[attr-defined]


def write_quality(work: JobWork, vault: Vault) -> None:
    """Count, and keep: the first report stands as it is, the second one is written over until the job goes on."""
    figures = _figures(work, vault)
    job = work.job
    with work.database.read() as session:
        moment = BEFORE if BEFORE not in quality_of(session, job.token) else AFTER
        figures |= {"conservation": conservation_of(session, job.token).as_counts()}
    values = {
        "job": job.token,
        "moment": moment,
        "tenant": job.tenant,
        "figures": figures,
        "made_at": work.clock(),
    }
    make = sqlite.insert if work.database.is_sqlite else postgresql.insert
    write = make(TransferQuality).values(**values)
    changed = {"figures": write.excluded.figures, "made_at": write.excluded.made_at}
    with unit_of_work(work.database, work.deed("transfer.quality-reported", moment=moment)) as unit:
        once = write.on_conflict_do_update(index_elements=["job", "moment"], set_=changed)
        unit.session.connection().execute(once)


def _figures(work: JobWork, vault: Vault) -> dict[str, Any]:
    filled: Counter[str] = Counter()
    invalid: Counter[str] = Counter()
    rules: Counter[str] = Counter()
    outcomes: Counter[str] = Counter()
    rows = after = 0
    query = (
        alchemy_select(
            _ROWS.c.number, _ROWS.c.subject_id, _ROWS.c.row_cell, _ROWS.c.faults, _ROWS.c.outcome, _ROWS.c.same_row
        )
        .where(_ROWS.c.job == work.job.token)
        .order_by(_ROWS.c.number)
        .limit(CHUNK)
    )
    duplicates = 0
    while True:
        with work.database.read() as session:
            found = session.connection().execute(query.where(_ROWS.c.number > after)).all()
        if not found:
            break
        require_training(work.database, job=work.job.token, now=work.clock())
        opened = open_living(
            vault, tenant=work.job.tenant, rows=[(row.subject_id, bytes(row.row_cell)) for row in found]
        )
        for row, (_, values) in zip(found, opened, strict=True):
            if values is None:  # its person was erased: it counts as a row, and nothing of it is known
                outcomes[row.outcome or "open"] += 1
                continue
            filled.update(values.keys())
            outcomes[row.outcome or "open"] += 1
            duplicates += row.same_row is not None
            if row.faults:
                rules.update({each["rule"] for each in row.faults})
                invalid.update(
                    {
                        each["field"]
                        for each in row.faults
                        if each["field"] in values and severity_of(each["rule"]) is not Severity.WARN
                    }
                )
        rows += len(found)
        after = found[-1].number
        work.rest()
    return {
        "rows": rows,
        "outcomes": dict(outcomes),
        "duplicateRows": duplicates,
        "fields": {
            name: {
                "filled": filled[name],
                "valid": filled[name] - invalid[name],
                "filledPermille": _permille(filled[name], rows),
                "validPermille": _permille(filled[name] - invalid[name], filled[name]),
            }
            for name in FIELDS
        },
        "rules": dict(sorted(rules.items())),
    }


def _permille(part: int, whole: int) -> int | None:
    return part * 1000 // whole if whole else None
