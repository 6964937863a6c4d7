"""CRYPT-27 to CRYPT-ALG: commercial cryptography and its assessment (商用密码、密评).

密码法 Art. 27; 商用密码管理条例 Arts. 38, 39, 41: planned, built and run together, assessed before going live and once
a year at least; certified products; others by graded protection. GB/T 39786-2021 and the algorithms are recalled only.
"""

from typing import Final

from compliance.rules.demands import all_of, demand, earlier, holds_all, if_yes, rule, within_years, yes
from compliance.rules.laws import CIPHER_STANDARDS, CRYPTOGRAPHY_LAW, CRYPTOGRAPHY_REGULATION, CRYPTOGRAPHY_STANDARD
from compliance.rules.results import Severity, Verified
from models.domain.security_words import ALGORITHMS, CRYPTO_AIMS

YEARS: Final = 1

CRYPT_27: Final = rule(
    "CRYPT-27",
    CRYPTOGRAPHY_LAW.article("第二十七条", "Article 27"),
    source=CRYPTOGRAPHY_LAW,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    when=if_yes("critical_operator", otherwise="no-ciio"),
    kept="assessed",
    demands=(yes("crypto_assessment_valid", otherwise="not-assessed"),),
)
CRYPT_38: Final = rule(
    "CRYPT-38",
    CRYPTOGRAPHY_REGULATION.article("第三十八条", "Article 38"),
    source=CRYPTOGRAPHY_REGULATION,
    verified=Verified.TEXT,
    severity=Severity.WARN,
    when=if_yes("crypto_required", otherwise="not-required"),
    kept="in-time",
    demands=(
        yes("crypto_planned_together", otherwise="not-together"),
        demand("crypto_assessment_valid", holds=lambda seen: seen["crypto_assessment_valid"], otherwise="not-passed"),
        within_years("crypto_asked_on", since="crypto_assessed_on", years=YEARS, otherwise="overdue"),
        earlier("crypto_first_passed_on", than="system_live_on", otherwise="live-first"),
    ),
    params={
        "years": (YEARS, "商用密码管理条例 Art. 38"),
    },
)
CRYPT_39: Final = rule(
    "CRYPT-39",
    CRYPTOGRAPHY_REGULATION.article("第三十九条", "Article 39"),
    source=CRYPTOGRAPHY_REGULATION,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    kept="certified",
    demands=(all_of("crypto_products_certified", of="crypto_products", otherwise="not-certified"),),
)
CRYPT_41: Final = rule(
    "CRYPT-41",
    CRYPTOGRAPHY_REGULATION.article("第四十一条", "Article 41"),
    source=CRYPTOGRAPHY_REGULATION,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    kept="followed",
    demands=(yes("protection_grade_followed", otherwise="not-followed"),),
)
CRYPT_39786: Final = rule(
    "CRYPT-39786",
    CRYPTOGRAPHY_STANDARD.unnumbered(),
    source=CRYPTOGRAPHY_STANDARD,
    verified=Verified.MEMORY,
    severity=Severity.WARN,
    kept="met",
    demands=(holds_all("crypto_aims_met", CRYPTO_AIMS, otherwise="not-met"),),
    params={
        "aims": (CRYPTO_AIMS, "GB/T 39786-2021, from memory"),
    },
)
CRYPT_ALG: Final = rule(
    "CRYPT-ALG",
    CIPHER_STANDARDS.unnumbered(),
    source=CIPHER_STANDARDS,
    verified=Verified.MEMORY,
    severity=Severity.WARN,
    kept="allowed",
    demands=(
        demand(
            "algorithms_used",
            "algorithms_by_policy",
            holds=lambda seen: (
                frozenset(seen["algorithms_used"]) <= frozenset(ALGORITHMS) | frozenset(seen["algorithms_by_policy"])
            ),
            otherwise="other-algorithm",
        ),
    ),
    params={
        "algorithms": (ALGORITHMS, "SM2, SM3, SM4, from memory"),
    },
)
