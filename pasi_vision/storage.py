"""Files of our own: written whole or not at all, hashed, and found inside a checkout or an installed package.

Untrusted photographs are decoded in `photo/read.py` only; the PNG masks and package pictures read here were written by us.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import io
import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from pasi_vision.errors import InputError, OutputError

__all__ = [
    "output_folder",
    "read_picture",
    "resource",
    "sha256_of",
    "write_bytes",
    "write_json",
    "write_picture",
    "write_text",
    "writing",
]


def resource(kind: str, name: str = "") -> Path:
    """Path of packaged data: `kind` is "configs", "models" or "sample".

    An installed wheel carries them inside the package; a checkout has them at its top.

    Raises:
        InputError: There is no such file or folder.
    """
    package = Path(__file__).resolve().parent
    installed = package / f"_{kind}"
    in_checkout = package.parent / ("data/sample" if kind == "sample" else kind)
    base = installed if installed.exists() else in_checkout
    path = base / name if name else base
    if not path.exists():
        raise InputError(f"packaged {kind} {name!r} not found", where=str(path), fix="Install the package again.")
    return path


def sha256_of(source: Path | bytes) -> str:
    """SHA-256 of a file's or a byte string's content, as 64 hex digits."""
    if isinstance(source, bytes):
        return hashlib.sha256(source).hexdigest()
    with source.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def output_folder(path: str | Path) -> Path:
    """Make (if need be) a folder that results can be written to.

    Raises:
        OutputError: It is a file, or cannot be made or written to.
    """
    folder = Path(path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise _output_error(folder, error) from error
    return folder


@contextlib.contextmanager
def writing(path: str | Path, mode: str = "wb", **open_options: Any) -> Iterator[IO[Any]]:
    """Open a temporary file beside `path` and put it in place when the block ends well; on any error nothing stays.

    Raises:
        OutputError: The file cannot be written (folder missing, no permission, disk full).
    """
    target = Path(path)
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        with temporary.open(mode, **open_options) as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(target)
    except OSError as error:
        raise _output_error(target, error) from error
    finally:
        with contextlib.suppress(OSError):  # also where its folder is a file: the error under way says so
            temporary.unlink(missing_ok=True)


def write_bytes(path: str | Path, data: bytes) -> None:
    """Write bytes whole or not at all."""
    with writing(path) as stream:
        stream.write(data)


def write_text(path: str | Path, text: str) -> None:
    """Write UTF-8 text whole or not at all."""
    write_bytes(path, text.encode("utf-8"))


def write_json(path: str | Path, value: Any) -> None:
    """Write JSON (indented, sorted as given, NaN refused) whole or not at all."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def write_picture(path: str | Path, pixels: NDArray[np.uint8], *, quality: int | None = None) -> None:
    """Write an 8-bit grey (H, W) or sRGB (H, W, 3) picture as PNG, or as JPEG or WebP of `quality` where the name ends so."""
    from PIL import Image

    options: dict[str, Any] = {"quality": quality} if quality is not None else {}
    suffix = Path(path).suffix.lower()
    format_name = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}[suffix]
    if format_name == "PNG":
        options["compress_level"] = 6
    with writing(path) as stream:
        Image.fromarray(pixels).save(stream, format=format_name, **options)


def read_picture(source: str | Path | bytes, *, grey: bool = False) -> NDArray[np.uint8]:
    """Read a picture that this package wrote: (H, W) uint8 if `grey`, else (H, W, 3) uint8 sRGB. Not for photographs.

    Args:
        source: Its file, or its bytes.
        grey: One channel.

    Raises:
        InputError: The file is missing or is not a picture.
    """
    from PIL import Image, UnidentifiedImageError

    path = "bytes" if isinstance(source, bytes) else source
    try:
        with Image.open(io.BytesIO(source) if isinstance(source, bytes) else source) as image:
            return np.asarray(image.convert("L" if grey else "RGB"))
    except FileNotFoundError as error:
        raise InputError("file not found", where=str(path), fix="Check the path.") from error
    except (OSError, UnidentifiedImageError, SyntaxError, ValueError) as error:
        raise InputError(f"not a readable picture ({error})", where=str(path), fix="Write it again.") from error


def _output_error(path: Path, error: OSError) -> OutputError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return OutputError("the disk is full", where=str(path), fix="Free space and run the same command again.")
    return OutputError(
        f"cannot be written ({error.strerror or error})", where=str(path), fix="Choose a folder that you may write to."
    )
