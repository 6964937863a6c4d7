"""What of a customer's record can be shown, and how (`models.domain.privacy.words.Mask`)."""

from enum import StrEnum
from typing import Final

from models.domain.privacy.words import Mask


class CustomerField(StrEnum):
    """One field of a record, revealed by itself; named in the texts as `record-field.<value>`."""

    CUSTOMER_NO = "customer_no"
    NAME = "name"
    ID_NUMBER = "id_number"
    MOBILE = "mobile"
    EMAIL = "email"
    ACCOUNT = "account"
    ID_VALID_UNTIL = "id_valid_until"
    SEX = "sex"
    BIRTH_DATE = "birth_date"
    NATIONALITY = "nationality"
    OCCUPATION = "occupation"
    EMPLOYER = "employer"
    EMPLOYER_USCC = "employer_uscc"
    ADDRESS = "address"
    POSTCODE = "postcode"


class CustomerState(StrEnum):
    """What may be done with a record."""

    ACTIVE = "active"
    LOCKED = "locked"  # 只存储: a law keeps it, no purpose does
    MOVED_OUT = "moved-out"


# What is opened to be shown without a reason; everything else of a record takes a reveal.
SHOWN: Final = {
    CustomerField.CUSTOMER_NO: Mask.CARD,
    CustomerField.NAME: Mask.NAME,
    CustomerField.ID_NUMBER: Mask.ID_NUMBER,
    CustomerField.MOBILE: Mask.PHONE,
    CustomerField.EMAIL: Mask.EMAIL,
    CustomerField.ACCOUNT: Mask.CARD,
    CustomerField.ADDRESS: Mask.ADDRESS,
}
# What records are found by.
SEARCHED: Final = (
    CustomerField.CUSTOMER_NO,
    CustomerField.ID_NUMBER,
    CustomerField.MOBILE,
    CustomerField.ACCOUNT,
)
