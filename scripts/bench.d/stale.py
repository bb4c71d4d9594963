"""Row 9, for information: a verify whose cached keys are older than refresh_after."""
import re, time

import table
from measure import Case

STALE = "keys two hours old"
FETCHED = re.compile(rb'"fetched_at":(\d+)')


def records(cache):
    return [path for path in cache.iterdir() if path.suffix == ".json"]


def age(cache, seconds):
    """Makes every record of the cache that old; what is known of earlier fetches is forgotten."""
    for path in cache.glob("*.attempt"):
        path.unlink()
    for path in records(cache):
        text = path.read_bytes()
        path.write_bytes(FETCHED.sub(b'"fetched_at":%d' % (time.time() - seconds), text))


def is_renewed(cache):
    return all(time.time() - int(FETCHED.search(path.read_bytes()).group(1)) < 3600 for path in records(cache))


def case(place, configuration, cache):
    vector = place.vector

    def settled():
        # A refresh behind the answer must not run into the next one's time.
        end = time.monotonic() + 2
        while not is_renewed(cache) and time.monotonic() < end:
            time.sleep(0.01)
    return Case(
        STALE, place.call(configuration, cache, vector["user"], vector["cert"], vector["key_type"]), place.work, every=10,
        before=lambda: age(cache, 7200), after=settled)


def rows(samples, warm):
    row = table.at_most("9 refresh", f"warm admit, {STALE}", "wall", samples[STALE], samples[warm], warm, None)
    row.limit = "(1.5 wished)"
    yield row
