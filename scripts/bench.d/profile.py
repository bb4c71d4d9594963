"""Where the time goes: what the floor is made of, step by step, and what a warm admit does beside it. Measured, not guessed."""
import re, shutil, subprocess, sys
from pathlib import Path

import floor, measure
from measure import Case
from place import RELEASE

ROUNDS = 100
# Each does a little more than the one before it.
STEPS = {
    "C program, static, does nothing": ("int main(void) { return 0; }", ["-static"]),
    "the same, dynamic": ("int main(void) { return 0; }", []),
    "linked with libcrypto, does nothing": (
        "#include <openssl/crypto.h>\nint main(int n, char **v) { return n > 9 ? (int)OpenSSL_version_num() : 0; }", ["-lcrypto"]),
    "and initializes it, no configuration": (
        "#include <openssl/crypto.h>\nint main(void) { return !OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL); }", ["-lcrypto"]),
    "and makes one SHA3-256 digest": (
        "#include <openssl/crypto.h>\n#include <openssl/evp.h>\nint main(void) { unsigned char h[64]; unsigned n;"
        " OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL); return !EVP_Digest(\"header\", 6, h, &n, EVP_sha3_256(), NULL); }", ["-lcrypto"]),
}


def steps(place):
    for number, (name, (source, flags)) in enumerate(STEPS.items()):
        program = place.work / f"step-{number}"
        subprocess.run(["cc", "-O2", "-x", "c", "-o", program, "-", *flags], input=source, text=True, check=True)
        yield Case(name, [program], place.work)


def system_calls(case):
    outcome = subprocess.run(
        ["strace", "-f", "-c", "-o", "/dev/stdout", *case.arguments], cwd=case.folder, env=case.environment, stdin=subprocess.DEVNULL,
        capture_output=True, text=True)
    total = [line.split() for line in outcome.stdout.splitlines() if line.endswith(" total")]
    return total[-1][3] if total else "?"


def ladder(place, cases):
    print(f"Step by step: medians of {ROUNDS} interleaved rounds; the least wall time; instructions; minor page faults; system calls\n")
    samples = measure.interleaved(cases, ROUNDS)
    print(f"{'':<40} {'wall':>9} {'least':>9} {'CPU':>9} {'instructions':>13} {'faults':>7} {'calls':>6}")
    for case in cases:
        taken = samples[case.name]
        print(f"{case.name:<40} {taken.median() * 1e3:>6.2f} ms {taken.least() * 1e3:>6.2f} ms {taken.median('cpu') * 1e3:>6.2f} ms"
              f" {measure.instructions(case) / 1e6:>11.2f} M {taken.median('faults'):>7.0f} {system_calls(case):>6}")


def loader(case):
    environment = {**case.environment, "LD_DEBUG": "statistics"}
    outcome = subprocess.run(case.arguments, cwd=case.folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    print(f"\nThe dynamic loader, {case.name} (LD_DEBUG=statistics)\n")
    for line in outcome.stderr.splitlines():
        if re.search(r"total startup|time needed|number of (relative )?relocations|relocations from cache", line):
            print("   ", line.split(":", 1)[1].strip())
    libraries = subprocess.run(["ldd", case.arguments[0]], cwd=case.folder, capture_output=True, text=True).stdout
    print("    libraries:", " ".join(line.split()[0] for line in libraries.splitlines() if "=>" in line))


def demangled(text):
    if not shutil.which("swift"):
        return text
    text = subprocess.run(["swift", "demangle", "-compact"], input=text, capture_output=True, text=True).stdout or text
    text = re.sub(r"function signature specialization <.*?> of ", "", text)
    return re.sub(r" in _[0-9A-F]{32}", "", text)


def functions(place, case, title, own, lines):
    """The most expensive functions with what they call, those without a name left out."""
    file = place.work / "callgrind.out"
    subprocess.run(
        ["valgrind", "--tool=callgrind", f"--callgrind-out-file={file}", *case.arguments], cwd=case.folder, env=case.environment,
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    report = subprocess.run(["callgrind_annotate", "--inclusive=yes", file], capture_output=True, text=True).stdout
    print(f"\n{title} (callgrind_annotate --inclusive=yes)\n")
    shown = 0
    for line in demangled(report).splitlines():
        found = re.match(r"\s*([\d,]+) \(\s*([\d.]+)%\)\s+\S*?:(?!0x)(.*?)(?: \[([^\[\]]*)\])?$", line)
        if not found or "PROGRAM TOTALS" in line or found.group(3).endswith(("'2", "'3")) or "protocol witness" in line:
            continue
        count, share, name, where = found.groups()
        where = Path(where or "?").name
        if own is not None and (where == own) == (title.count("libraries") > 0):
            continue
        print(f"    {int(count.replace(',', '')) / 1e6:>6.2f} M {share:>6}%  {where.split('.')[0]:<12} {name[:110]}")
        shown += 1
        if shown == lines:
            break


def run(place):
    missing = [program for program in ("valgrind", "strace", "cc", "callgrind_annotate") if not shutil.which(program)]
    if missing:
        sys.exit(f"bench: the profile needs {', '.join(missing)}")
    provider = place.background([sys.executable, place.shared / "opkssh-vectors/serve.py"], "serve.log", stdin=subprocess.PIPE)
    provider.wait_for("^ready$")
    cases = floor.cases(place, place.configuration("etc", {}), place.cache("cache"))
    measure.checked(cases[1], place.vector["line"])
    least, warm, not_ours = cases
    version = Case("opk-verify --version", [place.verify, "--version"], place.work)
    ladder(place, [*steps(place), least, version, not_ours, warm])
    for case in (least, warm):
        loader(case)
    # Names, but not the debugging information, which valgrind 3.19 cannot read.
    named = place.verify.with_name("opk-verify-named")
    shutil.copy(RELEASE / "opk-verify", named)
    subprocess.run(["strip", "--strip-debug", named], check=True)
    call = Case(warm.name, [named, *warm.arguments[1:]], warm.folder)
    functions(place, least, "What the floor is made of", None, 30)
    functions(place, call, "A warm admit: opk-verify's own functions", named.name, 45)
    functions(place, call, "A warm admit: the libraries", named.name, 35)
