"""Where the bench works: a folder of its own, and as root a private mount namespace, so that /etc/opk, /etc/passwd and the logs that opkssh, sshd
and opk-verify see are copies of ours and the machine's own are never touched."""
import fcntl, json, os, pathlib, re, shutil, socket, struct, subprocess, sys, tempfile, threading, time

import measure

HERE = pathlib.Path(__file__).resolve().parent.parent.parent
RELEASE = HERE / ".build/release"
INSIDE = "OPK_BENCH_NAMESPACE"


def enter_namespace(script):
    """As root: starts this script again where mounts are its own, and loopback too if that can be: nobody else has a port there. Returns where
    that is so already, or cannot be."""
    if INSIDE in os.environ:
        raise_loopback()
    elif os.geteuid() == 0 and shutil.which("unshare"):
        private = ["unshare", "--mount", "--propagation", "private"]
        for unshare in ([*private, "--net"], private):
            if subprocess.run([*unshare, "true"], stderr=subprocess.DEVNULL).returncode == 0:
                os.environ[INSIDE] = "yes"
                os.execvp("unshare", [*unshare, sys.executable, script, *sys.argv[1:]])


def raise_loopback():
    """A new network namespace's loopback is down."""
    get_flags, set_flags, up = 0x8913, 0x8914, 0x1
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        answer = fcntl.ioctl(any_socket, get_flags, struct.pack("16sh14x", b"lo", 0))
        flags = struct.unpack("16sh14x", answer)[1]
        fcntl.ioctl(any_socket, set_flags, struct.pack("16sh14x", b"lo", flags | up))


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Background:
    """A server for as long as the bench lasts; it dies with the bench, however that ends."""

    def __init__(self, arguments, log, environment=None, stdin=subprocess.DEVNULL):
        together = ["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []
        self.log = pathlib.Path(log)
        with open(self.log, "wb") as sink:
            self.process = subprocess.Popen(
                [*together, *map(str, arguments)], stdin=stdin, stdout=sink, stderr=sink, env=environment or measure.PLAIN)

    def wait_for(self, pattern, seconds=15):
        """The match of the first line that has one."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            text = self.log.read_text(errors="replace")
            if found := re.search(pattern, text, re.M):
                return found
            if self.process.poll() is not None:
                break
            time.sleep(0.02)
        raise measure.Failed(f"{self.process.args[-1]}: no line with {pattern!r}: {self.log.read_text(errors='replace')[-400:]}")

    def stop(self):
        if self.process.stdin:
            self.process.stdin.close()
        elif self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Place:
    """The folder, the stripped programs, the published vectors, and what has to be undone."""

    def __init__(self):
        wanted = pathlib.Path(os.environ.get("OPK_SHARED", HERE / "../shared"))
        self.shared = (wanted if wanted.is_absolute() else HERE / wanted).resolve()
        if not (self.shared / "bench/build.sh").exists():
            sys.exit(f"bench: the floor program and the vectors are not here ({self.shared}); OPK_SHARED names another place")
        self.is_root = os.geteuid() == 0
        self.is_private = INSIDE in os.environ
        # As root not in /tmp: sshd wants a command whose path is root's all the way.
        self.work = pathlib.Path(tempfile.mkdtemp(prefix="opk-bench-", dir="/var/lib" if self.is_root else None))
        self.work.chmod(0o755)
        self.undo = []
        vectors = {vector["name"]: vector for vector in json.load(open(self.shared / "opkssh-vectors/vectors.json"))}
        self.vector = vectors["never-rs1-ecdsa"]
        if time.time() < self.vector["at"]:
            sys.exit("bench: this machine's clock is before the time at which the vector was made")
        self.verify, self.fetch = (self.stripped(name) for name in ("opk-verify", "opk-fetch"))
        if self.is_private:
            self.hide_the_machine()

    def stripped(self, name):
        program = self.work / "libexec" / name
        program.parent.mkdir(exist_ok=True)
        shutil.copy(RELEASE / name, program)
        subprocess.run(["strip", program], check=True)
        return program

    def hide_the_machine(self):
        """Seen by this process and its children alone, and gone with them."""
        etc = self.work / "private-etc"
        subprocess.run(["cp", "-a", "/etc", etc], check=True)
        subprocess.run(["mount", "--bind", etc, "/etc"], check=True)
        self.undo.append(lambda: subprocess.run(["umount", "--lazy", "/etc"]))
        log = os.path.realpath("/dev/log") if os.path.exists("/dev/log") else None
        for folder in ("/var/log", "/run"):
            subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "none", folder], check=True)
        # What another sshd of this machine makes and takes away is not ours.
        os.mkdir("/run/sshd", 0o755)
        if log:
            self.swallow_log(log)

    def swallow_log(self, path):
        """Where the machine has a log, ours is put in the place of its socket: a log line costs what it costs, and does not stay."""
        hidden = path.startswith("/run/")
        place = path if hidden else str(self.work / "log")
        os.makedirs(os.path.dirname(place), exist_ok=True)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        listener.bind(place)
        os.chmod(place, 0o666)
        if not hidden:
            subprocess.run(["mount", "--bind", place, path], check=True)

        def read():
            while True:
                listener.recv(65536)
        threading.Thread(target=read, daemon=True).start()

    def configuration(self, name, files):
        """A folder as /etc/opk. `files`: texts by name, or None for the published one."""
        folder = self.work / name
        folder.mkdir(mode=0o755)
        for file in ("providers", "auth_id", "config.yml"):
            text = files.get(file)
            (folder / file).write_text((self.shared / "opkssh-vectors/etc" / file).read_text() if text is None else text)
            (folder / file).chmod(0o644)
        return folder

    def cache(self, name):
        folder = self.work / name
        folder.mkdir(mode=0o755)
        return folder

    def call(self, configuration, cache, user, certificate, key_type, audited=True):
        """With the audit log on, as an installation has it."""
        audit = ["--audit-log", self.audit_log()] if audited else []
        return [self.verify, "--config-dir", configuration, "--cache-dir", cache, *audit, "--", user, certificate, key_type]

    def audit_log(self):
        path = self.work / "log/audit.jsonl"
        if not path.exists():
            path.parent.mkdir(mode=0o755, exist_ok=True)
            path.touch(0o640)
        return path

    def background(self, arguments, log, **more):
        process = Background(arguments, self.work / log, **more)
        self.undo.append(process.stop)
        return process

    def clean(self):
        os.chdir("/")
        for step in reversed(self.undo):
            step()
        shutil.rmtree(self.work, ignore_errors=True)
