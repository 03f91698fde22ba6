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


class Others:
    """How busy the machine was with what is measured, and with other things: a busy machine spoils a figure."""

    def __init__(self, var: Path) -> None:
        self.var = str(var).encode()
        self.start, self.at = self._busy(), time.monotonic()
        self.mine: dict[int, float] = {pid: self._cpu(pid) for pid in self._all()}

    def used(self, root: int) -> dict[str, float]:
        """Cores used since the start: by ``root``, its descendants and this process; and by all others."""
        seconds = time.monotonic() - self.at
        family = self._family(root) | {os.getpid()}
        own = sum(self._cpu(pid) - self.mine.get(pid, 0.0) for pid in family)
        everything = self._busy() - self.start
        return {
            "cores_used": round(own / seconds, 2),
            "cores_used_by_others": round(max(0.0, everything - own) / seconds, 2),
        }

    @staticmethod
    def _busy() -> float:
        fields = [int(f) for f in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]]
        idle = fields[3] + fields[4]
        return (sum(fields[:8]) - idle) / os.sysconf("SC_CLK_TCK")

    @staticmethod
    def _all() -> list[int]:
        return [int(p.name) for p in Path("/proc").iterdir() if p.name.isdigit()]

    @staticmethod
    def _cpu(pid: int) -> float:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        except OSError:  # it has ended
            return 0.0
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def _family(self, root: int) -> set[int]:
        """``root`` and what it started. An embedded PostgreSQL is known by its folder."""
        parents: dict[int, int] = {}
        for pid in self._all():
            try:
                parents[pid] = int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])
            except OSError:
                continue
        found = {root} | {pid for pid in parents if self.var in self._command(pid)}
        grown = True
        while grown:
            fresh = {pid for pid, parent in parents.items() if parent in found} - found
            found, grown = found | fresh, bool(fresh)
        return found

    @staticmethod
    def _command(pid: int) -> bytes:
        try:
            return Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            return b""


def sizes(options: list[str], **defaults: int) -> dict[str, int]:
    """Options given as ``name=value`` over the defaults."""
    given = dict(option.split("=", 1) for option in options)
    return {name: int(given.get(name, value)) for name, value in defaults.items()}
