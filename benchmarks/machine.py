"""What every benchmark says of the machine, and the CPU time of this process and its database session."""

import os
import platform
import time
from pathlib import Path


def machine() -> dict:
    """Cores, memory and versions, for reading a figure later."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {"cores": os.cpu_count(), "memory_gib": round(memory, 1), "python": platform.python_version()}


class Cpu:
    """CPU seconds used since the start, by this process and by one PostgreSQL backend."""

    def __init__(self, backend_pid: int) -> None:
        self.stat = Path(f"/proc/{backend_pid}/stat")
        self.start = self.now()

    def now(self) -> tuple[float, float]:
        fields = self.stat.read_text().rsplit(")", 1)[1].split()
        return time.process_time(), (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def used(self) -> tuple[float, float]:
        python, database = self.now()
        return python - self.start[0], database - self.start[1]


def sizes(options: list[str], **defaults: int) -> dict[str, int]:
    """Options given as ``name=value`` over the defaults."""
    given = dict(option.split("=", 1) for option in options)
    return {name: int(given.get(name, value)) for name, value in defaults.items()}
