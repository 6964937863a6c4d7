"""Every table of the data store, imported so that the metadata is complete."""

from typing import Final

from sqlalchemy import MetaData

from models.tables import (
    aftercare,
    agreements,
    audit,
    core,
    daily,
    erasure,
    installments,
    notices,
    parties,
    platform,
    reversals,
    staff,
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
    erasure,
    installments,
    notices,
    parties,
    platform,
    reversals,
    staff,
    tasks,
    tenants,
)
METADATA: Final[MetaData] = DataTable.metadata
