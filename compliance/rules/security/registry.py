"""The rules of the area: data security, cryptography, audits and incidents."""

from typing import Final

from compliance.rules.rule import Rule
from compliance.rules.security.audits import AUD_3, AUD_4, AUD_5, AUD_12, AUD_GUIDE, AUD_ROT
from compliance.rules.security.cryptography import CRYPT_27, CRYPT_38, CRYPT_39, CRYPT_41, CRYPT_39786, CRYPT_ALG
from compliance.rules.security.cybersecurity import CSL_42, CSL_LOG, CSL_LOG_2017
from compliance.rules.security.data_security import DSL_21, DSL_27, DSL_29, DSL_30, NDSR_33, NFRA_DS_1, PBOC_DS
from compliance.rules.security.financial_data import (
    JRT171_C1,
    JRT171_C2,
    JRT171_C2_C3,
    JRT171_C3,
    JRT171_COMB,
    JRT171_SHARE,
    JRT171_SHOW,
    JRT171_STORE,
    JRT171_TEST,
    JRT171_TRANS,
)
from compliance.rules.security.incidents import INC_CAC, INC_NDSR_10, INC_NFRA, INC_PBOC, INC_PIPL, NFRA_DS_INC

RULES: Final[tuple[Rule, ...]] = (
    DSL_21, DSL_27, DSL_29, DSL_30, NDSR_33, NFRA_DS_1, PBOC_DS,
    CSL_LOG_2017, CSL_LOG, CSL_42,
    CRYPT_27, CRYPT_38, CRYPT_39, CRYPT_41, CRYPT_39786, CRYPT_ALG,
    AUD_4, AUD_3, AUD_5, AUD_ROT, AUD_12, AUD_GUIDE,
    INC_CAC, INC_PBOC, INC_NFRA, NFRA_DS_INC, INC_NDSR_10, INC_PIPL,
    JRT171_C3, JRT171_C2, JRT171_C2_C3, JRT171_C1, JRT171_COMB, JRT171_TRANS, JRT171_STORE, JRT171_SHOW,
    JRT171_SHARE, JRT171_TEST,
)  # fmt: skip
