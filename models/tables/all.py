"""Every table of the data store, imported so that the metadata is complete."""

from typing import Final

from sqlalchemy import MetaData

from models.tables import (
    aftercare,
    agreements,
    assessments,
    audit,
    consent_register,
    core,
    daily,
    erasure,
    incidents,
    installments,
    notices,
    parties,
    platform,
    reversals,
    rule_desk,
    staff,
    suite_changes,
    suspense,
    tasks,
    tenants,
)
from models.tables.base import DataTable

MODULES: Final = (
    aftercare,
    agreements,
    assessments,
    audit,
    consent_register,
    core,
    daily,
    incidents,
    erasure,
    installments,
    notices,
    parties,
    platform,
    reversals,
    rule_desk,
    staff,
    suspense,
    suite_changes,
    tasks,
    tenants,
)
METADATA: Final[MetaData] = DataTable.metadata
