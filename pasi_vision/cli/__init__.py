"""`pasi-vision ...`: one file per group of commands; each imports what a command needs inside that command.

Exit codes: 0 done, 1 something was not scorable (said which), 2 wrong use or wrong input (one line, no traceback).
"""

from __future__ import annotations

import importlib
import pkgutil
import sys

import typer

__all__ = ["app", "main"]

app = typer.Typer(
    name="pasi-vision",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def _root() -> None:
    """Psoriasis severity (PASI, BSA) from standardized photographs. A research tool, not for diagnosis."""


# Each module beside this one offers `register(app)`, which adds its commands (or a sub-application).
for _module in sorted(module.name for module in pkgutil.iter_modules(__path__)):
    importlib.import_module(f"{__name__}.{_module}").register(app)


def main() -> None:
    """Run the command line; errors raised on purpose become one line and their exit code."""
    from pasi_vision.errors import PasiVisionError

    try:
        app()
    except PasiVisionError as error:
        print(f"pasi-vision: {error}", file=sys.stderr)
        raise SystemExit(error.exit_code) from None
    except BrokenPipeError:  # the reader of our output went away, as `| head` does
        raise SystemExit(0) from None
    except KeyboardInterrupt:
        print("pasi-vision: stopped; run the same command again to go on", file=sys.stderr)
        raise SystemExit(130) from None
