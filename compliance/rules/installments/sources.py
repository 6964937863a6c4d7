"""The laws, notices and standards that the installment rules rest on, each named once."""

from datetime import date
from typing import Final

from compliance.rules.results import Authority
from compliance.rules.source import Source

CARD_MEASURES: Final = Source(
    zh="商业银行信用卡业务监督管理办法",
    en="Measures for the Supervision and Administration of the Credit Card Business of Commercial Banks",
    authority=Authority.DEPARTMENT_RULE,
    since=date(2011, 1, 13),
)
CARD_NOTICE: Final = Source(
    zh="关于进一步促进信用卡业务规范健康发展的通知",
    en="Notice on Further Promoting the Standardised and Healthy Development of the Credit Card Business",
    authority=Authority.NORMATIVE_DOCUMENT,
    since=date(2022, 7, 7),
    number_zh="银保监规〔2022〕13号",
    number_en="Yin Bao Jian Gui [2022] No. 13",
)
YEARLY_RATE_NOTICE: Final = Source(
    zh="中国人民银行公告〔2021〕第3号",
    en="Announcement of the People's Bank of China [2021] No. 3",
    authority=Authority.NORMATIVE_DOCUMENT,
    since=date(2021, 3, 31),
)
COST_STATEMENT: Final = Source(
    zh="个人贷款业务明示综合融资成本规定",
    en="Provisions on Stating the All-in Financing Cost of Personal Loans",
    authority=Authority.NORMATIVE_DOCUMENT,
    since=date(2026, 8, 1),
    number_zh="金规〔2026〕2号",
    number_en="Jin Gui [2026] No. 2",
)
CIVIL_CODE: Final = Source(
    zh="中华人民共和国民法典",
    en="Civil Code of the People's Republic of China",
    authority=Authority.LAW,
    since=date(2021, 1, 1),
)
CONTRACT_INTERPRETATION: Final = Source(
    zh="最高人民法院关于适用〈中华人民共和国民法典〉合同编通则若干问题的解释",
    en="Interpretation of the Supreme People's Court on the General Provisions of the Book on Contracts",
    authority=Authority.JUDICIAL_INTERPRETATION,
    since=date(2023, 12, 5),
)
ESIGN_LAW: Final = Source(
    zh="中华人民共和国电子签名法",
    en="Electronic Signature Law of the People's Republic of China",
    authority=Authority.LAW,
    since=date(2005, 4, 1),
)
PERSONAL_DATA_LAW: Final = Source(
    zh="中华人民共和国个人信息保护法",
    en="Personal Information Protection Law of the People's Republic of China",
    authority=Authority.LAW,
    since=date(2021, 11, 1),
)
CONSUMER_MEASURES: Final = Source(
    zh="银行保险机构消费者权益保护管理办法",
    en="Measures for the Protection of Consumers of Banking and Insurance Institutions",
    authority=Authority.DEPARTMENT_RULE,
    since=date(2023, 3, 1),
    number_zh="银保监会令2022年第9号",
    number_en="CBIRC Order [2022] No. 9",
)
AML_LAW: Final = Source(
    zh="中华人民共和国反洗钱法",
    en="Anti-Money Laundering Law of the People's Republic of China",
    authority=Authority.LAW,
    since=date(2025, 1, 1),  # as revised in 2024
)
BANK_LAW: Final = Source(
    zh="中华人民共和国商业银行法",
    en="Law of the People's Republic of China on Commercial Banks",
    authority=Authority.LAW,
    since=date(2015, 10, 1),  # as amended in 2015
)
CREDIT_REPORTING: Final = Source(
    zh="征信业管理条例",
    en="Regulation on the Administration of the Credit Reporting Industry",
    authority=Authority.ADMINISTRATIVE_REGULATION,
    since=date(2013, 3, 15),
)
MIGRANT_WAGES: Final = Source(
    zh="保障农民工工资支付条例",
    en="Regulation on Ensuring Wage Payment to Migrant Workers",
    authority=Authority.ADMINISTRATIVE_REGULATION,
    since=date(2020, 5, 1),
)
DIRECT_DEBIT: Final = Source(
    zh="中国人民银行关于规范代收业务的通知",
    en="Notice of the People's Bank of China on Regulating Direct Debit Business",
    authority=Authority.NORMATIVE_DOCUMENT,
    since=date(2020, 10, 26),
    number_zh="银发〔2020〕248号",
    number_en="Yin Fa [2020] No. 248",
)
COLLECTION_GUIDE: Final = Source(
    zh="金融机构个人消费类贷款催收工作指引（试行）",
    en="Guidelines on Collecting Personal Consumer Loans by Financial Institutions (for Trial Implementation)",
    authority=Authority.SELF_REGULATION,
    since=date(2026, 1, 30),
    number_zh="中国银行业协会",
    number_en="China Banking Association",
)
COLLECTION_STANDARD: Final = Source(
    zh="互联网金融 个人网络消费信贷 贷后催收风控指引",
    en="Internet Finance: Personal Online Consumer Credit: Guidelines on Risk Control in Post-Loan Collection",
    authority=Authority.STANDARD,
    since=date(2025, 2, 28),
    number_zh="GB/T 45251-2025",
    number_en="GB/T 45251-2025",
)
