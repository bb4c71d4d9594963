#!/usr/bin/env python3
"""Shows opkssh's vectors to whatever sshd asks, and compares with what opkssh 0.16 itself answered.

usage: opkssh_answers.py VECTORS COMMAND

COMMAND is sshd's AuthorizedKeysCommand, run as opksshuser with its tokens filled in, each vector at the time it was made for; the key cache is one of its own,
filled at that time. Prints {"kept": […], "lost": […], "gained": […]}: of those whom opkssh admits who comes in, who does
not, and who comes in besides.
"""
import glob, hashlib, json, os, pathlib, shutil, subprocess, sys, tempfile, time, urllib.request

vectors, command = pathlib.Path(sys.argv[1]), sys.argv[2].split()
preload = glob.glob("/usr/lib/*/faketime/libfaketime.so.1")[0]
work = pathlib.Path(tempfile.mkdtemp(prefix="opk-answers-", dir="/run"))
work.chmod(0o755)
cache = work / "cache"
cache.mkdir(mode=0o755)
shutil.chown(cache, "opksshuser", "opksshuser")
server = subprocess.Popen([sys.executable, str(vectors / "serve.py"), str(work / "requests")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
assert server.stdout.readline().strip() == "ready", "serve.py does not start"


def fill(issuer, at):
    """The provider's keys as opk-fetch would have written them a moment before: faketime does not get into a process as confined as that."""
    get = lambda address: urllib.request.urlopen(address, timeout=10).read().decode()
    try:
        found = json.loads(get(issuer.rstrip("/") + "/.well-known/openid-configuration"))
        body = get(found["jwks_uri"])
    except OSError:
        return
    if found.get("issuer") != issuer:
        return
    record = {"version": 1, "issuer": issuer, "jwks_uri": found["jwks_uri"], "fetched_at": at}
    if "userinfo_endpoint" in found:
        record["userinfo_endpoint"] = found["userinfo_endpoint"]
    file = cache / (hashlib.sha256(issuer.encode()).hexdigest() + ".json")
    file.write_text(json.dumps(record)[:-1] + ',"jwks":' + body + "}")
    file.chmod(0o644)


command[1:1] = ["--cache-dir", str(cache)]
# Not by setpriv(1): faketime's semaphore would be root's.
user = {"user": "opksshuser", "group": "opksshuser", "extra_groups": []}
answers = {"kept": [], "lost": [], "gained": []}
try:
    for vector in json.load(open(vectors / "vectors.json")):
        tokens = {"%u": vector["user"], "%k": vector["cert"], "%t": vector["key_type"], "%C": "127.0.0.1 22 127.0.0.1 50000"}
        environment = {"PATH": "/usr/bin:/bin", "TZ": "UTC", "LD_PRELOAD": preload, "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1", 
                       "FAKETIME": time.strftime("@%Y-%m-%d %H:%M:%S", time.gmtime(vector["at"]))}
        fill(vector["issuer"], vector["at"])
        run = subprocess.run([tokens.get(word, word) for word in command], env=environment, capture_output=True, text=True, timeout=60, **user)
        admits = run.returncode == 0 and run.stdout.strip() != ""
        if vector["opkssh"] == "accept":
            answers["kept" if admits else "lost"].append(vector["name"])
        elif admits:
            answers["gained"].append(vector["name"])
finally:
    server.stdin.close()
    server.wait(5)
    shutil.rmtree(work, ignore_errors=True)
print(json.dumps(answers))
