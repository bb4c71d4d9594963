"""Row 6: what long files cost: an auth_id of rows of other accounts and of the very account, without and with options; a long `revoked`."""
import measure, table
from measure import Case
from pathlib import Path

ONE, WARM = "one row in auth_id", "warm admit"
MANY, HUGE, REVOKED = 10_000, 1_000_000, 100_000
# A fourth column as an administrator writes it; most rows have another than the one before.
OPTIONS = [
    'restrict,pty,from="192.0.2.0/24"',
    'expires="2027-12-24T18:00Z",reason="CHG-0881"',
    'hours="mon-fri 08:00-18:00 Europe/Berlin",amr="hwk|fido"',
    'max-age="8h",command="/usr/local/bin/report",restrict',
]
KINDS = {
    "of other accounts": lambda account, number, issuer: f"user{number:07} person{number:07}@example.com {issuer}\n",
    "of others, with options": lambda account, number, issuer: f"user{number:07} person{number:07}@example.com {issuer} {OPTIONS[number % 4]}\n",
    "of this account": lambda account, number, issuer: f"{account} person{number:07}@example.com {issuer}\n",
    "of this account, with options": lambda account, number, issuer: f"{account} person{number:07}@example.com {issuer} {OPTIONS[number % 4]}\n",
    "of this account's groups": lambda account, number, issuer: f"{account} oidc:groups:team-{number:07} {issuer}\n",
}
LIMITS = {MANY: 0.002, HUGE: 0.1}
# Each of them is taken apart and asked of the token's claims: no file of a million groups is made by anybody, and none is promised to be quick.
UNLIMITED = "of this account's groups"
REVOKED_NAME = f"{REVOKED:,} rows in revoked"


def name(count, kind):
    return f"{count:,} rows {kind}"


def write(path, count, kind, place):
    """`count` rows, of which the last one admits."""
    account, issuer = place.vector["user"], place.vector["issuer"]
    with open(path, "w") as file:
        for number in range(count - 1):
            file.write(KINDS[kind](account, number, issuer))
        file.write(f"{account} alice@example.com {issuer}\n")


def write_revoked(path, issuer):
    """Somebody else in each row: by email, by subject, by key; every fifth one only until a time."""
    digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    with open(path, "w") as file:
        file.write("# WHAT  [BEFORE]\n")
        for number in range(REVOKED):
            key = "".join(digits[number >> 6 * place & 63] for place in range(3)) * 14
            what = (f"email:person{number:06}@example.com", f"sub:10303064280272{number:07}@{issuer}", f"key:SHA256:{key}A")[number % 3]
            file.write(what + ("   2026-11-21T12:00Z" if number % 5 == 0 else "") + "\n")
    path.chmod(0o644)


def cases(place, cache):
    vector = place.vector
    shown = [vector["user"], vector["cert"], vector["key_type"]]
    # The row that admits, alone: with none the account's home file would be asked for.
    single = place.configuration("etc-one", {"auth_id": ""})
    write(single / "auth_id", 1, "of this account", place)
    result = [Case(ONE, place.call(single, cache, *shown), place.work)]
    for number, kind in enumerate(KINDS):
        for count, every in ((MANY, 1), (HUGE, 30)):
            folder = place.configuration(f"etc-{count}-{number}", {"auth_id": ""})
            write(folder / "auth_id", count, kind, place)
            result.append(Case(name(count, kind), place.call(folder, cache, *shown), place.work, every=every))
    folder = place.configuration("etc-revoked", {})
    write_revoked(folder / "revoked", "https://idp.example.com")
    result.append(Case(REVOKED_NAME, place.call(folder, cache, *shown), place.work, every=3))
    return result


def rows(cases, samples, warm):
    part = "6 long files"
    has_time = Path("/usr/bin/time").exists()
    resident = {case.name: measure.resident(case, 3) for case in [*cases, warm]} if has_time else {}
    for kind in KINDS:
        for count in (MANY, HUGE):
            limit = None if kind == UNLIMITED else LIMITS[count]
            yield table.more(part, name(count, kind), samples[name(count, kind)], samples[ONE], "one row", limit)
    yield table.more(part, REVOKED_NAME, samples[REVOKED_NAME], samples[WARM], "none", 0.015)
    if not has_time:
        yield table.skipped(part, "memory", "time(1) is not installed")
        return
    for kind in KINDS:
        # Several thousand times the file: memory in proportion would be tens of megabytes more.
        yield memory(part, name(HUGE, kind), resident, ONE)
    yield memory(part, REVOKED_NAME, resident, WARM)


def memory(part, case, resident, base):
    more = resident[case] - resident[base]
    return table.Row(
        part, f"memory, {case}", table.megabytes(resident[case]), f"{base}: {table.megabytes(resident[base])}", f"+ {table.megabytes(more)}",
        "", "<= + 4 MB", more <= 4e6)
