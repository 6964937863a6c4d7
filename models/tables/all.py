"""Every table of the data store, imported so that the metadata is complete."""

from typing import Final

from sqlalchemy import MetaData

from models.tables import (
    aftercare,
    agreements,
    audit,
    core,
    daily,
    installments,
    notices,
    parties,
    platform,
    reversals,
    staff,
    suite_changes,
    tasks,
    tenants,
)
from models.tables.base import DataTable

MODULES: Final = (
    aftercare,
    agreements,
    audit,
    core,
    daily,
    installments,
    notices,
    parties,
    platform,
    reversals,
    staff,
    suite_changes,
    tasks,
    tenants,
)
METADATA: Final[MetaData] = DataTable.metadata
