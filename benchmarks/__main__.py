"""`python -m benchmarks --output FILE`: runs every benchmark, prints the figures, writes them as JSON."""

import argparse
import importlib
from pathlib import Path

from benchmarks.measure import Measurement, write

BENCHMARKS = (
    "routing_core",
    "router_overhead",
    "package",
    "synthesis",
    "templates",
    "end_to_end",
    "review",
    "audit",
    "store",
    "load",
    "agreement",
    "consensus",
    "monitor",
    "threshold",
    "manifests",
    "active_learning",
)


def main() -> None:
    """Run the benchmarks that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=Path("build/bench.json"))
    parser.add_argument("--only", choices=BENCHMARKS, action="append", help="may be repeated; default: all")
    arguments = parser.parse_args()
    measured: list[Measurement] = []
    for name in arguments.only or BENCHMARKS:
        print(f"benchmark {name} …", flush=True)
        for measurement in importlib.import_module(f"benchmarks.{name}").run():
            measured.append(measurement)
            print("  " + describe(measurement), flush=True)
    write(measured, path=arguments.output)
    print(f"written: {arguments.output}")


def describe(measurement: Measurement) -> str:
    """One line: name, value, and the baseline with the ratio where there is one."""
    line = f"{measurement.name:<44} {measurement.value:12,.3f} {measurement.unit}"
    if measurement.baseline is not None and measurement.ratio is not None:
        line += f"   baseline {measurement.baseline:,.3f}, ratio {measurement.ratio:.3f}"
    return line


if __name__ == "__main__":
    main()
