"""Row 11: a login's end on the laptop, from the browser's callback to the written key, beside the provider's own time.

The provider here signs while the browser is still on its way to it, so that its answers are ready, and notes for how long it held each request."""
import base64, http.client, http.server, json, shutil, statistics, subprocess, threading, time, urllib.parse

import measure, table
from place import RELEASE

CLIENT, LIMIT = "opk-bench", 0.100
KINDS = ("ecdsa", "ed25519")


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Provider:
    """An OpenID provider with one person and one RS256 key. `held`: seconds that it spent on the requests since `begin`."""

    def __init__(self, folder):
        self.key = folder / "provider.key"
        subprocess.run(["openssl", "genrsa", "-out", self.key, "2048"], check=True, capture_output=True)
        modulus = subprocess.run(["openssl", "rsa", "-in", self.key, "-noout", "-modulus"], check=True, capture_output=True, text=True).stdout
        self.modulus = base64url(bytes.fromhex(modulus.strip().split("=")[1]))
        self.codes, self.held, self.lock = {}, 0.0, threading.Lock()
        provider = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def log_message(self, *_):
                pass

            def answer(self, make):
                start = time.perf_counter()
                body = json.dumps(make()).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
                self.wfile.flush()
                with provider.lock:
                    provider.held += time.perf_counter() - start

            def do_GET(self):
                url = urllib.parse.urlsplit(self.path)
                if url.path == "/authorize":
                    self.send_response(302)
                    self.send_header("Location", provider.authorize(dict(urllib.parse.parse_qsl(url.query))))
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                else:
                    self.answer(provider.keys if url.path == "/jwks" else provider.discovery)

            def do_POST(self):
                start = time.perf_counter()
                form = dict(urllib.parse.parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
                with provider.lock:
                    provider.held += time.perf_counter() - start
                self.answer(lambda: provider.codes.pop(form["code"]))

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.issuer = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def discovery(self):
        return {"issuer": self.issuer, "authorization_endpoint": self.issuer + "/authorize", "token_endpoint": self.issuer + "/token",
                "jwks_uri": self.issuer + "/jwks", "code_challenge_methods_supported": ["S256"],
                "response_types_supported": ["code"], "token_endpoint_auth_methods_supported": ["none"]}

    def keys(self):
        return {"keys": [{"kty": "RSA", "alg": "RS256", "use": "sig", "kid": "1", "n": self.modulus, "e": "AQAB"}]}

    def authorize(self, asked):
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT, "sub": "1", "email": "alice@example.com", "email_verified": True, "iat": now,
                  "exp": now + 3600, "nonce": asked["nonce"]}
        signed = ".".join(base64url(json.dumps(part).encode()) for part in ({"alg": "RS256", "typ": "JWT", "kid": "1"}, claims))
        signature = subprocess.run(["openssl", "dgst", "-sha256", "-sign", self.key], input=signed.encode(), check=True, capture_output=True).stdout
        code = base64url(signature[:24])
        self.codes[code] = {"id_token": f"{signed}.{base64url(signature)}", "access_token": "a", "token_type": "Bearer", "expires_in": 3600}
        return asked["redirect_uri"] + "?" + urllib.parse.urlencode({"code": code, "state": asked["state"]})


def fetched(url):
    """One GET, no redirect followed: status and Location."""
    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=20)
    try:
        connection.request("GET", parts.path + (f"?{parts.query}" if parts.query else ""))
        answer = connection.getresponse()
        answer.read()
        return answer.status, answer.getheader("Location")
    finally:
        connection.close()


def once(place, provider, kind, number):
    """Seconds from the callback to the browser's page, which comes when the key is written; and of them the provider's."""
    folder = place.work / f"callback-{number}"
    folder.mkdir(mode=0o700)
    key = folder / "key"
    login = place.background(
        [RELEASE / "opk", "login", "--provider", f"{provider.issuer},{CLIENT}", "--no-browser", "-t", kind, "-i", key,
         "--redirect-uri", "http://127.0.0.1:0/login-callback"], f"callback-{number}.log",
        environment={**measure.PLAIN, "HOME": str(folder)})
    _, callback = fetched(login.wait_for(rf"^\s*({provider.issuer}/authorize\S+)\s*$").group(1))
    provider.held = 0.0
    start = time.perf_counter()
    status, last = fetched(callback)
    if status == 303:
        status, _ = fetched(urllib.parse.urljoin(callback, last))
    wall = time.perf_counter() - start
    if status >= 400 or not (folder / "key-cert.pub").exists() or login.process.wait(20) != 0:
        raise measure.Failed(f"opk login: {login.log.read_text()[-400:]}")
    shutil.rmtree(folder)
    return wall, provider.held


def rows(place, runs):
    provider = Provider(place.work)
    for kind in KINDS:
        taken = [once(place, provider, kind, f"{kind}-{number}") for number in range(max(5, min(runs, 40)))]
        own = [wall - held for wall, held in taken]
        median = statistics.median(own)
        yield table.Row(
            "11 login", f"callback to written key, {kind}", table.milliseconds(median),
            f"provider {table.milliseconds(statistics.median(held for _, held in taken))}", "", f"{min(own) * 1e3:.2f} ms",
            f"<= {LIMIT * 1e3:g} ms", median <= LIMIT)
    provider.server.shutdown()
