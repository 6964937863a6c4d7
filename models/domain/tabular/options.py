"""How a file with rows is read: encoding, delimiter, header, sheet."""

from typing import Annotated, Literal

from pydantic import Field

from models.domain.tabular.shape import Shape


class FileOptions(Shape):
    """How a file is read; what is not said is found out.

    Attributes:
        header: number of the line with the names of the columns; 0: there is none, and columns are called 1, 2, 3 …
        sheet: name of the sheet of a workbook; the first one unless named.
    """

    encoding: Literal["utf-8", "gb18030", "utf-16"] | None = None
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] | None = None
    quote: Annotated[str, Field(min_length=1, max_length=1)] = '"'
    header: Annotated[int, Field(ge=0, le=100)] = 1
    sheet: Annotated[str, Field(min_length=1, max_length=200)] | None = None
