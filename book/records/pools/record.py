"""Records what Python's pools do when a worker is killed: writes pools.json beside this file.

Usage: record.py PYTHON [PYTHON …]
    Each PYTHON is an interpreter. loky and Pebble are tried where the interpreter has them.

Every case is a process of its own with a hard limit, so one that hangs costs seconds.
"""

import datetime
import itertools
import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
LIMIT = 5.0
STANDARD = list(itertools.product(("executor", "pool"), ("fork", "spawn", "forkserver")))
OTHERS = [("loky", "loky"), ("pebble", "fork"), ("pebble", "spawn"), ("pebble", "forkserver")]


def has(python, module):
    command = [python, "-c", f"import {module}"]
    return subprocess.run(command, stderr=subprocess.DEVNULL).returncode == 0


def cpu():
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor()


def main():
    if len(sys.argv) < 2:
        sys.exit("usage: record.py PYTHON [PYTHON ...]")
    cases = []
    for python in sys.argv[1:]:
        others = [case for case in OTHERS if has(python, case[0])]
        for (pool, method), moment in itertools.product(STANDARD + others, ("call", "answer")):
            cases.append((python, pool, method, moment))
    results = []
    for number, (python, pool, method, moment) in enumerate(cases, 1):
        print(f"{number}/{len(cases)} {python} {pool} {method} {moment}", file=sys.stderr)
        command = [python, str(HERE / "killed_worker.py"), pool, method, moment, str(LIMIT)]
        run = subprocess.run(command, capture_output=True, text=True, timeout=12 * LIMIT)
        if run.returncode != 0:
            sys.exit(f"error: {' '.join(command)}\n{run.stderr}")
        results.append(json.loads(run.stdout))
    record = {
        "machine": {"cpu": cpu(), "cores": os.cpu_count(), "kernel": platform.release()},
        "date": datetime.date.today().isoformat(),
        "command": "book/records/pools/record.py",
        "results": results,
    }
    with tempfile.NamedTemporaryFile("w", dir=HERE, delete=False) as file:
        json.dump(record, file, indent=1)
        file.write("\n")
    os.chmod(file.name, 0o644)
    os.replace(file.name, HERE / "pools.json")


if __name__ == "__main__":
    main()
