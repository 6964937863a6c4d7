"""The rules of the area: personalised installments, their debits and their collection."""

from typing import Final

from compliance.rules.installments.aic_26 import AIC26_FORM, AIC26_OLD, AIC26_ONLINE, AIC26_PARTY, AIC26_SITE
from compliance.rules.installments.aml_28 import AML_28, AML_29
from compliance.rules.installments.aml_34c import AML_34C, AML_34C_2006
from compliance.rules.installments.apr_21 import APR21_1, APR21_3, APR21_4
from compliance.rules.installments.batch import BATCH_CUT, BATCH_ONCE
from compliance.rules.installments.ccm_57 import CCM_57A, CCM_57B
from compliance.rules.installments.ccm_66 import CCM_66
from compliance.rules.installments.ccm_67 import CCM_67
from compliance.rules.installments.ccm_68 import CCM_68A, CCM_68B, CCM_68C
from compliance.rules.installments.ccm_69 import CCM_69A, CCM_69B
from compliance.rules.installments.ccm_70a import CCM_70A
from compliance.rules.installments.ccm_70b import CCM_70B
from compliance.rules.installments.ccm_70c import CCM_70C
from compliance.rules.installments.ccm_70d import CCM_70D, CCM_70D_RELEASE
from compliance.rules.installments.ccm_70e import CCM_70E, CCM_70E_RECALL
from compliance.rules.installments.ccm_70f import CCM_70F, CCM_70F_KEEP
from compliance.rules.installments.ccn22_contract import (
    CCN22_APPLY,
    CCN22_DISC,
    CCN22_INT,
    CCN22_LUMP,
    CCN22_MIN,
    CCN22_SEP,
)
from compliance.rules.installments.ccn22_limits import CCN22_CASH, CCN22_FUND, CCN22_RANGE, CCN22_REINST, CCN22_TERM
from compliance.rules.installments.cite_1 import CITE_1
from compliance.rules.installments.collection import CC_1033, COLL_CBA_DIAL, COLL_CBA_HOURS, COLL_GB_CALLS, COLL_GB_WHO
from compliance.rules.installments.collection_guide import (
    COLL_AGY,
    COLL_CBA_3P,
    COLL_CBA_BAN,
    COLL_CBA_REC,
    COLL_CBA_SRC,
)
from compliance.rules.installments.contract_money import CC_670, CC_695, SPC_CONTRACT_65
from compliance.rules.installments.contract_terms import CC_490, CC_496, CC_543, CC_544, SPC_CONTRACT_10
from compliance.rules.installments.cred_15 import CRED_15
from compliance.rules.installments.cred_18 import CRED_18
from compliance.rules.installments.data_scope import NFRA_CP_1, PIPL_6
from compliance.rules.installments.ddb import DDB_AUTH, DDB_LIMIT, DDB_MATCH, DDB_REVOKE
from compliance.rules.installments.early import CC_677, CCN22_EARLY
from compliance.rules.installments.es_13 import ES_13, ES_14
from compliance.rules.installments.notice import PIPL_13, PIPL_17
from compliance.rules.installments.personal_data import PIPL_19, PIPL_21, PIPL_47, PIPL_55
from compliance.rules.installments.pipl_24 import PIPL_24
from compliance.rules.installments.sensitive_data import PIPL_28, PIPL_30
from compliance.rules.installments.wage_33 import WAGE_33
from compliance.rules.rule import Rule

RULES: Final[tuple[Rule, ...]] = (
    # Credit card measures (信用卡业务监督管理办法) and notice (银保监规〔2022〕13号).
    CCM_57A, CCM_57B, CCM_66, CCM_67, CCM_68A, CCM_68B, CCM_68C, CCM_69A, CCM_69B,
    CCM_70A, CCM_70B, CCM_70C, CCM_70D, CCM_70D_RELEASE, CCM_70E, CCM_70E_RECALL, CCM_70F, CCM_70F_KEEP,
    CCN22_APPLY, CCN22_DISC, CCN22_SEP, CCN22_FUND, CCN22_REINST, CCN22_MIN, CCN22_LUMP, CCN22_RANGE, CCN22_TERM,
    CCN22_CASH, CCN22_INT, CCN22_EARLY,
    # The price shown: yearly rate (年化利率) and all-in cost (综合融资成本).
    APR21_1, APR21_3, APR21_4, AIC26_FORM, AIC26_SITE, AIC26_ONLINE, AIC26_PARTY, AIC26_OLD,
    # Contract and signature.
    CC_490, CC_496, SPC_CONTRACT_10, CC_543, CC_544, CC_670, CC_677, CC_695, SPC_CONTRACT_65, CC_1033, ES_13, ES_14,
    CITE_1,
    # Debits (代收).
    DDB_AUTH, DDB_MATCH, DDB_LIMIT, DDB_REVOKE, BATCH_ONCE, BATCH_CUT, WAGE_33,
    # Collection (催收).
    COLL_CBA_HOURS, COLL_CBA_DIAL, COLL_GB_CALLS, COLL_GB_WHO, COLL_CBA_3P, COLL_CBA_SRC, COLL_CBA_REC, COLL_CBA_BAN,
    COLL_AGY,
    # Personal data, credit reporting, records.
    PIPL_6, PIPL_13, PIPL_17, PIPL_19, PIPL_21, PIPL_24, PIPL_28, PIPL_30, PIPL_47, PIPL_55, NFRA_CP_1,
    CRED_15, CRED_18, AML_28, AML_29, AML_34C_2006, AML_34C,
)  # fmt: skip
