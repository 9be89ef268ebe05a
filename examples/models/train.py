"""Trains the example models; writes each one's archive for SageMaker, its held-out records and its card."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from example_models import digit_reading, loan_approval, packing, tumor_screening
from example_models.use_case import TrainedModel
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

TRAINERS: Mapping[str, Callable[[], TrainedModel]] = {
    module.USE_CASE: module.train for module in (digit_reading, loan_approval, tumor_screening)
}


def main() -> None:
    """Command line: `train.py --output DIR [--use-case NAME]`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, required=True, help="folder to write to; made when missing")
    parser.add_argument("--use-case", choices=sorted(TRAINERS), help="train this one only")
    arguments = parser.parse_args()
    for name in [arguments.use_case] if arguments.use_case else sorted(TRAINERS):
        started = time.perf_counter()
        with threadpool_limits(limits=1):  # one thread adds up in one order: the same bytes on every run
            archive, records, _ = packing.write(TRAINERS[name](), output=arguments.output)
        seconds = time.perf_counter() - started
        print(f"{name}: {archive} ({archive.stat().st_size / 1000:.0f} kB), {records}, {seconds:.1f} s")


if __name__ == "__main__":
    main()
