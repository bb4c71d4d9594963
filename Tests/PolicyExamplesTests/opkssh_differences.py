#!/usr/bin/env python3
"""Asks Debian's own opkssh about one certificate under many policies.

usage: opkssh_differences.py OPKSSH VECTORS WORKDIR < cases.json > answers.json

To be started under `unshare --mount --net --propagation private` as root: it puts a small /etc of its own in the place of the machine's, and has the
loopback interface, and so the vectors' fixed port, for itself.

cases:   [{"name", "auth_id", "providers", "config", "plugin": script or null, "plugin_file", "steps": [[program, word…]…] to be run in /etc/opk}]
answers: {name: whether it admitted}
"""
import fcntl, json, os, pathlib, shutil, socket, struct, subprocess, sys

opkssh, vectors, work = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
cases = json.load(sys.stdin)
login = next(v for v in json.load(open(vectors / "vectors.json")) if v["name"] == "policy-sub")
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
    name = struct.pack("16sH14x", b"lo", 0)
    flags = struct.unpack("16sH14x", fcntl.ioctl(s, 0x8913, name))[1]
    fcntl.ioctl(s, 0x8914, struct.pack("16sH14x", b"lo", flags | 1))
etc = work / "etc"
etc.mkdir(parents=True)
for file in ("ld.so.cache", "passwd", "group", "localtime"):
    shutil.copy(pathlib.Path("/etc") / file, etc / file)
(etc / "hosts").write_text("127.0.0.1 localhost\n")
(etc / "nsswitch.conf").write_text("passwd: files\ngroup: files\nhosts: files\n")
with open(etc / "passwd", "a") as f:
    f.write("opksshuser:x:64999:64999::/nonexistent:/usr/sbin/nologin\n")
with open(etc / "group", "a") as f:
    f.write("opksshuser:x:64999:\n")
subprocess.run(["mount", "--bind", str(etc), "/etc"], check=True)
subprocess.run(["mount", "-t", "tmpfs", "none", "/var/log"], check=True)


def put(path, text, mode, group=64999):
    path.write_text(text)
    path.chmod(mode)
    os.chown(path, 0, group)


server = subprocess.Popen(
    [sys.executable, str(vectors / "serve.py"), str(work / "requests")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
assert server.stdout.readline().strip() == "ready"
answers, opk = {}, pathlib.Path("/etc/opk")
for case in cases:
    shutil.rmtree(opk, ignore_errors=True)
    opk.mkdir(mode=0o755)
    for file, key in (("providers", "providers"), ("auth_id", "auth_id"), ("config.yml", "config")):
        put(opk / file, case[key], 0o640)
    if case["plugin"]:
        (opk / "policy.d").mkdir(mode=0o755)
        put(opk / "policy.d" / "plugin.yml", case["plugin_file"], 0o640)
        put(opk / "plugin.sh", case["plugin"], 0o755, 0)
    for step in case["steps"]:
        subprocess.run(step, cwd=opk, check=True)
    run = subprocess.run(
        [opkssh, "verify", "--", "testuser", login["cert"], login["key_type"]], capture_output=True, text=True, timeout=30,
        env={"PATH": "/usr/bin:/bin:/usr/sbin:/sbin"})
    answers[case["name"]] = run.returncode == 0 and run.stdout.startswith("cert-authority")
server.stdin.close()
server.wait(5)
json.dump(answers, sys.stdout)
