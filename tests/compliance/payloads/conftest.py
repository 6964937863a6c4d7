"""A vault with two tenants, and the converter that clients and workers use."""

import pytest
from temporalio.converter import DataConverter

from compliance.payloads.converter import data_converter
from compliance.vault.keyring import Vault

NAMESPACE = "test-namespace"


@pytest.fixture
def bank(vault: Vault) -> Vault:
    for tenant in ("acme", "other"):
        vault.ensure_tenant(tenant)
    return vault


@pytest.fixture
def converter(bank: Vault) -> DataConverter:
    return data_converter(bank, NAMESPACE)
