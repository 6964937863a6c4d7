"""The key of a job's comparisons: of one job, the same at every call and in every process."""

from compliance.transfers.proof_keys import job_proof_key
from compliance.vault.keyring import Vault
from compliance.vault.purposes import Purpose


def test_each_job_has_a_key_of_its_own_and_keeps_it(vault: Vault) -> None:
    first = job_proof_key(vault, tenant="acme", job="acme.1")
    vault.forget()
    assert job_proof_key(vault, tenant="acme", job="acme.1").secret == first.secret
    others = {
        job_proof_key(vault, tenant="acme", job="acme.2").secret,
        job_proof_key(vault, tenant="other", job="acme.1").secret,
    }
    assert len(others | {first.secret}) == 3
    assert first.suite is vault.suite_of_tenant("acme")


def test_a_tenant_from_before_there_were_transfers_gets_its_branch_key(vault: Vault) -> None:
    job_proof_key(vault, tenant="old", job="old.1")
    assert vault.branches.get("old", Purpose.TRANSFER_PROOF).current.version == 1
