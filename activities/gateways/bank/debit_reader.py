"""Reads the fields of one debit of a pain.008: quickly in the shape that our writer gives it, by paths in any other."""

import re
from dataclasses import dataclass

from lxml import etree

from activities.gateways.bank.fields import NOT_PROVIDED
from activities.gateways.bank.profiles import AccountScheme, AgentScheme, BankProfile
from activities.gateways.bank.xml_stream import Element, Reader

_VALUE = r"([^<&]*)"


@dataclass(slots=True)
class DebitFields:
    """The texts of one debit as they stand in the file; empty where there is none."""

    instruction: str
    end_to_end: str
    amount: str
    currency: str
    mandate: str
    signed: str
    bank: str
    name: str
    account: str
    remittance: str
    sequence: str = ""


class DebitReader:
    """Reads debits of one profile and namespace."""

    def __init__(self, profile: BankProfile, *, namespace: str) -> None:
        iban = profile.accounts is AccountScheme.IBAN
        bic = profile.agents is AgentScheme.BIC
        self.account_path = "IBAN" if iban else "Othr/Id"
        self.bank_path = profile.bic_element if bic else "ClrSysMmbId/MmbId"
        self._paths = Reader(
            namespace,
            "PmtId/InstrId",
            "PmtId/EndToEndId",
            "InstdAmt",
            "InstdAmt/@Ccy",
            "DrctDbtTx/MndtRltdInf/MndtId",
            "DrctDbtTx/MndtRltdInf/DtOfSgntr",
            f"DbtrAgt/FinInstnId/{self.bank_path}",
            "DbtrAgt/FinInstnId/Othr/Id",
            "Dbtr/Nm",
            f"DbtrAcct/Id/{self.account_path}",
            "RmtInf/Ustrd",
            "PmtTpInf/SeqTp",
        )
        account = f"<IBAN>{_VALUE}</IBAN>" if iban else f"<Othr><Id>{_VALUE}</Id></Othr>"
        system = (
            f"<ClrSysMmbId><ClrSysId><Cd>{profile.clearing_system}</Cd></ClrSysId><MmbId>{_VALUE}</MmbId></ClrSysMmbId>"
        )
        bank = f"<{profile.bic_element}>{_VALUE}</{profile.bic_element}>" if bic else system
        self._shape = re.compile(
            f'<DrctDbtTxInf xmlns="{re.escape(namespace)}">'
            f"<PmtId><InstrId>{_VALUE}</InstrId><EndToEndId>{_VALUE}</EndToEndId></PmtId>"
            f'<InstdAmt Ccy="([A-Z]*)">{_VALUE}</InstdAmt>'
            f"<DrctDbtTx><MndtRltdInf><MndtId>{_VALUE}</MndtId><DtOfSgntr>{_VALUE}</DtOfSgntr></MndtRltdInf></DrctDbtTx>"
            f"<DbtrAgt><FinInstnId>(?:{bank}|<Othr><Id>{NOT_PROVIDED}</Id></Othr>)</FinInstnId></DbtrAgt>"
            f"<Dbtr><Nm>{_VALUE}</Nm></Dbtr>"
            f"<DbtrAcct><Id>{account}</Id></DbtrAcct>"
            f"(?:<RmtInf><Ustrd>{_VALUE}</Ustrd></RmtInf>)?</DrctDbtTxInf>"
        )

    def read(self, element: Element) -> DebitFields:
        """The fields of a debit."""
        match = self._shape.fullmatch(str(etree.tostring(element, encoding="unicode", with_tail=False)))
        if match is not None:
            found = match.groups("")
            return DebitFields(
                instruction=found[0],
                end_to_end=found[1],
                amount=found[3],
                currency=found[2],
                mandate=found[4],
                signed=found[5],
                bank=found[6] or NOT_PROVIDED,
                name=found[7],
                account=found[8],
                remittance=found[9],
            )
        return self._by_paths(element)

    def _by_paths(self, element: Element) -> DebitFields:
        values = self._paths.read(element)
        return DebitFields(
            instruction=values[0],
            end_to_end=values[1],
            amount=values[2],
            currency=values[3],
            mandate=values[4],
            signed=values[5],
            bank=values[6] or values[7],
            name=values[8],
            account=values[9],
            remittance=values[10],
            sequence=values[11],
        )
