"""Every table of the data store, imported so that the metadata is complete."""

from typing import Final

from sqlalchemy import MetaData

from models.tables import audit, installments, parties, platform, staff, tasks, tenants
from models.tables.base import DataTable

MODULES: Final = (audit, installments, parties, platform, staff, tasks, tenants)
METADATA: Final[MetaData] = DataTable.metadata
