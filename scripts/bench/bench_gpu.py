"""Training and inference on a GPU: pictures a second, utilisation, mixed against full precision, two loader settings. Prints JSON.

    python scripts/bench/bench_gpu.py                                       tiny, on whatever is there: the same code runs on a CPU
    python scripts/bench/bench_gpu.py --data DIR --steps 60 --batch 64 --crop 256 --workers 4 12 --encoder tf_efficientnet_lite2

Without `--data` it draws its own pictures. Each training run is `pasi-vision train` as it is, in a process of its own; its rate is that
of the rounds after the first, which decodes. Utilisation is what `nvidia-smi` says twice a second during those rounds.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import statistics
import subprocess
import tempfile
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

ROUNDS = 3


class Utilisation:
    """GPU utilisation (%) and memory (MiB), sampled twice a second from `begin` on; empty where there is no nvidia-smi."""

    def __init__(self) -> None:
        self.samples: list[tuple[float, float]] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)

    def begin(self) -> None:
        self._thread.start()

    def end(self) -> dict[str, float]:
        self._stop.set()
        self._thread.join()
        if not self.samples:
            return {}
        shares, memory = zip(*self.samples, strict=True)
        return {"gpu_percent": round(statistics.mean(shares), 1), "gpu_memory_mib": max(memory)}

    def _sample(self) -> None:
        asked = ["nvidia-smi", "--query-gpu=utilization.gpu,memory.used", "--format=csv,noheader,nounits", "--id=0"]
        while not self._stop.wait(0.5):
            try:
                told = subprocess.run(asked, capture_output=True, text=True, check=True).stdout
            except (OSError, subprocess.CalledProcessError):
                return
            share, memory = (float(value) for value in told.split(","))
            self.samples.append((share, memory))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", help="Data folder with masks.")
    parser.add_argument("--encoder", default="tf_efficientnet_lite0")
    parser.add_argument("--steps", type=int, default=2, help="Of a round; there are three.")
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--crop", type=int, default=128)
    parser.add_argument("--workers", type=int, nargs=2, default=(0, 1), help="Two loader settings.")
    parser.add_argument("--size", type=int, nargs=2, default=(256, 320), help="Of a picture in inference.")
    given = parser.parse_args()
    context = multiprocessing.get_context("spawn")
    rows: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as place:
        data = given.data or str(drawn(Path(place) / "drawn"))
        for precision in ("32-true", "bf16-mixed"):
            for workers in given.workers:
                out = str(Path(place) / f"{precision}-{workers}")
                with ProcessPoolExecutor(1, mp_context=context) as pool:
                    row = pool.submit(training, data, out, precision, workers, vars(given)).result()
                rows[f"training, {precision}, {workers} loader processes"] = row
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        rows |= pool.submit(inference, given.encoder, tuple(given.size), given.batch).result()
    print(json.dumps({"benchmark": "gpu", "device": device_name(), **vars(given), "measured": rows}, indent=2))


def drawn(folder: Path) -> Path:
    """Sixteen noisy pictures with a disc each; what they show does not matter here."""
    from pasi_vision.storage import write_picture

    (folder / "masks").mkdir(parents=True)
    generator = np.random.default_rng(0)
    rows, columns = np.mgrid[:480, :640]
    lines = ["subject_id,visit,day,view,path"]
    for number in range(16):
        disc = (rows - generator.uniform(100, 380)) ** 2 + (columns - generator.uniform(100, 540)) ** 2 < 80**2
        pixels = generator.integers(90, 200, (480, 640, 3)) - disc[..., None] * np.array([0, 60, 60])
        write_picture(folder / f"p{number}.png", np.clip(pixels, 0, 255).astype(np.uint8))
        layers = {"regions": np.full(disc.shape, 3), "lesion": disc * 255, "outline": disc * 255}
        for kind, mask in layers.items():
            write_picture(folder / "masks" / f"p{number}.{kind}.png", mask.astype(np.uint8))
        lines.append(f"s{number},v1,1,close_up,p{number}.png")
    (folder / "photos.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def training(data: str, out: str, precision: str, workers: int, given: dict[str, Any]) -> dict[str, float]:
    """Crops a second after the first round."""
    from pasi_vision.train.run import train
    from pasi_vision.train.settings import TrainSettings

    settings = TrainSettings.model_validate(
        {
            "name": "measured",
            "data": [data],
            "start_from": "nothing",
            "architecture": {"encoder": given["encoder"]},
            "steps": ROUNDS * given["steps"],
            "steps_per_round": given["steps"],
            "batch_size": given["batch"],
            "crop_px": given["crop"],
            "precision": precision,
            "workers": workers,
            "devices": 1,
            "threads": 0 if on_gpu() else 1,
        }
    )
    ends: list[tuple[float, float]] = []
    used = Utilisation()

    def told(_: str) -> None:
        if not ends:
            used.begin()
        ends.append((time.perf_counter(), time.process_time()))

    train(settings, Path(out), tell=told)
    seconds, processor = (last - first for first, last in zip(ends[0], ends[-1], strict=True))
    crops = (ROUNDS - 1) * given["steps"] * given["batch"]
    return {
        "crops_per_second": round(crops / seconds, 2),
        "processor_share": round(processor / seconds, 2),
        **used.end(),
    }


def inference(encoder: str, size: tuple[int, int], batch: int) -> dict[str, dict[str, float]]:
    """Pictures a second of a forward pass with the picture's way to the device and back, in full and mixed precision."""
    import torch

    from pasi_vision.segment.layout import Architecture
    from pasi_vision.segment.network import build_network, probabilities

    device = torch.device("cuda" if on_gpu() else "cpu")
    if not on_gpu():
        torch.set_num_threads(1)
    network = build_network(Architecture(encoder=encoder)).eval().to(device, memory_format=torch.channels_last)
    rows = {}
    for precision, mixed in (("float32", False), ("bf16-mixed", True)):
        for count in (1, batch):
            pixels = torch.randn(count, 3, *size)

            def run(pixels: torch.Tensor = pixels, mixed: bool = mixed) -> None:
                there = pixels.to(device).contiguous(memory_format=torch.channels_last)
                with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16, enabled=mixed):
                    probabilities(network(there).float()).cpu()

            run()
            used, began, repeats = Utilisation(), time.perf_counter(), 0
            used.begin()
            while time.perf_counter() - began < (5 if on_gpu() else 1):
                run()
                repeats += 1
            rate = repeats * count / (time.perf_counter() - began)
            rows[f"inference, {precision}, batch of {count}"] = {"pictures_per_second": round(rate, 2), **used.end()}
    return rows


def on_gpu() -> bool:
    import torch

    return bool(torch.cuda.is_available())


def device_name() -> str:
    import torch

    return str(torch.cuda.get_device_name()) if on_gpu() else "CPU, one thread"


if __name__ == "__main__":
    main()
