"""Rows of the table, and the decorator that registers a benchmark."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One measurement beside the limit or the peer it is held against."""

    what: str
    measured: float
    limit: float
    unit: str
    more_is_better: bool = False
    peer: str = "limit"

    @property
    def ok(self) -> bool:
        return self.measured >= self.limit if self.more_is_better else self.measured <= self.limit

    def __str__(self) -> str:
        ratio = self.measured / self.limit if self.limit else float("nan")
        held = f"{self.peer} {self.limit:,.4g} {self.unit}"
        verdict = "ok" if self.ok else "MISSED"
        return f"{self.what:<58} {self.measured:>12,.4g} {self.unit:<8} {held:<34} {ratio:>7.2f}×  {verdict}"


Benchmark = Callable[[], Iterator[Row]]
BENCHMARKS: dict[str, Benchmark] = {}


def benchmark(function: Benchmark) -> Benchmark:
    """Register a generator of rows under its name."""
    BENCHMARKS[function.__name__] = function
    return function
