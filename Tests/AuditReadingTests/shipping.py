"""shipping.py elasticsearch|splunk: rsyslog for real, with the configuration of packaging/shipping and nothing changed in it but paths, ports and names of
hosts, between a log that is rotated and a receiver on loopback that goes away, refuses, and comes back. Ends with 0 if every event arrived once, whole and
in its order."""
import http.server, json, pathlib, shutil, socket, subprocess, sys, tempfile, threading, time

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SHIPPING = ROOT / "packaging/shipping"
sys.path.insert(0, str(ROOT / "scripts/bench.d"))
import events  # noqa: E402

TOKEN = "00000000-0000-0000-0000-000000000001"


class Receiver:
    """Elasticsearch's bulk and Splunk's collector, as far as a sender sees them. `refuse`: so many requests are answered with 503."""

    def __init__(self, port):
        self.port, self.got, self.strange, self.refuse, self.requests = port, [], [], 0, 0
        self.server = None

    def start(self):
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def answer(self, status, body):
                body = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Connection", "close")
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)
                self.close_connection = True

            def do_GET(self):
                self.answer(200, {"version": {"number": "8.0.0"}, "status": "green"})

            do_HEAD = do_GET

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.requests += 1
                if receiver.refuse:
                    receiver.refuse -= 1
                    return self.answer(503, {"text": "Server is busy", "code": 9})
                if self.path.startswith("/_bulk"):
                    return self.answer(200, receiver.bulk(body))
                if self.path == "/services/collector/event" and self.headers["Authorization"] == "Splunk " + TOKEN:
                    receiver.collect(body)
                    return self.answer(200, {"text": "Success", "code": 0})
                receiver.strange.append(self.path)
                self.answer(404, {})

        class Server(http.server.ThreadingHTTPServer):
            allow_reuse_address, daemon_threads = True, True

        self.server = Server(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        if self.server:
            self.server.shutdown()
            self.server.server_close()
            self.server = None

    def bulk(self, body):
        lines, items = body.decode().splitlines(), []
        for action, document in zip(lines[::2], lines[1::2]):
            (name, where), = json.loads(action).items()
            event = json.loads(document)
            if name != "create" or where.get("_index") != "opk-audit" or where.get("_id") != event["id"]:
                self.strange.append(action)
            self.got.append(event)
            items.append({name: {"_id": where.get("_id"), "status": 201}})
        return {"took": 1, "errors": False, "items": items}

    def collect(self, body):
        for line in body.decode().splitlines():
            wrapped = json.loads(line)
            if wrapped["sourcetype"] != "opk:audit" or not 1.7e9 < float(wrapped["time"]) < 2e9:
                self.strange.append(line)
            self.got.append(wrapped["event"])


def configuration(kind, folder, log, port):
    text = (SHIPPING / f"rsyslog-{kind}.conf").read_text()
    settings = folder / "to.json"
    settings.write_text(json.dumps({"to": kind, "url": f"http://127.0.0.1:{port}"} | ({"authorization": "Splunk " + TOKEN} if kind == "splunk" else {})))
    for old, new in (("/var/log/opk/audit.jsonl", str(log)), (f"/etc/opk/{kind}.json", str(settings)),
                     ("/usr/local/libexec/opk/opk-ship", str(SHIPPING / "opk-ship"))):
        text = text.replace(old, new)
    path = folder / "rsyslog.conf"
    path.write_text(f'global(workDirectory="{folder}")\n' + text)
    return path


def append(log, numbers):
    lines = []
    for number in numbers:
        lines.append(events.event(number))
        if number % 100 == 50:
            # Nearly as long as a line may be.
            lines[-1]["notes"] = ["x" * 500] * 14
        # One write for each, as opk writes.
        with open(log, "ab", buffering=0) as file:
            file.write(json.dumps(lines[-1], separators=(",", ":")).encode() + b"\n")
    return lines


def wait(holds, seconds, what):
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            sys.exit(f"waited {seconds} s in vain: {what()}")
        time.sleep(0.1)


def main(kind):
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    folder = pathlib.Path(tempfile.mkdtemp(prefix="opk-shipping-"))
    receiver, log, rsyslog = Receiver(port), folder / "audit.jsonl", None
    said = lambda: f"{len(receiver.got)} events, {receiver.requests} requests, {(folder / 'rsyslog.log').read_text()[-800:]}"
    try:
        log.touch()
        path = configuration(kind, folder, log, port)
        with open(folder / "rsyslog.log", "wb") as sink:
            rsyslog = subprocess.Popen(["/usr/sbin/rsyslogd", "-n", "-f", path, "-i", folder / "pid"], stdout=sink, stderr=sink)
        receiver.start()
        written = append(log, range(200))
        wait(lambda: len(receiver.got) >= 200, 60, said)
        receiver.stop()
        written += append(log, range(200, 300))
        log.rename(folder / "audit.jsonl.1")
        log.touch()
        written += append(log, range(300, 400))
        time.sleep(2)
        receiver.refuse = 2
        receiver.start()
        wait(lambda: len(receiver.got) >= 400, 120, said)
        written += append(log, range(400, 500))
        wait(lambda: len(receiver.got) >= 500, 60, said)
        time.sleep(1)
        if receiver.strange:
            sys.exit(f"not as it should be sent: {receiver.strange[:2]}")
        if receiver.got != written:
            ids = [event["id"] for event in receiver.got]
            sys.exit(f"{len(ids)} events, {len(set(ids))} of them once, for {len(written)}; in order: {ids == [event['id'] for event in written]}")
        print(f"{kind}: {len(written)} events arrived once, whole and in their order, in {receiver.requests} requests")
    finally:
        receiver.stop()
        if rsyslog:
            rsyslog.terminate()
            try:
                rsyslog.wait(20)
            except subprocess.TimeoutExpired:
                rsyslog.kill()
                rsyslog.wait()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(sys.argv[1])
