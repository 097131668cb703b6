"""python -m benchmarks [name …]: run all benchmarks, or those whose name contains one of the words."""

import os
import sys

from benchmarks import book, figures, language, learning, package, ppo  # noqa: F401 (importing registers)
from benchmarks.table import BENCHMARKS


def main(words: list[str]) -> None:
    chosen = {name: run for name, run in BENCHMARKS.items() if not words or any(word in name for word in words)}
    if not chosen:
        sys.exit(f"no benchmark matches {' '.join(words)}; there are {', '.join(BENCHMARKS)}")
    print(f"{'what':<58} {'measured':>12} {'':<8} {'held against':<34} {'ratio':>8}")
    for name, run in chosen.items():
        try:
            for row in run():
                print(row, flush=True)
        except Exception as error:  # one benchmark that breaks must not cost the rows of the others
            print(f"{name} FAILED: {getattr(error, 'stderr', None) or error}", flush=True)


if __name__ == "__main__":
    os.environ["JUPYTER_PREFER_ENV_PATH"] = "1"  # this environment's kernel, whatever else is installed
    main(sys.argv[1:])
