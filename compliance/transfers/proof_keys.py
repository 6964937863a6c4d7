"""The key under which one job's roots and checksums are computed: of the receiving tenant, for this purpose alone.

Whoever may see it can compare the two books of the job and learns nothing of another job. It goes to the other company
inside the sealed envelope of a backup (`compliance.transfers.envelopes`), never in the clear.
"""

from compliance.transfers.record_proofs import KEY_BYTES, ProofKey
from compliance.vault.framing import framed
from compliance.vault.keyring import Vault
from compliance.vault.purposes import Purpose


def job_proof_key(vault: Vault, *, tenant: str, job: str) -> ProofKey:
    """The key of one job; the same at every call, for it is derived and its branch key does not rotate.

    Args:
        vault: the keys.
        tenant: who receives: the tenant of the job.
        job: its token.

    Raises:
        KeysUnavailable: the key store does not answer.
    """
    vault.ensure_tenant(tenant)  # a tenant from before there were transfers has no branch key for them
    branch = vault.branches.get(tenant, Purpose.TRANSFER_PROOF).current
    secret = branch.derive(info=framed("casework.transfer-proof", tenant, job), length=KEY_BYTES)
    return ProofKey(branch.suite, secret)
