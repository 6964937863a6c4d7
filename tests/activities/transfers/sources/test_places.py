"""Files of transfer jobs are named plainly and lie where they are looked for."""

from pathlib import Path

import pytest

from activities.transfers.sources.places import file_of
from models.errors import FormInvalid


@pytest.mark.parametrize("name", ["", ".", "..", "../a.csv", "/etc/passwd", ".hidden", "a\x00", "a\\b"])
def test_a_source_is_named_plainly(tmp_path: Path, name: str) -> None:
    with pytest.raises(FormInvalid):
        file_of(tmp_path, name)


def test_a_link_that_leads_elsewhere_is_no_source(tmp_path: Path) -> None:
    (tmp_path / "a.csv").symlink_to("/etc/hostname")
    with pytest.raises(FormInvalid):
        file_of(tmp_path, "a.csv")
