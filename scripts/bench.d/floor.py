"""Rows 1, 2 and 5: opk-verify beside the floor, the least that a program with these signatures must do; memory and size."""
import shutil, subprocess
from pathlib import Path

import measure, table
from measure import Case

FLOOR, WARM, NOT_OURS = "floor", "warm admit", "not ours"
FOREIGN_KEY = "AAAAC3NzaC1lZDI1NTE5AAAAI" + "A" * 42 + "B"


def cases(place, warm_configuration, warm_cache):
    floor = place.work / "floor"
    subprocess.run([place.shared / "bench/build.sh", floor], check=True, stdout=subprocess.DEVNULL)
    vector = place.vector
    return [
        Case(FLOOR, ["./floor"], floor),
        Case(WARM, place.call(warm_configuration, warm_cache, vector["user"], vector["cert"], vector["key_type"]), place.work),
        Case(NOT_OURS, place.call(warm_configuration, warm_cache, vector["user"], FOREIGN_KEY, "ssh-ed25519"), place.work),
    ]


def rows(place, cases, samples):
    floor, warm, not_ours = cases
    part = "1 beside the floor"
    if shutil.which("valgrind"):
        counted = {case.name: measure.instructions(case) for case in cases}
        base = counted[FLOOR]
        for name, part, limit in ((WARM, "1 beside the floor", 1.1), (NOT_OURS, "2 not ours", 0.4)):
            ratio = counted[name] / base
            yield table.Row(
                part, f"{name}, instructions", f"{counted[name] / 1e6:.2f} M", f"{FLOOR} {base / 1e6:.2f} M", f"x {ratio:.3f}", "", f"<= {limit}",
                ratio <= limit)
    else:
        yield table.skipped(part, f"{WARM}, instructions", "valgrind is not installed")
        yield table.skipped("2 not ours", f"{NOT_OURS}, instructions", "valgrind is not installed")
    yield table.at_most("1 beside the floor", WARM, "wall", samples[WARM], samples[FLOOR], FLOOR, 1.3)
    yield table.at_most("1 beside the floor", WARM, "cpu", samples[WARM], samples[FLOOR], FLOOR, None)
    yield table.at_most("2 not ours", NOT_OURS, "wall", samples[NOT_OURS], samples[FLOOR], FLOOR, None)
    yield from size_rows(place, floor, warm)


def size_rows(place, floor, warm):
    part = "5 memory and size"
    if Path("/usr/bin/time").exists():
        used, base = measure.resident(warm), measure.resident(floor)
        yield table.Row(
            part, "maximum resident, warm admit", table.megabytes(used), f"{FLOOR} {table.megabytes(base)}", "", "", "<= 12 MB", used <= 12e6)
    else:
        yield table.skipped(part, "maximum resident, warm admit", "time(1) is not installed")
    size = place.verify.stat().st_size
    yield table.Row(part, "stripped opk-verify", table.megabytes(size), "", "", "", "<= 7 MB", size <= 7e6)
