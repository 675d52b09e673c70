"""One network, one input, one thread, in eager torch, ONNX Runtime and OpenVINO, in single precision and 8 bits; and nnU-Net's network.

    python scripts/bench/bench_runtimes.py [--model MODEL] [--int8 FOLDER] [--size 512 640] [--rounds 7]

Prints JSON. Seconds are the processor's, which with one thread are those of an idle machine; the runtimes take turns, and the least of all
rounds counts. `--int8` names what `pasi-vision model quantize` made of the model. What is not installed is left out (extra `bench`).
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np

from pasi_vision.segment import DEFAULT_MODEL

Run = Callable[[np.ndarray], Any]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default=DEFAULT_MODEL)
    parser.add_argument("--int8", help="Folder of the same model in 8 bits.")
    parser.add_argument("--size", type=int, nargs=2, default=(512, 640), help="Height and width, multiples of 32.")
    parser.add_argument(
        "--batch", type=int, default=4, help="Pictures in a batch, for the comparison with one at a time."
    )
    parser.add_argument("--rounds", type=int, default=7)
    given = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    generator = np.random.default_rng(0)
    one = generator.normal(0, 0.5, (1, 3, *given.size)).astype(np.float32)
    several = np.repeat(one, given.batch, 0)
    runs: dict[str, tuple[Run, np.ndarray]] = {}
    for model, bits in ((given.model, "float32"), (given.int8, "int8")):
        for name, run in _runners(model).items() if model else ():
            if not (name.startswith("torch") and bits == "int8"):
                runs[f"{name} {bits}"] = run, one
                if name == "onnxruntime":
                    runs[f"{name} {bits}, batch of {given.batch}"] = run, several
    rival = _nnunet(tuple(given.size))
    if rival is not None:
        runs["torch eager float32, nnU-Net 2D"] = rival, one
    seconds = _least(runs, given.rounds)
    eager, nnunet = seconds["torch eager float32"], seconds.get("torch eager float32, nnU-Net 2D")
    rows = {}
    for name, value in seconds.items():
        value /= len(runs[name][1])
        rows[name] = {"processor_s_per_picture": round(value, 4), "times_eager_torch": round(eager / value, 2)}
        if nnunet is not None:
            rows[name]["times_eager_nnunet"] = round(nnunet / value, 1)
    print(json.dumps({"benchmark": "runtimes", **vars(given), "runtimes": rows}, indent=2))


def _runners(model: str) -> dict[str, Run]:
    """Name -> forward pass of the model in each runtime that is installed."""
    import torch

    from pasi_vision.errors import ModelError
    from pasi_vision.segment import load_model

    torch.set_num_threads(1)
    runners: dict[str, Run] = {
        "torch eager": load_model(model, backend="torch").run,
        "onnxruntime": load_model(model, threads=1).run,
    }
    with suppress(ModelError):  # not installed
        runners["openvino"] = load_model(model, backend="openvino", threads=1).run
    return runners


def _nnunet(size: tuple[int, int]) -> Run | None:
    """nnU-Net's default 2D network, as its planner sets it up for such pictures, with three outputs; None if not installed."""
    try:
        from dynamic_network_architectures.architectures.unet import PlainConvUNet
    except ImportError:
        return None
    import torch

    stages = int(np.log2(min(size) / 4)) + 1  # its planner halves while 4 pixels are left
    network = PlainConvUNet(
        input_channels=3,
        n_stages=stages,
        features_per_stage=[min(512, 32 * 2**stage) for stage in range(stages)],
        conv_op=torch.nn.Conv2d,
        kernel_sizes=3,
        strides=[1] + [2] * (stages - 1),
        n_conv_per_stage=2,
        num_classes=3,
        n_conv_per_stage_decoder=2,
        conv_bias=True,
        norm_op=torch.nn.InstanceNorm2d,
        norm_op_kwargs={"eps": 1e-5, "affine": True},
        nonlin=torch.nn.LeakyReLU,
        nonlin_kwargs={"inplace": True},
        deep_supervision=False,
    ).eval()
    step = 2 ** (stages - 1)
    padding = (0, -size[1] % step, 0, -size[0] % step)

    def run(batch: np.ndarray) -> Any:
        with torch.inference_mode():
            return network(torch.nn.functional.pad(torch.from_numpy(batch), padding)).numpy()

    return run


def _least(runs: dict[str, tuple[Run, np.ndarray]], rounds: int) -> dict[str, float]:
    """Least processor seconds of each; they take turns, so that what else the machine does meets all alike."""
    for run, batch in runs.values():
        run(batch)
    least = dict.fromkeys(runs, float("inf"))
    for _ in range(rounds):
        for name, (run, batch) in runs.items():
            began = time.process_time()
            run(batch)
            least[name] = min(least[name], time.process_time() - began)
    return least


if __name__ == "__main__":
    main()
