"""Files of transfer jobs: in the exchange directory, a folder for each tenant, named by their plain names.

They lie outside the data directory, since they are in clear.
"""

from pathlib import Path

from models.errors import FieldFault, FormInvalid


def file_of(folder: Path, name: str) -> Path:
    """The file of that name.

    Raises:
        FormInvalid: no plain name, no such file, or a link that leads elsewhere.
    """
    if name in {"", ".", ".."} or Path(name).name != name or name.startswith(".") or "\x00" in name or "\\" in name:
        raise _refused("source-name")
    path = folder / name
    if path.is_symlink() or not path.is_file():
        raise _refused("source-missing")
    return path


def _refused(code: str) -> FormInvalid:
    return FormInvalid(faults=(FieldFault(pointer="/place", code=code),))
