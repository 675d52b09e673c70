"""Checkpoints written whole or not at all, whatever ends the process at whatever moment."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch.plugins.io import TorchCheckpointIO

from pasi_vision.storage import output_folder, write_bytes

__all__ = ["WholeCheckpoints"]


class WholeCheckpoints(TorchCheckpointIO):
    """Writes beside the target and then renames.

    Lightning's own way writes into the system's temporary folder; where that is another file system, moving the file copies it, and a
    process that is killed meanwhile leaves half a checkpoint in place of the last whole one.
    """

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        """Write one checkpoint.

        Raises:
            OutputError: It cannot be written (disk full ...); the one before stays.
        """
        stream = io.BytesIO()
        torch.save(checkpoint, stream)
        output_folder(Path(path).parent)
        write_bytes(path, stream.getvalue())
