"""CRIM-5, NDSR-12: rows that leave without an approved job, and the record of data given away (数据导出).

侵犯公民个人信息刑事案件解释 Art. 5: fifty items of location, communication, credit or property, five hundred of
health, communication records or transactions, five thousand of other data; half of that for data obtained on duty,
which is where the alarm stands. 网络数据安全管理条例 Art. 12: a contract, supervision, and a record kept for three
years.
"""

from typing import Final

from compliance.rules.demands import at_most, if_no, kept_years, rule, yes
from compliance.rules.laws import DATA_CRIMES, NETWORK_DATA
from compliance.rules.results import Severity, Verified

GRAVE_ROWS: Final = 25
SERIOUS_ROWS: Final = 250
OTHER_ROWS: Final = 2_500
YEARS: Final = 3

CRIM_5: Final = rule(
    "CRIM-5",
    DATA_CRIMES.article("第五条", "Article 5"),
    source=DATA_CRIMES,
    verified=Verified.TEXT,
    severity=Severity.WARN,
    when=if_no("export_job_approved", otherwise="approved"),
    kept="below",
    demands=(
        at_most("export_rows_grave", GRAVE_ROWS - 1, otherwise="grave"),
        at_most("export_rows_serious", SERIOUS_ROWS - 1, otherwise="serious"),
        at_most("export_rows_other", OTHER_ROWS - 1, otherwise="other"),
    ),
    params={
        "grave_rows": (GRAVE_ROWS, "法释〔2017〕10号 Art. 5: half of 50, inclusive"),
        "serious_rows": (SERIOUS_ROWS, "法释〔2017〕10号 Art. 5: half of 500, inclusive"),
        "other_rows": (OTHER_ROWS, "法释〔2017〕10号 Art. 5: half of 5,000, inclusive"),
    },
)
NDSR_12: Final = rule(
    "NDSR-12",
    NETWORK_DATA.article("第十二条", "Article 12"),
    source=NETWORK_DATA,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    kept="recorded",
    demands=(
        yes("recipient_contract", otherwise="no-contract"),
        yes("recipient_supervised", otherwise="not-supervised"),
        kept_years(
            "processing_record_kept_until", since="processing_record_made_on", years=YEARS, otherwise="kept-too-short"
        ),
    ),
    params={
        "years": (YEARS, "网络数据安全管理条例 Art. 12: at least three years"),
    },
)
