"""One app for many tests: to register every route takes longer than most tests of them."""

import dataclasses
import os
from dataclasses import dataclass
from typing import Final

from litestar import Litestar

from api.app import create_app
from api.deps import ApiDeps, ApiSettings

_KEPT: Final = 4


@dataclass(slots=True)
class _Kept:
    app: Litestar
    deps: ApiDeps
    settings: ApiSettings
    test: str


_APPS: list[_Kept] = []


def shared_app(deps: ApiDeps, *, settings: ApiSettings) -> tuple[Litestar, ApiDeps]:
    """An app that only this test uses, and what its handlers reach: `deps`, held by the object the app knows.

    Only the metrics are those of the app, and go on from test to test.
    """
    test = os.environ["PYTEST_CURRENT_TEST"].rpartition(" ")[0]
    for kept in _APPS:
        if kept.test != test and kept.settings == settings:
            kept.test = test
            for field in dataclasses.fields(ApiDeps):
                if field.name != "metrics":
                    setattr(kept.deps, field.name, getattr(deps, field.name))
            return kept.app, kept.deps
    app = create_app(deps, settings=settings)
    if len(_APPS) < _KEPT:
        _APPS.append(_Kept(app, deps, settings, test))
    return app, deps
