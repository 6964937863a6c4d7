"""The laws, regulations and standards that the rules outside installments rest on, each named once."""

from datetime import date
from typing import Final

from compliance.rules.results import Authority
from compliance.rules.source import Source

CARD_INTERPRETATION: Final = Source(
    zh="最高人民法院关于审理银行卡民事纠纷案件若干问题的规定",
    en="Provisions of the Supreme People's Court on Civil Disputes over Bank Cards",
    authority=Authority.JUDICIAL_INTERPRETATION,
    since=date(2021, 5, 25),
)
TIME_EFFECT: Final = Source(
    zh="最高人民法院关于适用〈中华人民共和国民法典〉时间效力的若干规定",
    en="Provisions of the Supreme People's Court on the Effect of the Civil Code in Time",
    authority=Authority.JUDICIAL_INTERPRETATION,
    since=date(2021, 1, 1),
)
CONSUMER_LAW: Final = Source(
    zh="中华人民共和国消费者权益保护法",
    en="Law of the People's Republic of China on the Protection of Consumer Rights and Interests",
    authority=Authority.LAW,
    since=date(2014, 3, 15),  # as amended in 2013
)
COMPANY_LAW: Final = Source(
    zh="中华人民共和国公司法",
    en="Company Law of the People's Republic of China",
    authority=Authority.LAW,
    since=date(2024, 7, 1),  # as revised in 2023
)
MARKET_REGISTER: Final = Source(
    zh="中华人民共和国市场主体登记管理条例",
    en="Regulation of the People's Republic of China on the Registration of Market Entities",
    authority=Authority.ADMINISTRATIVE_REGULATION,
    since=date(2022, 3, 1),
)
TAX_LAW: Final = Source(
    zh="中华人民共和国税收征收管理法",
    en="Law of the People's Republic of China on the Administration of Tax Collection",
    authority=Authority.LAW,
    since=date(2015, 4, 24),  # as amended in 2015
)
TAX_REGULATION: Final = Source(
    zh="中华人民共和国税收征收管理法实施细则",
    en="Rules for Implementing the Law on the Administration of Tax Collection",
    authority=Authority.ADMINISTRATIVE_REGULATION,
    since=date(2016, 2, 6),  # as amended in 2016
)
NETWORK_DATA: Final = Source(
    zh="网络数据安全管理条例",
    en="Regulation on Network Data Security",
    authority=Authority.ADMINISTRATIVE_REGULATION,
    since=date(2025, 1, 1),
)
CROSS_BORDER_FLOWS: Final = Source(
    zh="促进和规范数据跨境流动规定",
    en="Provisions on Promoting and Regulating Cross-Border Data Flows",
    authority=Authority.DEPARTMENT_RULE,
    since=date(2024, 3, 22),
)
DATA_AUDITS: Final = Source(
    zh="个人信息保护合规审计管理办法",
    en="Measures for Compliance Audits of Personal Information Protection",
    authority=Authority.DEPARTMENT_RULE,
    since=date(2025, 5, 1),
)
DATA_SECURITY_LAW: Final = Source(
    zh="中华人民共和国数据安全法",
    en="Data Security Law of the People's Republic of China",
    authority=Authority.LAW,
    since=date(2021, 9, 1),
)
BANK_DATA_MEASURES: Final = Source(
    zh="银行保险机构数据安全管理办法",
    en="Measures for the Data Security of Banking and Insurance Institutions",
    authority=Authority.NORMATIVE_DOCUMENT,
    since=date(2024, 12, 27),
    number_zh="金规〔2024〕24号",
    number_en="Jin Gui [2024] No. 24",
)
PBOC_DATA_MEASURES: Final = Source(
    zh="中国人民银行业务领域数据安全管理办法",
    en="Measures for Data Security in the Business Fields of the People's Bank of China",
    authority=Authority.DEPARTMENT_RULE,
    since=date(2025, 6, 30),
)
SENSITIVE_DATA_STANDARD: Final = Source(
    zh="数据安全技术 敏感个人信息处理安全要求",
    en="Data Security Technology: Security Requirements for Processing Sensitive Personal Information",
    authority=Authority.STANDARD,
    since=date(2025, 11, 1),
    number_zh="GB/T 45574-2025",
    number_en="GB/T 45574-2025",
)
PERSONAL_DATA_STANDARD: Final = Source(
    zh="信息安全技术 个人信息安全规范",
    en="Information Security Technology: Personal Information Security Specification",
    authority=Authority.STANDARD,
    since=date(2020, 10, 1),
    number_zh="GB/T 35273-2020",
    number_en="GB/T 35273-2020",
)
CYBERSECURITY_LAW: Final = Source(
    zh="中华人民共和国网络安全法",
    en="Cybersecurity Law of the People's Republic of China",
    authority=Authority.LAW,
    since=date(2017, 6, 1),
)
FRAUD_LAW: Final = Source(
    zh="中华人民共和国反电信网络诈骗法",
    en="Law of the People's Republic of China on Combating Telecom and Online Fraud",
    authority=Authority.LAW,
    since=date(2022, 12, 1),
)
PAYMENT_INSTITUTIONS: Final = Source(
    zh="非银行支付机构监督管理条例",
    en="Regulation on the Supervision of Non-Bank Payment Institutions",
    authority=Authority.ADMINISTRATIVE_REGULATION,
    since=date(2024, 5, 1),
)
DATA_CRIMES: Final = Source(
    zh="最高人民法院、最高人民检察院关于办理侵犯公民个人信息刑事案件适用法律若干问题的解释",
    en="Interpretation of the Supreme People's Court and Procuratorate on Crimes against Personal Information",
    authority=Authority.JUDICIAL_INTERPRETATION,
    since=date(2017, 6, 1),
)
CRYPTOGRAPHY_LAW: Final = Source(
    zh="中华人民共和国密码法",
    en="Cryptography Law of the People's Republic of China",
    authority=Authority.LAW,
    since=date(2020, 1, 1),
)
CRYPTOGRAPHY_REGULATION: Final = Source(
    zh="商用密码管理条例",
    en="Regulation on Commercial Cryptography",
    authority=Authority.ADMINISTRATIVE_REGULATION,
    since=date(2023, 7, 1),
)
CRYPTOGRAPHY_STANDARD: Final = Source(
    zh="信息安全技术 信息系统密码应用基本要求",
    en="Information Security Technology: Baseline for Cryptography Application of Information Systems",
    authority=Authority.STANDARD,
    since=date(2021, 10, 1),
    number_zh="GB/T 39786-2021",
    number_en="GB/T 39786-2021",
)
CIPHER_STANDARDS: Final = Source(
    zh="商用密码算法国家标准（SM2、SM3、SM4）",
    en="National Standards of Commercial Cipher Algorithms (SM2, SM3, SM4)",
    authority=Authority.STANDARD,
    since=date(2020, 1, 1),  # of the Cryptography Law; the dates of the standards were not seen
)
FINANCIAL_DATA_STANDARD: Final = Source(
    zh="个人金融信息保护技术规范",
    en="Technical Specification for the Protection of Personal Financial Information",
    authority=Authority.STANDARD,
    since=date(2020, 2, 13),
    number_zh="JR/T 0171-2020",
    number_en="JR/T 0171-2020",
)
DUE_DILIGENCE_MEASURES: Final = Source(
    zh="金融机构客户尽职调查和客户身份资料及交易记录保存管理办法",
    en="Measures for Customer Due Diligence and for Keeping Identity Data and Transaction Records",
    authority=Authority.DEPARTMENT_RULE,
    since=date(2026, 1, 1),
)
COMPLAINT_MEASURES: Final = Source(
    zh="银行业保险业消费投诉处理管理办法",
    en="Measures for Handling Consumer Complaints in Banking and Insurance",
    authority=Authority.DEPARTMENT_RULE,
    since=date(2020, 3, 1),
)
WAGE_PROVISIONS: Final = Source(
    zh="工资支付暂行规定",
    en="Interim Provisions on Wage Payment",
    authority=Authority.DEPARTMENT_RULE,
    since=date(1995, 1, 1),
    number_zh="劳部发〔1994〕489号",
    number_en="Lao Bu Fa [1994] No. 489",
)
CONSUMER_FINANCE_MEASURES: Final = Source(
    zh="消费金融公司管理办法",
    en="Measures for Consumer Finance Companies",
    authority=Authority.DEPARTMENT_RULE,
    since=date(2024, 4, 18),
)
INCIDENT_MEASURES: Final = Source(
    zh="国家网络安全事件报告管理办法",
    en="National Measures for Reporting Cybersecurity Incidents",
    authority=Authority.NORMATIVE_DOCUMENT,
    since=date(2025, 11, 1),
)
PBOC_INCIDENT_MEASURES: Final = Source(
    zh="中国人民银行业务领域网络安全事件报告管理办法",
    en="Measures for Reporting Cybersecurity Incidents in the Business Fields of the People's Bank of China",
    authority=Authority.DEPARTMENT_RULE,
    since=date(2025, 8, 1),
    number_zh="中国人民银行令〔2025〕第4号",
    number_en="PBoC Order [2025] No. 4",
)
ENGINE_CONVENTIONS: Final = Source(
    zh="规则引擎约定",
    en="Conventions of the Rules Engine",
    authority=Authority.SELF_REGULATION,
    since=date(2021, 1, 1),
    number_zh="docs/rules.md",
    number_en="docs/rules.md",
)
