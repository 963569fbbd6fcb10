# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a run measures, and at which sizes."""

from dataclasses import dataclass

from .programs import Programs
from .stores import Stores


@dataclass(frozen=True)
class Plan:
    programs: Programs
    stores: Stores
    rounds: int
    sizes: tuple[int, ...]  # of the load and of the calls, ascending
    stock_limit: int  # the stock driver loads in quadratic time: no larger stores for it
    calls: int  # the size at which calls of several threads are compared ("16k")
    large: int  # the size of what should not depend on it ("100k")
    costs: int  # the size at which sealed and plain are compared ("10k")
    changes: int  # changes of each kind in a round
    records: int  # of the audit trail that is read
    seconds: float  # of a measure that repeats something for a while
