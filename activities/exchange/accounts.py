"""Debtor accounts as keyed digests: what was asked for and what the bank says it took can be compared, not read."""

from compliance.vault.blind import BlindField
from compliance.vault.keyring import Vault


def account_index(vault: Vault, tenant: str, account: str) -> bytes | None:
    """The blind index of an account number; None where the bank names nothing that could be one."""
    try:
        return vault.blind_index(tenant=tenant, field=BlindField.ACCOUNT, value=account)
    except ValueError:
        return None
