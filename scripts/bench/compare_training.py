"""Same photographs, same wall-clock time, one table: this package's training, a plain U-Net and nnU-Net v2 (2D). Prints JSON.

    python scripts/bench/compare_training.py --data TRAIN --test OTHER --seconds 480

Each method trains in a process of its own and is then judged on the photographs of `--test` (choose another preset): Dice of lesion and
outline over photographs that have any, false area on clear skin, everything cut at a probability of one half. nnU-Net needs the extra
`bench`; a method that cannot run says why in its row, and the others run all the same.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

METHODS = ("pasi-vision", "plain U-Net", "nnU-Net v2 2D")


@dataclass(frozen=True)
class Task:
    """What a method is given: folders, seconds and whose, threads, seed, encoder of the two that take one, a folder for its files."""

    data: tuple[str, ...]
    test: str
    seconds: float
    clock: str
    threads: int
    seed: int
    encoder: str
    work: str


def main() -> None:
    """Train, judge and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", action="append", required=True, help="Data folder to train on; repeatable.")
    parser.add_argument("--test", required=True, help="Data folder to be judged on.")
    parser.add_argument("--seconds", type=float, default=480.0, help="Wall-clock time of each method's training.")
    parser.add_argument(
        "--clock",
        choices=("wall", "processor"),
        default="wall",
        help="processor: with one thread what the wall clock says on an idle machine, for a machine that others use too.",
    )
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--encoder", default="tf_efficientnet_lite0", help="Of pasi-vision and the plain U-Net.")
    parser.add_argument("--only", action="append", choices=METHODS, help="Method to run; repeatable; all by default.")
    given = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = str(given.threads)
    context = multiprocessing.get_context("spawn")
    rows = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in given.only or METHODS:
            work = Path(folder) / name.replace(" ", "-")
            work.mkdir()
            task = Task(
                tuple(given.data),
                given.test,
                given.seconds,
                given.clock,
                given.threads,
                given.seed,
                given.encoder,
                str(work),
            )
            with ProcessPoolExecutor(1, mp_context=context) as pool:  # its memory and its threads are its own
                rows[name] = pool.submit(_row, name, task).result()
            print(f"{name}: {rows[name]}", file=sys.stderr, flush=True)
    table = {"benchmark": "training", **{k: v for k, v in vars(given).items() if k != "only"}, "methods": rows}
    print(json.dumps(table, indent=2))


def _row(name: str, task: Task) -> dict[str, Any]:
    """One method: its figures, or why there are none."""
    try:
        if name == "nnU-Net v2 2D":
            from nnunet_method import train
        else:
            import training_methods

            train = training_methods.ours if name == "pasi-vision" else training_methods.plain_unet
        trained = train(task)
    except ImportError as error:
        return {"not_run": f"{error.name} is not installed"}
    began, used = time.perf_counter(), time.process_time()
    figures = judged(task.test, trained.predict)
    count = figures["photographs"]
    return {
        **figures,
        "training_s": round(trained.seconds, 1),
        "training_processor_s": round(trained.processor_seconds, 1),
        "preparation_s": round(trained.preparation_seconds, 1),
        "steps": trained.steps,
        "pictures_seen": trained.pictures_seen,
        "prediction_s_per_photograph": round((time.perf_counter() - began) / count, 3),
        "prediction_processor_s_per_photograph": round((time.process_time() - used) / count, 3),
        "peak_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "recipe": trained.recipe,
    }


def judged(test: str, predict: Callable[[Any], tuple[Any, Any]]) -> dict[str, Any]:
    """Means over the photographs of a folder; `predict` gives the masks of lesion and outline of one photograph."""
    import numpy as np

    from pasi_vision.photo import read_photo
    from pasi_vision.train.folder import read_folder, read_truth
    from pasi_vision.train.metrics import dice, false_area_percent

    photos = read_folder(test, need_masks=True).photos
    found: dict[str, list[float]] = {}
    for photo in photos:
        truth = read_truth(photo)
        skin = np.asarray(truth.regions) > 0
        for kind, mask, true in zip(
            ("lesion", "outline"), predict(read_photo(photo.file).pixels), (truth.lesion, truth.outline), strict=True
        ):
            for figure, value in (
                ("dice", dice(mask, np.asarray(true))),
                ("false_area_percent", false_area_percent(mask, np.asarray(true), skin)),
            ):
                if value is not None:
                    found.setdefault(f"{figure}_{kind}", []).append(value)
    means = {name: round(_mean(values), 4) for name, values in sorted(found.items())}
    counts = {f"n_{name}": len(values) for name, values in sorted(found.items()) if name.endswith("outline")}
    return {"photographs": len(photos), **means, **counts}


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


if __name__ == "__main__":
    main()
