"""sender.py: packaging/shipping/opk-ship as rsyslog runs it, against receivers on loopback that answer what no Splunk or Elasticsearch would. An answer is taken for a
confirmation only where it is one; the sender goes on after each; the key goes to one host and is in nothing that is printed. Prints what was tried."""
import http.server, json, os, pathlib, socket, ssl, subprocess, sys, tempfile, threading, time

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PROGRAM = ROOT / "packaging/shipping/opk-ship"
TOKEN = "S3CRET-00000000"
EVENT = {"v": 1, "time": "2026-11-28T22:31:49.123456Z", "id": "aaaaaaaaaa", "type": "login", "host": "web1", "program": "opk-session"}
GOOD = {
    "splunk": {"text": "Success", "code": 0},
    "elasticsearch": {"took": 1, "errors": False, "items": [{"create": {"_id": "aaaaaaaaaa", "status": 201}}]},
}
TOOK = json.dumps


def items(errors, *statuses):
    return TOOK({"errors": errors, "items": [{"create": {"status": status}} for status in statuses]})


class Receiver(http.server.ThreadingHTTPServer):
    """`script` is what is sent back for the next request: bytes as they are, or (status, headers, body)."""

    allow_reuse_address, daemon_threads = True, True

    def __init__(self):
        self.requests, self.script, self.over = [], None, threading.Event()
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_POST(self):
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                receiver.requests.append((self.command, self.path, self.headers.get("Authorization")))
                answer = receiver.script
                if callable(answer):
                    return answer(self)
                if isinstance(answer, bytes):
                    return self.wfile.write(answer)
                status, headers, body = answer
                self.send_response(status)
                for name, value in {"Content-Type": "application/json", "Content-Length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST

        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def port(self):
        return self.server_address[1]


class Sender:
    def __init__(self, folder, settings, environment={}):
        path = folder / "settings.json"
        path.write_text(json.dumps(settings))
        self.process = subprocess.Popen(
            ["/usr/bin/python3", PROGRAM, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env={"PATH": "/usr/bin:/bin", **environment})
        self.said = [self.line()]
        if self.said != ["OK"]:
            sys.exit(f"it did not begin: {self.said}")

    def line(self):
        return self.process.stdout.readline().decode().rstrip("\n")

    def tell(self, line):
        self.process.stdin.write(line + b"\n")
        self.process.stdin.flush()
        self.said.append(self.line())
        return self.said[-1]

    def transaction(self, *lines):
        if self.tell(b"BEGIN TRANSACTION") != "OK":
            sys.exit("it does not begin a transaction")
        for line in lines or (json.dumps(EVENT).encode(),):
            if self.tell(line) != "DEFER_COMMIT":
                sys.exit("it does not take a line")
        return self.tell(b"COMMIT TRANSACTION")

    def end(self):
        self.process.stdin.close()
        said = "\n".join(self.said) + self.process.stderr.read().decode()
        if self.process.wait(20) != 0 or "Traceback" in said:
            sys.exit(f"it ended badly: {said}")
        if TOKEN in said:
            sys.exit(f"the key was said: {said}")


def trickle(handler):
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
    try:
        while not handler.server.over.wait(0.2):
            handler.wfile.write(b"1\r\n \r\n")
            handler.wfile.flush()
    except OSError:
        pass


def headers_without_end(handler):
    try:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
        while not handler.server.over.wait(0.2):
            handler.wfile.write(b"x")
            handler.wfile.flush()
    except OSError:
        pass


def broken(kind, other):
    """What must not count as taken, for each a name."""
    page = (200, {"Content-Type": "text/html"}, b"<html>please sign in</html>")
    good = TOOK(GOOD[kind]).encode()
    cases = {
        "a redirect": (302, {"Location": f"http://127.0.0.1:{other}/login"}, b""),
        "a redirect that keeps the method": (307, {"Location": f"http://127.0.0.1:{other}/login"}, b""),
        "a redirect to a file": (302, {"Location": "file:///etc/hostname"}, b""),
        "a sign-in page": page,
        "a sign-in page that says it is JSON": (200, {}, page[2]),
        "the right words as a page": (200, {"Content-Type": "text/html"}, good),
        "nothing at all": (204, {"Content-Length": "0"}, b""),
        "an empty body": (200, {}, b""),
        "an answer without a type": b"HTTP/1.1 200 OK\r\n\r\nok",
        "half an answer": (200, {"Content-Length": "9999"}, good),
        "broken JSON": (200, {}, good[:-2]),
        "deep JSON": (200, {}, b"[" * 200_000),
        "deep objects": (200, {}, b'{"errors":' * 100_000),
        "no UTF-8": (200, {}, b'{"code": "\xff\xfe"}'),
        "a list": (200, {}, b"[]"), "a number": (200, {}, b"0"), "null": (200, {}, b"null"), "a text": (200, {}, b'"ok"'),
        "another object": (200, {}, b"{}"),
        "no HTTP": b"SSH-2.0-OpenSSH_9.2\r\n", "no status": b"HTTP/1.1 abc\r\n\r\n", "no answer": b"",
        "a chunk that is none": b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "too many headers": b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n",
        "more than is read": (200, {}, b" " * (9 << 20) + good),
        "busy": (503, {}, b"{}"), "forbidden": (403, {}, b"{}"),
    }
    if kind == "splunk":
        cases |= {f"code {code}": (200, {}, TOOK({"code": code}).encode()) for code in (9, -1, None, False, "0", [0])}
        cases |= {"created": (201, {}, good)}
    else:
        cases |= {
            name: (200, {}, text.encode())
            for name, text in {
                "no items": TOOK({"errors": False}), "items of another kind": TOOK({"errors": False, "items": {"a": 1}}),
                "too few items": items(False), "too many items": items(False, 201, 201), "an empty item": TOOK({"errors": False, "items": [{}]}),
                "an item of another kind": TOOK({"errors": False, "items": [7]}), "no errors member": TOOK({"items": [{"create": {"status": 201}}]}),
                "errors of another kind": items("no", 201), "errors that there are none of": items(True, 201),
                "none, and one": items(False, 400), "an item's 503": items(True, 503), "an item's 429": items(True, 429),
                "an item's text": items(False, "201"), "an item's redirect code": items(False, 100),
            }.items()
        }
    return cases


def main():
    tried = 0
    with tempfile.TemporaryDirectory(prefix="opk-sender-") as name:
        folder = pathlib.Path(name)
        other = Receiver()
        other.script = (200, {"Content-Type": "text/html"}, b"<html>please sign in</html>")
        for kind in GOOD:
            receiver = Receiver()
            settings = {"to": kind, "url": f"http://127.0.0.1:{receiver.port}", "authorization": f"Splunk {TOKEN}", "timeout": 3}
            # A proxy that the environment names is nobody's business here.
            sender = Sender(folder, settings, {name: f"http://127.0.0.1:{other.port}" for name in ("http_proxy", "https_proxy", "all_proxy")})
            for name, script in broken(kind, other.port).items():
                receiver.script = script
                answer = sender.transaction()
                if answer == "OK" or not answer:
                    sys.exit(f"{kind}: {name}: it says {answer!r}")
                tried += 1
            for script in (trickle, headers_without_end):
                receiver.script = script
                if not sender.transaction().startswith("no answer: "):
                    sys.exit(f"{kind}: it waits for an answer that never ends")
                tried += 1
            # After all that it still sends, and knows a real answer; also beside lines that are no events.
            for charset in ("application/json", "application/json; charset=UTF-8"):
                receiver.script = (200, {"Content-Type": charset}, TOOK(GOOD[kind]).encode())
                answer = sender.transaction(b'{"torn', b"[" * 100_000, b"\xff\xfe", b"[]", b"7", json.dumps(EVENT).encode())
                if answer != "OK":
                    sys.exit(f"{kind}: it says {answer!r} to a real answer")
            if kind == "elasticsearch":
                for script in (items(True, 409), items(True, 400)):
                    receiver.script = (200, {}, script.encode())
                    if sender.transaction() != "OK":
                        sys.exit("an event that is there already, or that is never taken, holds up the others")
            before = len(receiver.requests)
            receiver.shutdown()
            receiver.server_close()
            if sender.transaction() == "OK":
                sys.exit("nobody took it")
            sender.end()
            receiver.over.set()
            if {request[:2] for request in receiver.requests} != {("POST", {"splunk": "/services/collector/event", "elasticsearch": "/_bulk"}[kind])}:
                sys.exit(f"{kind}: it asked otherwise: {set(receiver.requests)}")
            if before != len(receiver.requests):
                sys.exit("a request after the end")
        # TLS: a certificate that no authority vouches for is nobody's.
        if subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                           "-addext", "subjectAltName=DNS:localhost", "-keyout", folder / "key.pem", "-out", folder / "cert.pem"],
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode != 0:
            sys.exit("openssl makes no certificate")
        receiver = Receiver()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
        receiver.socket = context.wrap_socket(receiver.socket, server_side=True)
        receiver.script = (200, {}, TOOK(GOOD["splunk"]).encode())
        for host, ca, isTaken in (("localhost", True, True), ("localhost", False, False), ("127.0.0.1", True, False)):
            settings = {"to": "splunk", "url": f"https://{host}:{receiver.port}", "authorization": f"Splunk {TOKEN}", "timeout": 5}
            sender = Sender(folder, settings | ({"ca": str(folder / "cert.pem")} if ca else {}))
            if (sender.transaction() == "OK") != isTaken:
                sys.exit(f"TLS: {host}, with its authority: {ca}: {sender.said[-1]}")
            sender.end()
            tried += 1
        if len(receiver.requests) != 1:
            sys.exit("it spoke to somebody whom nobody vouches for")
        if other.requests:
            sys.exit(f"it went elsewhere: {other.requests}")
        print(f"{tried} answers, none of them taken for what it is not")


if __name__ == "__main__":
    main()
