"""A short run of the benchmark that kills everything in turn; `yiwang bench chaos` does it a hundred times."""

import json
import os
import subprocess
import sys

from product import ROOT


def test_kills_lose_nothing_and_do_nothing_twice():
    command = [sys.executable, "-m", "yiwang", "bench", "chaos", "kills=6", "clients=2", "least=11", "--json"]
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("YIWANG_", "DATABASE_"))}
    run = subprocess.run(command, env=clean, capture_output=True, text=True, cwd=ROOT, timeout=400)
    assert run.returncode == 0, run.stdout[-2000:] + run.stderr[-2000:]
    result = json.loads(run.stdout.strip().splitlines()[-1])
    assert result["figures"]["acknowledged_commands"] > 10
    assert set(result["figures"]["killed"]) == {"web", "web-master", "worker", "postgresql"}
    assert all(bar["holds"] for bar in result["bars"].values()), result["bars"]
