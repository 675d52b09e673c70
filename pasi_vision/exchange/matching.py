"""Which photograph of photos.csv an annotation file means: tools change names by paths, prefixes and web addresses."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePosixPath
from urllib.parse import unquote

from pasi_vision.errors import InputError

__all__ = ["matched"]

_UPLOAD_PREFIX = re.compile(r"^[0-9a-f]{8}-")  # Label Studio puts it before the name of an uploaded file


def matched(name: str, paths: Sequence[str], where: str) -> int:
    """Index of the photograph that `name` means: the same path, else file name, else name before the ending.

    Raises:
        InputError: None or several have that name.
    """
    wanted = unquote(name).replace("\\", "/").split("?d=")[-1].split("?")[0]
    file = PurePosixPath(wanted).name
    bare = _UPLOAD_PREFIX.sub("", file)
    tests = (
        lambda path: path == wanted,
        lambda path: PurePosixPath(path).name == file,
        lambda path: PurePosixPath(path).name == bare,
        lambda path: PurePosixPath(path).stem == PurePosixPath(file).stem,
        lambda path: PurePosixPath(path).stem == PurePosixPath(bare).stem,
    )
    for test in tests:
        found = [at for at, path in enumerate(paths) if test(path)]
        if len(found) > 1:
            raise InputError(
                f"{name!r} may be {paths[found[0]]!r} or {paths[found[1]]!r}",
                where=where,
                fix="Give photographs names of their own.",
            )
        if found:
            return found[0]
    raise InputError(f"{name!r} is not in photos.csv", where=where, fix="Add its row, or leave it out of the export.")
