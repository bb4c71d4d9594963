"""Row 8: 64 verifies at the same moment, warm and cold, and what strace says of locks while a fetch hangs."""
import fcntl, http.server, json, os, re, shutil, signal, subprocess, threading, time

import measure, stale, table

MANY = 64
PORT = 18391        # the published issuers'
PART = f"8 {MANY} at once"

# Each waits until the gate opens for all, so that they start together and not one after another.
LAUNCHER = """
gate=$1 out=$2 many=$3; shift 3
i=0
while [ "$i" -lt "$many" ]; do
    ( : > "$out/$i.here"; read -r go < "$gate"; "$@" > "$out/$i.out" 2> "$out/$i.err"; echo "$?" > "$out/$i.status" ) &
    i=$((i + 1))
done
wait
"""


class Provider:
    """The published issuers, as slow as one likes. Counts what it is asked for."""

    def __init__(self, jwks):
        self.delay, self.asked, self.hanging, self.hung, self.release = 0.0, [], False, threading.Event(), threading.Event()
        provider = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                provider.asked.append(self.path)
                if provider.hanging:
                    provider.hung.set()
                    provider.release.wait(30)
                time.sleep(provider.delay)
                issuer = f"http://localhost:{PORT}" + self.path.removesuffix("/jwks").removesuffix("/.well-known/openid-configuration")
                body = jwks if self.path.endswith("/jwks") else json.dumps({
                    "issuer": issuer, "jwks_uri": issuer + "/jwks", "authorization_endpoint": issuer + "/auth", "token_endpoint": issuer + "/token",
                    "response_types_supported": ["code"], "subject_types_supported": ["public"],
                    "id_token_signing_alg_values_supported": ["RS256"]}).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def handle_one_request(self):
                try:
                    super().handle_one_request()
                except OSError:
                    pass    # it did not wait for the answer

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            allow_reuse_address = daemon_threads = True
            request_queue_size = 256
        self.server = Server(("127.0.0.1", PORT), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.release.set()
        self.server.shutdown()
        self.server.server_close()

    def keys_asked(self):
        return sum(path.endswith("/jwks") for path in self.asked)


class Crowd:
    """`MANY` calls of one command, under strace or not."""
    number = 0

    def __init__(self, place, call, line, traced=False):
        Crowd.number += 1
        self.folder = place.work / f"crowd-{Crowd.number}"
        self.folder.mkdir()
        self.line, self.program = line, str(call[0])
        gate, self.trace = self.folder / "gate", self.folder / "trace"
        os.mkfifo(gate)
        strace = ["strace", "-f", "-qq", "-o", self.trace, "-e", "trace=execve,flock,fcntl,%network"] if traced else []
        self.process = subprocess.Popen(
            list(map(str, [*strace, "sh", "-c", LAUNCHER, "sh", gate, self.folder, MANY, *call])), env=measure.PLAIN,
            stdin=subprocess.DEVNULL, start_new_session=True)
        with open(gate, "w"):
            # As long as this end is open whoever has come waits.
            self.until(lambda: self.count("here") == MANY, 30)
            time.sleep(0.3)
        self.until(lambda: self.count("status") == MANY, 90)

    def until(self, is_so, seconds):
        end = time.monotonic() + seconds
        while not is_so() and time.monotonic() < end:
            time.sleep(0.02)

    def count(self, ending):
        return len(list(self.folder.glob(f"*.{ending}")))

    def finish(self):
        """Waits for whatever they left behind, a fetch behind the answer say; a crowd that does not end is ended."""
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        return self

    @property
    def admitted(self):
        def good(number):
            status, out = (self.folder / f"{number}.{ending}" for ending in ("status", "out"))
            return status.exists() and status.read_text().strip() == "0" and out.read_text().strip() == self.line
        return sum(good(number) for number in range(MANY))

    def calls(self):
        """What opk-verify's own processes did: lock calls, and calls that reach for a network."""
        lines = [line.split(None, 1) for line in self.trace.read_text(errors="replace").splitlines()]
        # A child between fork and exec has a pid of its own; opk-fetch keeps it, and is not counted.
        verifiers = {pid for pid, call in lines if call.startswith(f'execve("{self.program}"')}
        mine = [call for pid, call in lines if pid in verifiers]
        locks = [call for call in mine if re.match(r"flock\(", call) or re.search(r"F_(OFD_)?SETLKW?\b", call)]
        network = [call for call in mine if re.search(r"AF_INET|AF_NETLINK", call)]
        return len(verifiers), locks, network


def is_locked(cache):
    """Whether another holds a lock on a file of the cache."""
    for path in cache.glob("*.lock"):
        with open(path) as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                return True
    return False


def fetch_that_hangs(place, provider, cache):
    """opk-fetch for the published issuer, waiting for an answer that does not come."""
    provider.hanging = True
    provider.hung.clear()
    for path in cache.glob("*.attempt"):
        path.unlink()
    process = subprocess.Popen(
        [place.fetch, "--cache-dir", cache, "keys", place.vector["issuer"]], env=measure.PLAIN, stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    if not provider.hung.wait(10):
        process.kill()
        raise measure.Failed("opk-fetch did not come to the provider")
    return process


def row(case, crowd, limit, result, also, note=""):
    return table.Row(PART, case, f"{crowd.admitted} of {MANY} admitted", "", result, "", limit, crowd.admitted == MANY and also, note=note)


def traced_rows(place, provider, cache, calls):
    """While a fetch hangs with the issuer's lock in its hand, nobody who has keys waits for it, or for any lock."""
    for label, call, line, two_hours_old in calls:
        provider.release.clear()
        if two_hours_old:
            stale.age(cache, 7200)
        hanging = fetch_that_hangs(place, provider, cache)
        try:
            held = is_locked(cache)
            crowd = Crowd(place, call, line, traced=True)
            behind = hanging.poll() is not None
        finally:
            provider.hanging = False
            provider.release.set()
            hanging.wait()
        crowd.finish()
        count, locks, network = crowd.calls()
        note = "the hanging fetch holds the issuer's lock" if held else "the hanging fetch holds no lock, as it should, so this shows little"
        note += "; the verifiers waited until it had ended" if behind else "; it was hanging still when the last verifier had answered"
        yield row(
            f"while a fetch hangs: {label}", crowd, f"all, 0, 0", f"{len(locks)} locks, {len(network)} network calls",
            held and count == MANY and not locks and not network and not behind, note)


def rows(place, configuration, warm_cache, identity):
    vector = place.vector
    shown = [vector["user"], vector["cert"], vector["key_type"]]
    provider = Provider((place.shared / "opkssh-vectors/jwks/base.json").read_bytes())
    try:
        warm = Crowd(place, place.call(configuration, warm_cache, *shown), vector["line"]).finish()
        yield row("warm", warm, "all, 0", f"{len(provider.asked)} requests", not provider.asked)
        provider.delay = 0.3
        cold = Crowd(place, place.call(configuration, place.cache("cache-cold"), *shown), vector["line"]).finish()
        asked = provider.keys_asked()
        yield row("cold, an answer takes 300 ms", cold, "all, 1", f"{asked} requests for the keys", asked == 1)
        provider.delay = 0
        if not shutil.which("strace"):
            yield table.skipped(PART, "no lock while another waits", "strace is not installed")
            return
        ours = place.call(configuration, warm_cache, *shown)
        calls = [("fresh keys of the same issuer", ours, vector["line"], False)]
        if identity:
            other = place.call(configuration, warm_cache, identity.user, identity.certificate, identity.key_type)
            calls.append(("another issuer", other, identity.line, False))
        # Last: it makes the cache old.
        calls.append(("keys two hours old", ours, vector["line"], True))
        yield from traced_rows(place, provider, warm_cache, calls)
    finally:
        provider.stop()
