"""Row 6: what a long auth_id costs: rows of other accounts, rows of the very account, rows with options."""
import measure, table
from measure import Case
from pathlib import Path

EMPTY = "empty auth_id"
MANY, HUGE = 10_000, 1_000_000
KINDS = {
    "of other accounts": lambda account, number, issuer: f"user{number:07} person{number:07}@example.com {issuer}\n",
    "of this account": lambda account, number, issuer: f"{account} person{number:07}@example.com {issuer}\n",
    "with options": lambda account, number, issuer: f'user{number:07} person{number:07}@example.com {issuer} restrict,pty,from="192.0.2.0/24"\n',
}
LIMITS = {MANY: 0.002, HUGE: 0.1}


def name(count, kind):
    return f"{count:,} rows {kind}"


def write(path, count, kind, place):
    """`count` rows, of which the last one admits."""
    account, issuer = place.vector["user"], place.vector["issuer"]
    with open(path, "w") as file:
        for number in range(count - 1):
            file.write(KINDS[kind](account, number, issuer))
        file.write(f"{account} alice@example.com {issuer}\n")


def cases(place, cache):
    vector = place.vector
    shown = [vector["user"], vector["cert"], vector["key_type"]]
    # Nobody is admitted by no rows, but everything before that is the same.
    empty = place.configuration("etc-empty", {"auth_id": ""})
    result = [Case(EMPTY, place.call(empty, cache, *shown), place.work, status=1)]
    for kind in KINDS:
        for count, every in ((MANY, 1), (HUGE, 30)):
            folder = place.configuration(f"etc-{count}-{kind.replace(' ', '-')}", {"auth_id": ""})
            write(folder / "auth_id", count, kind, place)
            result.append(Case(name(count, kind), place.call(folder, cache, *shown), place.work, every=every))
    return result


def rows(cases, samples):
    part = "6 rows in auth_id"
    has_time = Path("/usr/bin/time").exists()
    resident = {case.name: measure.resident(case, 3) for case in cases} if has_time else {}
    for case in cases[1:]:
        count = HUGE if str(f"{HUGE:,}") in case.name else MANY
        yield table.more(part, case.name, samples[case.name], samples[EMPTY], "empty", LIMITS[count])
    if not has_time:
        yield table.skipped(part, "memory", "time(1) is not installed")
        return
    for kind in KINDS:
        few, many = (resident[name(count, kind)] for count in (MANY, HUGE))
        # A hundred times the rows: memory in proportion would be tens of megabytes more.
        yield table.Row(
            part, f"memory, {HUGE:,} rows {kind}", table.megabytes(many), f"{MANY:,}: {table.megabytes(few)}, empty: {table.megabytes(resident[EMPTY])}",
            f"+ {table.megabytes(many - resident[EMPTY])}", "", "<= + 4 MB", many - resident[EMPTY] <= 4e6)
