"""One entry of the catalogue of personal data."""

from dataclasses import dataclass
from fnmatch import fnmatchcase

from models.domain.privacy.words import DataClass, Export, Grade, Mask, Purpose, Sensitivity, Storage

FILE_PREFIX = "file:"


@dataclass(frozen=True, kw_only=True, slots=True)
class PersonalField:
    """A personal field that the product holds. Its name is the text `privacy-field.<id>`.

    Attributes:
        id: stable; lower-case letters, digits and hyphens.
        places: where it lies: `table.column`, or `file:<kind>` for sealed files (`DocumentKind`). The column of what
            lies in clear may be a pattern (`agreement_rows.*_minor`).
        retention: id of the rule after which it is deleted (`models.domain.privacy.retention`).
        inside: of what is a part of a sealed text or file: the id of that.
        inputs: fields of forms in which it comes in, as `ApplicantBody.name`.
    """

    id: str
    places: tuple[str, ...]
    storage: Storage
    data_class: DataClass
    sensitivity: Sensitivity
    grade: Grade
    mask: Mask
    purpose: Purpose
    retention: str
    export: Export
    inside: str | None = None
    inputs: tuple[str, ...] = ()

    def lies_in(self, place: str) -> bool:
        """Whether this column or kind of file is one of its places."""
        return any(fnmatchcase(place, pattern) for pattern in self.places)
