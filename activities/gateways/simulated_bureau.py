"""A simulated credit bureau for demo and tests: the same person always has the same record, and some have bad luck.

By the digest of the ID number, one person in sixteen has a record that the bureau cannot give out (refused for good),
and one in sixteen is answered only at the second try of a key. The rest get figures drawn from the digest.
"""

import hashlib
import json
import threading
from dataclasses import dataclass, field
from typing import Final

from activities.gateways.bureau import BureauGateway, BureauRecord, Identity
from models.errors import GatewayRefused, GatewayUnavailable

_REFUSED: Final = 0
_SHY: Final = 1


@dataclass(slots=True)
class SimulatedBureau(BureauGateway):
    """Keeps in memory which keys it has seen; `queries` counts distinct keys, as a bureau would bill them."""

    _tries: dict[str, int] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def query(self, identity: Identity, *, query_key: str) -> BureauRecord:
        """Answer, refuse, or stay silent the first time."""
        digest = hashlib.sha256(identity.id_number.encode()).digest()
        with self._lock:
            tries = self._tries[query_key] = self._tries.get(query_key, 0) + 1
        luck = digest[0] % 16
        if luck == _REFUSED:
            raise GatewayRefused(params={"reason": "record-unavailable"})
        if luck == _SHY and tries == 1:
            raise GatewayUnavailable(detail="bureau")
        accounts = digest[1] % 6
        obligation_minor = accounts * (20_000 + digest[2] * 500)
        past_due = (0, 0, 0, 12, 35, 64, 95)[digest[3] % 7]
        report = {"accounts": accounts, "monthlyObligationMinor": obligation_minor, "worstDaysPastDue": past_due}
        return BureauRecord(
            open_accounts=accounts,
            monthly_obligation_minor=obligation_minor,
            worst_days_past_due=past_due,
            report=json.dumps({"name": identity.name, "idNumber": identity.id_number, **report}, ensure_ascii=False),
        )

    @property
    def queries(self) -> int:
        """How many distinct keys were asked."""
        return len(self._tries)
