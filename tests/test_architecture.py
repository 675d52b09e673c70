"""The house keeps its shape: who may import whom, what a plain import loads, who may decode and who may load weights."""

from __future__ import annotations

import ast
import subprocess
import sys
import time
from pathlib import Path

import pytest

import pasi_vision

PACKAGE = Path(pasi_vision.__file__).parent
FOUNDATION = {"anatomy", "records", "tables", "settings", "provenance", "processes", "errors", "storage"}
MAY_IMPORT: dict[str, set[str]] = {
    **{part: set() for part in FOUNDATION},
    **{part: set() for part in ("photo", "segment", "measure", "score", "agree", "report", "exchange", "phantom")},
    "train": {"photo", "segment"},
    "pipeline": {"photo", "segment", "measure", "score"},
    "portal": {"photo", "score", "report", "pipeline"},
}
ANYTHING = {"cli", "__init__", "_configs", "_models", "_sample"}


def imports_of(path: Path) -> list[tuple[str, int, bool]]:
    """Every imported module of a file: name, line, and whether only for type checking."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for_types: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            for_types.update(id(child) for child in ast.walk(node))
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(alias.name, node.lineno, id(node) in for_types) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names = [node.module]
            if node.module == "pasi_vision":
                names = [f"pasi_vision.{alias.name}" for alias in node.names]
            found += [(name, node.lineno, id(node) in for_types) for name in names]
        elif isinstance(node, ast.ImportFrom) and node.level > 0:
            found.append((f"relative import in {path.name}", node.lineno, False))
    return found


FILES = sorted(PACKAGE.rglob("*.py"))


def part_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def test_parts_import_only_what_the_design_allows() -> None:
    wrong = []
    for path in FILES:
        part = part_of(path)
        if part in ANYTHING:
            continue
        allowed = MAY_IMPORT[part] | FOUNDATION | {part}
        for name, line, _ in imports_of(path):
            pieces = name.split(".")
            if pieces[0].startswith("relative"):
                wrong.append(f"{path.relative_to(PACKAGE)}:{line} {name}")
            if pieces[0] == "pasi_vision" and len(pieces) > 1 and pieces[1] not in allowed:
                wrong.append(f"{path.relative_to(PACKAGE)}:{line} {name}")
    assert not wrong, "\n".join(wrong)


def test_every_part_stands_in_the_table() -> None:
    parts = {part_of(path) for path in FILES}
    assert parts <= set(MAY_IMPORT) | ANYTHING, parts - set(MAY_IMPORT) - ANYTHING


def test_the_foundation_needs_neither_torch_nor_cv2() -> None:
    for path in FILES:
        if part_of(path) in FOUNDATION:
            named = {name.split(".")[0] for name, _, _ in imports_of(path)}
            assert not named & {"torch", "cv2", "torchvision"}, path


def test_only_augment_imports_albumentations() -> None:
    users = [
        p.relative_to(PACKAGE).as_posix()
        for p in FILES
        if any(n.startswith("albumentations") for n, _, _ in imports_of(p))
    ]
    assert users in ([], ["train/augment.py"])


def calls(path: Path) -> set[str]:
    return {
        ast.unparse(node.func)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
    }


DECODERS = {"Image.open", "cv2.imread", "cv2.imdecode", "cv2.imdecodemulti", "imageio.imread", "skimage.io.imread"}


def test_only_read_decodes_photographs() -> None:
    # storage reads the masks and package pictures that we wrote; the phantom's camera passes its own JPEG bytes through a decoder.
    allowed = {"photo/read.py", "storage.py", "phantom/camera.py"}
    users = {p.relative_to(PACKAGE).as_posix() for p in FILES if calls(p) & DECODERS}
    assert users <= allowed, users - allowed


def test_only_checkpoint_loads_weights() -> None:
    loaders = {
        "torch.load",
        "safetensors.torch.load_file",
        "load_file",
        "ort.InferenceSession",
        "onnxruntime.InferenceSession",
    }
    users = {
        p.relative_to(PACKAGE).as_posix()
        for p in FILES
        if part_of(p) in {"segment", "photo", "measure", "pipeline", "portal", "cli"} and calls(p) & loaders
    }
    assert users <= {"segment/checkpoint.py"}, users


def test_every_file_says_what_it_is() -> None:
    silent = [
        p
        for p in FILES
        if p.stat().st_size and "migrations" not in p.parts and not ast.get_docstring(ast.parse(p.read_text("utf-8")))
    ]
    assert not silent, silent


def test_no_file_is_long() -> None:
    long = {
        p.relative_to(PACKAGE).as_posix(): n
        for p in FILES
        if (n := len(p.read_text("utf-8").splitlines())) > 450 and "migrations" not in p.parts
    }
    assert not long, long


def test_public_names_exist_and_are_sorted() -> None:
    assert pasi_vision.__all__ == sorted(pasi_vision.__all__)
    for name in pasi_vision.__all__:
        assert callable(getattr(pasi_vision, name))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = pasi_vision.nothing


@pytest.mark.parametrize(
    "module", ["pasi_vision", "pasi_vision.score", "pasi_vision.agree", "pasi_vision.measure", "pasi_vision.cli"]
)
def test_a_plain_import_loads_neither_torch_nor_cv2(module: str) -> None:
    code = (
        f"import {module}, sys; print([m for m in ('torch', 'cv2', 'onnxruntime', 'matplotlib') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "[]"


def test_help_is_quick() -> None:
    code = "import sys; sys.argv = ['pasi-vision', '--help']; from pasi_vision.cli import main; main()"
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        seconds.append(time.perf_counter() - start)
    assert "score" in out
    assert min(seconds) < 1.0  # a guard against a heavy import; the figure itself is in the benchmarks


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys\nfrom pasi_vision.cli import app\nfrom typer.testing import CliRunner\n"
        "assert CliRunner().invoke(app, ['--help']).exit_code == 0\n"
        "print([m for m in ('numpy', 'pandas', 'scipy', 'cv2', 'torch', 'django') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "[]"
