"""How a command is measured: started by posix_spawn, the commands taking turns; instructions by callgrind; memory by time(1)."""
import os, random, re, statistics, subprocess, time
from dataclasses import dataclass, field
from typing import Callable, Optional

PLAIN = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
NULL = [(os.POSIX_SPAWN_OPEN, number, "/dev/null", os.O_RDWR, 0) for number in (0, 1, 2)]


class Failed(Exception):
    """A command did not do what it is measured for: its time would mean nothing."""


@dataclass
class Case:
    """One command that takes its turn."""
    name: str
    arguments: list
    folder: object = "/"
    environment: dict = field(default_factory=lambda: dict(PLAIN))
    status: int = 0
    every: int = 1                          # takes its turn in every n-th round only: for what is slow
    before: Optional[Callable] = None       # not measured: what has to be so when it starts,
    after: Optional[Callable] = None        # and what has to be over when the next one does
    log: object = None                      # a file that says why it failed, if it does

    def __post_init__(self):
        self.arguments = [str(word) for word in self.arguments]


class Samples:
    """One case's runs: seconds of wall and of CPU time, and page faults, the last two with those of the children that it waited for."""

    def __init__(self):
        self.wall, self.cpu, self.faults = [], [], []

    def median(self, kind="wall"):
        return statistics.median(getattr(self, kind))

    def least(self, kind="wall"):
        return min(getattr(self, kind))


def once(case):
    if case.before:
        case.before()
    os.chdir(case.folder)
    start = time.perf_counter()
    child = os.posix_spawn(case.arguments[0], case.arguments, case.environment, file_actions=NULL)
    _, status, usage = os.wait4(child, 0)
    wall = time.perf_counter() - start
    if os.waitstatus_to_exitcode(status) != case.status:
        said = "" if case.log is None else "; its log ends so:\n" + case.log.read_text(errors="replace")[-2000:]
        raise Failed(f"{case.name}: {case.arguments[0]} ended with {os.waitstatus_to_exitcode(status)}, not {case.status}{said}")
    if case.after:
        case.after()
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_minflt


def interleaved(cases, runs, at_least=5):
    """One run of all: in each round every case has its turn, but for slow ones, which have at least `at_least` turns in all. Who comes before whom is
    drawn anew for each round, the quick ones among themselves and then the slow, so that nobody always finds the caches as somebody left them."""
    samples = {case.name: Samples() for case in cases}
    drawn = random.Random(1)
    for number in range(runs):
        turns = [case for case in cases if number % max(1, min(case.every, runs // at_least)) == 0]
        for case in sorted(turns, key=lambda case: (case.every > 1, drawn.random())):
            taken = samples[case.name]
            for column, value in zip((taken.wall, taken.cpu, taken.faults), once(case)):
                column.append(value)
        time.sleep(0.02)
    return samples


def instructions(case):
    outcome = subprocess.run(
        ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", *case.arguments],
        cwd=case.folder, env=case.environment, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    counted = re.search(r"Collected : (\d+)", outcome.stderr)
    if outcome.returncode != case.status or not counted:
        raise Failed(f"{case.name}: {case.arguments[0]} fails under valgrind (status {outcome.returncode})")
    return int(counted.group(1))


def resident(case, times=5):
    """Maximum resident bytes. time(1) starts it: a child of Python's would begin with Python's own pages on its account."""
    def one():
        outcome = subprocess.run(
            ["/usr/bin/time", "-f", "%M", *case.arguments], cwd=case.folder, env=case.environment,
            stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if outcome.returncode != case.status:
            raise Failed(f"{case.name}: ended with {outcome.returncode} under time(1)")
        return int(outcome.stderr.splitlines()[-1]) * 1024
    return statistics.median(one() for _ in range(times))


def checked(case, expected):
    """Runs it once and compares its answer, so that nothing is timed that does not work."""
    if case.before:
        case.before()
    outcome = subprocess.run(
        case.arguments, cwd=case.folder, env=case.environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    if outcome.returncode != case.status or outcome.stdout.strip() != expected:
        said = (outcome.stderr.strip().splitlines() or ["nothing"])[-1]
        raise Failed(f"{case.name}: status {outcome.returncode}, {len(outcome.stdout)} bytes of answer, not the expected one; it says: {said}")
    if case.after:
        case.after()
