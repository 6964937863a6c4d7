"""Words of batch files: formats, kinds of field, units."""

from enum import StrEnum


class FileFormat(StrEnum):
    """How a file is built."""

    CSV = "csv"
    XLSX = "xlsx"
    PARQUET = "parquet"
    FIXED = "fixed"  # 定长


class FieldKind(StrEnum):
    """What a field holds, and so how it is checked and masked."""

    REFERENCE = "reference"  # 流水号: the sender's own number of the row
    NAME = "name"
    ID_TYPE = "id-type"
    ID_NUMBER = "id-number"
    MOBILE = "mobile"
    ACCOUNT = "account"  # check digit where it is a card
    CARD = "card"  # always with a check digit
    BANK = "bank"  # CNAPS number or BIC
    AMOUNT = "amount"  # to minor units, exactly
    DATE = "date"
    NUMBER = "number"  # a whole one
    CODE = "code"
    CODES = "codes"  # several, between spaces or list marks
    TEXT = "text"


class AmountUnit(StrEnum):
    """How amounts are written."""

    YUAN = "yuan"  # with at most two decimals
    MINOR = "minor"  # 分, whole


class WidthUnit(StrEnum):
    """What places of fixed width count."""

    BYTES = "bytes"
    CHARACTERS = "characters"
