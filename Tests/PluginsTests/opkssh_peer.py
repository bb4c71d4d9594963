#!/usr/bin/env python3
"""Asks Debian's own opkssh about certificates, with a plugin that writes down its environment.

usage: opkssh_peer.py OPKSSH WORKDIR < request.json > answer.json

To be started under `unshare --mount --net --propagation private` as root: it puts a small /etc of its own (with /etc/opk) and an empty
/var/log in the place of the machine's, and has the loopback interface, and so the vectors' fixed port, for itself.

request: {"providers": [line…], "plugin": text of the yml, "script": text of the plugin or null for the one that writes its environment,
          "serve": path of the vectors' serve.py or null, "pages": {path: body}, "userinfo": {access token: body},
          "cases": [{"name", "user", "key", "type", "extra": […], "token": access token or null, "issuer"}]}
answer:  {"cases": {name: {"status", "output", "log", "environment": [entry in base64…] or null, "userinfo": body in base64 or null}}}
"""
import base64, fcntl, http.server, json, os, pathlib, shutil, socket, struct, subprocess, sys, threading, urllib.request

PORT = 18391
opkssh, work = sys.argv[1], pathlib.Path(sys.argv[2])
request = json.load(sys.stdin)


def mount(*words):
    subprocess.run(["mount", *words], check=True)


# The loopback interface: SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP.
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
    name = struct.pack("16sH14x", b"lo", 0)
    flags = struct.unpack("16sH14x", fcntl.ioctl(s, 0x8913, name))[1]
    fcntl.ioctl(s, 0x8914, struct.pack("16sH14x", b"lo", flags | 1))

etc, dump = work / "etc", work / "dump"
policy = etc / "opk" / "policy.d"
policy.mkdir(parents=True, mode=0o755)
for file in ("ld.so.cache", "passwd", "group", "localtime"):
    shutil.copy(pathlib.Path("/etc") / file, etc / file)
(etc / "hosts").write_text("127.0.0.1 localhost\n")
(etc / "nsswitch.conf").write_text("passwd: files\ngroup: files\nhosts: files\n")
with open(etc / "passwd", "a") as f:
    f.write("opksshuser:x:64999:64999::/nonexistent:/usr/sbin/nologin\n")
with open(etc / "group", "a") as f:
    f.write("opksshuser:x:64999:\n")


def put(path, text, mode, group=64999):
    path.write_text(text)
    path.chmod(mode)
    os.chown(path, 0, group)


put(etc / "opk" / "providers", "".join(line + "\n" for line in request["providers"]), 0o640)
put(etc / "opk" / "auth_id", "", 0o640)
put(etc / "opk" / "config.yml", "---\n", 0o640)
put(policy / "dump.yml", request["plugin"], 0o640)
put(etc / "opk" / "dump.sh", request["script"] or f"#!/bin/sh\n/usr/bin/env -0 > {dump}\necho allow\n", 0o755)
mount("--bind", str(etc), "/etc")
mount("-t", "tmpfs", "none", "/var/log")


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        body = request["userinfo"].get(token) if self.path.endswith("/userinfo") else request["pages"].get(self.path)
        self.send_response(404 if body is None else 200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write((body or "").encode())

    def log_message(self, *words):
        pass


if request["serve"]:
    server = subprocess.Popen([sys.executable, request["serve"]], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert server.stdout.readline().strip() == "ready"
else:
    server = None
    threading.Thread(target=http.server.ThreadingHTTPServer(("127.0.0.1", PORT), Handler).serve_forever, daemon=True).start()


def userinfo(case):
    if not case["token"]:
        return None
    ask = urllib.request.Request(case["issuer"] + "/userinfo", headers={"Authorization": "Bearer " + case["token"]})
    try:
        return base64.b64encode(urllib.request.urlopen(ask).read()).decode()
    except OSError:
        return None


answer, log = {}, pathlib.Path("/var/log/opkssh.log")
for case in request["cases"]:
    dump.unlink(missing_ok=True)
    log.unlink(missing_ok=True)
    run = subprocess.run(
        [opkssh, "verify", "--", case["user"], case["key"], case["type"], *case["extra"]], capture_output=True, text=True, timeout=30,
        env={"PATH": "/usr/bin:/bin:/usr/sbin:/sbin"})
    entries = None
    if dump.exists():
        entries = [base64.b64encode(e).decode() for e in dump.read_bytes().split(b"\0") if e.startswith(b"OPKSSH_PLUGIN_")]
    answer[case["name"]] = {
        "status": run.returncode, "output": run.stdout, "log": log.read_text() if log.exists() else "", "environment": entries,
        "userinfo": userinfo(case)}
if server:
    server.stdin.close()
    server.wait(5)
json.dump({"cases": answer}, sys.stdout)
