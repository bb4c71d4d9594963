"""Row 7: whole ssh logins, with opk-verify behind sshd and with authorized_keys alone."""
import os, shutil, subprocess, time
from pathlib import Path

import identity, measure, table
from measure import Case
from place import free_port

OURS, KEYS, AUTHORITY, CAT = "ssh, opk-verify", "ssh, authorized_keys", "ssh, cert-authority line", "ssh, cat"
ACCOUNT = "opk-bench"


class Daemon:
    """A private sshd on loopback, and what it and all that it started have cost."""

    def __init__(self, place, name, host_key, lines):
        self.port = free_port()
        options = [
            f"Port {self.port}", "ListenAddress 127.0.0.1", f"HostKey {host_key}", "PidFile none", "AuthenticationMethods publickey", "UsePAM no",
            "PasswordAuthentication no", "KbdInteractiveAuthentication no", f"AllowUsers {ACCOUNT}", *lines]
        file = place.work / f"sshd-{name}.conf"
        file.write_text("".join(option + "\n" for option in options))
        self.log = place.work / f"sshd-{name}.log"
        self.process = place.background([shutil.which("sshd", path=measure.PLAIN["PATH"]), "-D", "-e", "-f", file], self.log.name)
        self.process.wait_for("Server listening on 127.0.0.1")

    def cpu(self):
        """Seconds, of those that have ended and were waited for: fields 16 and 17 of proc(5)'s stat."""
        fields = Path(f"/proc/{self.process.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")

    def logins(self):
        return self.log.read_text(errors="replace").count("Accepted publickey")


def why_not(place):
    if not place.is_private:
        return "a private sshd needs root, and a mount namespace of its own"
    missing = [program for program in ("sshd", "ssh", "ssh-keygen") if not shutil.which(program, path=measure.PLAIN["PATH"])]
    return f"no {', '.join(missing)} (openssh-server, openssh-client)" if missing else None


def make_account(place):
    """An account of our own copy of /etc/passwd."""
    home = place.work / "home"
    for folder in (home, home / ".ssh"):
        folder.mkdir(mode=0o700)
        os.chown(folder, 64998, 64998)
    with open("/etc/passwd", "a") as file:
        file.write(f"{ACCOUNT}:*:64998:64998::{home}:/bin/sh\n")
    return home / ".ssh"


def cases(place, login, configuration, cache, daemons):
    """One turn is one login. `daemons` gets the sshd of each case."""
    ssh_folder = make_account(place)
    laptop = place.work / "laptop"
    host_key = place.work / "host_key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", host_key], check=True)
    bare = " ".join(identity.bare_key(login.key))
    shutil.copy(login.key, laptop / "plain")
    (laptop / "plain.pub").write_text(bare + "\n")
    keys = place.work / "keys"
    keys.mkdir(mode=0o755)
    (keys / "plain").write_text(bare + "\n")
    (keys / "authority").write_text(login.line + "\n")
    command = " ".join(map(str, place.call(configuration, cache, "%u", "%k", "%t")))
    sources = {
        OURS: ("ours", login.key, ["AuthorizedKeysFile none", f"AuthorizedKeysCommand {command}", "AuthorizedKeysCommandUser nobody"]),
        KEYS: ("keys", laptop / "plain", [f"AuthorizedKeysFile {keys}/plain"]),
        AUTHORITY: ("authority", login.key, [f"AuthorizedKeysFile {keys}/authority"]),
        # What sshd itself spends on asking a command: no AuthorizedKeysCommand can cost less.
        CAT: ("cat", login.key, ["AuthorizedKeysFile none", f"AuthorizedKeysCommand {shutil.which('cat')} {keys}/authority",
                                 "AuthorizedKeysCommandUser nobody"]),
    }
    known = laptop / "known_hosts"
    for name, (short, key, lines) in sources.items():
        daemon = daemons[name] = Daemon(place, short, host_key, lines)
        with open(known, "a") as file:
            file.write(f"[127.0.0.1]:{daemon.port} {' '.join(Path(f'{host_key}.pub').read_text().split()[:2])}\n")
        options = [
            "BatchMode=yes", "StrictHostKeyChecking=yes", f"UserKnownHostsFile={known}", "GlobalKnownHostsFile=/dev/null", "IdentitiesOnly=yes",
            "IdentityAgent=none", "PreferredAuthentications=publickey", "LogLevel=ERROR"]
        yield Case(
            name, [shutil.which("ssh"), "-F", "none", *[word for option in options for word in ("-o", option)], "-i", key, "-p", daemon.port,
                   f"{ACCOUNT}@127.0.0.1", "true"],
            # sshd's side of it ends after ssh does.
            laptop, {**measure.PLAIN, "HOME": str(laptop)}, every=3, after=lambda: time.sleep(0.05),
            log=daemon.log)


def rows(samples, daemons, why):
    part = "7 whole ssh logins"
    if why:
        yield table.skipped(part, "logins a second", why)
        return

    def rate(base, label, limit):
        ours, theirs = samples[OURS], samples[base]
        ratio = theirs.median() / ours.median()
        return table.Row(
            part, f"logins a second, {label}", f"{1 / ours.median():.2f}/s", f"{1 / theirs.median():.2f}/s", f"x {ratio:.3f}",
            f"x {theirs.least() / ours.least():.3f}", f">= {limit}" if limit else "", ratio >= limit if limit else None)
    yield rate(KEYS, "beside authorized_keys", 0.9)
    yield rate(AUTHORITY, "the same certificate by a cert-authority line", None)
    yield rate(CAT, "the same line from cat as AuthorizedKeysCommand", None)
    # The client's and sshd's: what a machine that does nothing else would be full with.
    cost = {name: samples[name].median("cpu") + daemon.cpu() / daemon.logins() for name, daemon in daemons.items()}
    yield table.Row(
        part, "CPU of a login, client and server", table.milliseconds(cost[OURS]), f"authorized_keys {table.milliseconds(cost[KEYS])}",
        f"x {cost[KEYS] / cost[OURS]:.3f}", "", "",
        note=f"by a cert-authority line {table.milliseconds(cost[AUTHORITY])}, by cat {table.milliseconds(cost[CAT])}")
