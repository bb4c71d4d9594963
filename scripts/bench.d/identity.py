"""Somebody's login: the demo provider behind TLS and 30 ms of network, and the key and certificate that `opk login` made there."""
import json, ssl, subprocess, sys, urllib.parse, urllib.request
from dataclasses import dataclass
from pathlib import Path

import measure
from place import HERE, RELEASE, free_port

ROUND_TRIP = 30     # milliseconds
CLIENT = "opk-demo"


@dataclass
class Identity:
    issuer: str
    authority: Path     # the private CA's certificate, for SSL_CERT_FILE
    key: Path
    user: str           # the account that the certificate is shown for
    certificate: str
    key_type: str
    line: str           # what a server must print

    @property
    def environment(self):
        return {**measure.PLAIN, "SSL_CERT_FILE": str(self.authority)}

    def policy(self, place):
        """The published files and this provider beside them, so that one folder does for both certificates."""
        etc = place.shared / "opkssh-vectors/etc"
        return {
            "providers": (etc / "providers").read_text() + f"{self.issuer} {CLIENT} 24h\n",
            "auth_id": (etc / "auth_id").read_text() + f"{self.user} alice@example.com {self.issuer}\n",
            "config.yml": (etc / "config.yml").read_text() + f"env_vars:\n  SSL_CERT_FILE: {self.authority}\n",
        }


def log_in(place, user, groups=()):
    """alice's login; and one of bob's, who has all these groups."""
    folder = place.work / "laptop"
    folder.mkdir(mode=0o700)
    authority, secret = place.work / "authority.pem", folder / "tls.key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", secret, "-out", authority,
         "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"], check=True, stderr=subprocess.DEVNULL)
    authority.chmod(0o644)
    inner = free_port()
    relay = place.background(
        [sys.executable, HERE / "scripts/bench.d/relay.py", authority, secret, ROUND_TRIP, inner], "relay.log", stdin=subprocess.PIPE)
    issuer = f"https://localhost:{relay.wait_for('^listening ([0-9]+)$').group(1)}"
    claims = json.dumps({"claims": {"bob": {"groups": list(groups)}}})
    provider = place.background(
        [RELEASE / "opk-demo-provider", "--port", inner, "--external-url", issuer, "--control", claims], "provider.log")
    provider.wait_for("^issuer: ")
    return tuple(certified(place, user, person, issuer, authority, folder / f"id_{person}") for person in ("alice", "bob"))


def certified(place, user, person, issuer, authority, key):
    login = place.background(
        [RELEASE / "opk", "login", "--provider", f"{issuer},{CLIENT}", "--no-browser", "-t", "ecdsa", "-i", key], f"login-{person}.log",
        environment={**measure.PLAIN, "HOME": str(key.parent), "SSL_CERT_FILE": str(authority)})
    press(login.wait_for(r"^\s*(https?://\S+)\s*$").group(1), authority, person)
    if login.process.wait(20) != 0:
        raise measure.Failed(f"opk login: {login.log.read_text()[-400:]}")
    key_type, certificate = Path(f"{key}-cert.pub").read_text().split()[:2]
    bare = Path(f"{key}.pub").read_text().split()[:2] if Path(f"{key}.pub").exists() else bare_key(key)
    return Identity(issuer, authority, key, user, certificate, key_type, f'cert-authority,principals="opkssh-wildcard" {" ".join(bare)}')


def bare_key(key):
    return subprocess.run(["ssh-keygen", "-y", "-P", "", "-f", key], check=True, capture_output=True, text=True).stdout.split()[:2]


def press(url, authority, person):
    """In the place of a browser: presses this person's button and follows the redirects."""
    context = ssl.create_default_context(cafile=str(authority))
    form = urllib.parse.urlencode({"person": person}).encode()
    with urllib.request.urlopen(urllib.request.Request(url, data=form), timeout=20, context=context) as answer:
        answer.read()
