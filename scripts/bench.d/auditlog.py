"""Row 12: what `opk log` costs over an audit log of a million events: the full summary, and what was refused since a time within it. The counts must be exact."""
import json, subprocess
from pathlib import Path

import events, measure, table

COUNT, LIMIT, TIMES = 1_000_000, 2.0, 5
PART = "13 a million events"
SINCE = "2026-11-06T00:00:00Z"


def rows(here):
    """The file is in the page cache, as it is after it has been written."""
    path = here.work / "audit.jsonl"
    counts = events.write(path, COUNT)
    opk = here.stripped("opk")
    summary = measure.Case("summary", [opk, "log", "--file", path, "--summary", "--json"], here.work)
    denied = measure.Case("denied", [opk, "log", "--file", path, "--since", SINCE, "--denied", "--format", "json"], here.work)
    answer = json.loads(subprocess.run(summary.arguments, env=summary.environment, check=True, capture_output=True).stdout)
    wrong = {name: answer.get(name) for name, count in counts.items() if answer.get(name) != count}
    if wrong or answer["torn_lines"]:
        raise measure.Failed(f"opk log counts wrongly: {wrong} for {counts}, {answer['torn_lines']} torn")
    size = path.stat().st_size
    for case, words in ((summary, "the full summary"), (denied, "what was refused in a half of it, as JSON")):
        taken = [measure.once(case)[0] for _ in range(TIMES)]
        middle = sorted(taken)[TIMES // 2]
        yield table.Row(PART, f"{COUNT:,} events, {words}", f"{middle:.2f} s", f"{table.megabytes(size)}", f"{middle / COUNT * 1e6:.2f} µs each",
                        f"{min(taken):.2f} s", f"<= {LIMIT:g} s", middle <= LIMIT)
    if Path("/usr/bin/time").exists():
        yield table.Row(PART, "memory, the full summary", table.megabytes(measure.resident(summary, 3)), "", "", "", "<= 32 MB", measure.resident(summary, 1) <= 32e6)
    else:
        yield table.skipped(PART, "memory", "time(1) is not installed")
    path.unlink()
