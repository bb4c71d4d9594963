"""The table: what was measured, what it must reach, and whether it does."""
from dataclasses import dataclass


@dataclass
class Row:
    part: str               # which line of the table of requirements
    case: str
    measured: str = ""
    against: str = ""
    result: str = ""
    minima: str = ""        # the same result from the fastest runs instead of the medians: what a busy machine disturbs least
    limit: str = ""
    met: object = None      # None: nothing is required of it
    skipped: str = ""       # why it was not measured
    note: str = ""          # printed below it

    @property
    def verdict(self):
        if self.skipped:
            return "skipped"
        return "" if self.met is None else "ok" if self.met else "MISSED"


def skipped(part, case, why):
    return Row(part, case, skipped=why)


def milliseconds(seconds):
    return f"{seconds * 1e3:.2f} ms"


def megabytes(count):
    return f"{count / 1e6:.2f} MB"


def at_most(part, case, kind, sample, base, base_name, limit):
    """A row that demands: this at most so many times that."""
    ratio = sample.median(kind) / base.median(kind)
    return Row(
        part, f"{case}, {kind}", milliseconds(sample.median(kind)), f"{base_name} {milliseconds(base.median(kind))}", f"x {ratio:.2f}",
        f"x {sample.least(kind) / base.least(kind):.2f}", f"<= {limit}" if limit else "", ratio <= limit if limit else None)


def times_less(part, case, kind, sample, base, base_name, limit):
    """A row that demands: at least so many times less than that."""
    ratio = base.median(kind) / sample.median(kind)
    return Row(
        part, f"{case}, {kind}", milliseconds(sample.median(kind)), f"{base_name} {milliseconds(base.median(kind))}", f"{ratio:.1f} times less",
        f"{base.least(kind) / sample.least(kind):.1f}", f">= {limit}" if limit else "", ratio >= limit if limit else None)


def more(part, case, sample, base, base_name, limit):
    """A row that demands: at most so many seconds more wall time."""
    difference = sample.median() - base.median()
    return Row(
        part, case, milliseconds(sample.median()), f"{base_name} {milliseconds(base.median())}", f"+ {milliseconds(difference)}",
        f"+ {(sample.least() - base.least()) * 1e3:.2f}", f"<= {limit * 1e3:g} ms" if limit else "", difference <= limit if limit else None)


def show(rows):
    head = ["", "case", "measured", "against", "result", "of minima", "must reach", ""]
    lines = [[row.part, row.case, row.measured, row.against, row.result, row.minima, row.limit, row.verdict] for row in rows]
    widths = [max(len(line[column]) for line in [head] + lines) for column in range(len(head))]
    previous = None
    for row, line in zip([None] + rows, [head] + lines):
        if row is not None and row.part != previous:
            print()
            previous = row.part
        if row is not None and row.skipped:
            print(f"{line[0]:<{widths[0]}}  {line[1]:<{widths[1]}}  *skipped*: {row.skipped}")
        else:
            print("  ".join(f"{word:<{width}}" for word, width in zip(line, widths)).rstrip())
            if row is not None and row.note:
                print(f"{'':<{widths[0]}}    {row.note}")
    missed = [row for row in rows if row.verdict == "MISSED"]
    omitted = [row for row in rows if row.skipped]
    print()
    required = [row for row in rows if row.met is not None]
    print(f"{len(required) - len(missed)} of {len(required)} limits met" + (f", {len(omitted)} not measured" if omitted else ""))
    for row in missed:
        print(f"MISSED: {row.part}: {row.case}: {row.result or row.measured}, must reach {row.limit}" + (f" ({row.note})" if row.note else ""))
    return not missed
