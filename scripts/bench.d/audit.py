"""Row 12: what the audit log costs a decision, and how large it grows."""
import json, shutil

import measure, table
from measure import Case

PART = "12 audit log"
MANY = 100_000
ASKED = 100


def rows(place, configuration, cache):
    vector = place.vector
    shown = [vector["user"], vector["cert"], vector["key_type"]]
    audited, plain = (Case(name, place.call(configuration, cache, *shown, audited=on), place.work) for name, on in (("audited", True), ("not audited", False)))
    log = place.audit_log()
    log.write_bytes(b"")
    for _ in range(ASKED):
        measure.checked(audited, vector["line"])
    lines = log.read_bytes().splitlines(keepends=True)
    whole = sum(json.loads(line)["type"] == "decision" for line in lines)
    size = sum(map(len, lines)) / max(1, len(lines))
    yield table.Row(
        PART, f"{ASKED} decisions, each one event", f"{whole}", "", f"{size:.0f} bytes each", "", f"{ASKED}", whole == ASKED == len(lines),
        note=f"{MANY:,} decisions: {table.megabytes(size * MANY)}")
    if not shutil.which("valgrind"):
        yield table.skipped(PART, "with auditing to without, instructions", "valgrind is not installed")
        return
    with open(log, "wb") as grown:
        for number in range(MANY):
            grown.write(lines[number % len(lines)])
    on, off = measure.instructions(audited), measure.instructions(plain)
    yield table.Row(
        PART, f"with auditing, {MANY:,} events in the log, instructions", f"{on / 1e6:.2f} M", f"without {off / 1e6:.2f} M", f"x {on / off:.3f}", "",
        "<= 1.1", on / off <= 1.1)
    log.write_bytes(b"")
