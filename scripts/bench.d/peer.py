"""Rows 3 and 4: the same certificate shown to Debian's `opkssh verify`, its provider on loopback, and behind TLS and 30 ms of network."""
import grp, os, shutil

import table
from measure import PLAIN, Case
from place import HERE

OPKSSH = HERE / ".build/opkssh/usr/bin/opkssh"
NEAR, FAR, FAR_OURS = "opkssh", "opkssh, 30 ms away", "opk-verify, 30 ms away"
USER = "opksshuser"


def why_not(place):
    if not OPKSSH.exists():
        return "no opkssh in .build/opkssh (.ci/install-test-packages fetches it)"
    if not place.is_private:
        return "opkssh reads /etc/opk alone: that needs root, and a mount namespace of its own"
    return None


def install_policy(files):
    """/etc/opk as opkssh wants it; /etc is our own copy."""
    try:
        group = grp.getgrnam(USER).gr_gid
    except KeyError:
        group = 64999
        for path, line in (("/etc/group", f"{USER}:x:{group}:"), ("/etc/passwd", f"{USER}:x:{group}:{group}::/nonexistent:/usr/sbin/nologin")):
            with open(path, "a") as file:
                file.write(line + "\n")
    shutil.rmtree("/etc/opk", ignore_errors=True)
    os.mkdir("/etc/opk", 0o755)
    for name, text in files.items():
        path = f"/etc/opk/{name}"
        with open(path, "w") as file:
            file.write(text)
        os.chown(path, 0, group)
        os.chmod(path, 0o640)


def cases(place, identity, configuration, cache):
    """What takes its turn beside the warm admit; the far certificate is shown to both."""
    vector = place.vector
    program = place.work / "libexec/opkssh"
    shutil.copy(OPKSSH, program)
    install_policy(identity.policy(place) if identity else {
        name: (place.shared / "opkssh-vectors/etc" / name).read_text() for name in ("providers", "auth_id", "config.yml")})
    yield Case(NEAR, [program, "verify", vector["user"], vector["cert"], vector["key_type"]], place.work, PLAIN, every=2), vector["line"]
    if identity:
        shown = [identity.user, identity.certificate, identity.key_type]
        yield Case(FAR, [program, "verify", *shown], place.work, identity.environment, every=5), identity.line
        yield Case(FAR_OURS, place.call(configuration, cache, *shown), place.work, PLAIN), identity.line


def rows(samples, warm, identity, why):
    for part, name, ours, limit in (("3 beside opkssh", NEAR, warm, 4), ("4 TLS and 30 ms", FAR, FAR_OURS, 20)):
        reason = why if part.startswith("3") else why or (None if identity else "there is no login (see row 7)")
        if reason:
            yield table.skipped(part, "warm admit", reason)
            continue
        yield table.times_less(part, "warm admit", "wall", samples[ours], samples[name], name, limit)
        yield table.times_less(part, "warm admit", "cpu", samples[ours], samples[name], name, limit if part.startswith("3") else None)
