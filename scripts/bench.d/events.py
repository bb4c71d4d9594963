"""An audit log of so many events for the bench and the tests: logins with both decisions and a logout, refusals, now and then a change or a gap; each line as
opk writes it (docs/audit-log.md).

usage: events.py COUNT FILE     writes it, and prints what `opk log --summary --json` must count"""
import datetime, json, sys

REASONS = ("no-row-admits", "expired", "denied", "provider-signature", "requirement-not-met")
START = datetime.datetime(2026, 11, 1, tzinfo=datetime.timezone.utc)
LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"
# A login and what belongs to it, or a refusal: 10 events.
PATTERN = ("granted", "granted", "login", "refused", "logout", "granted", "granted", "login", "refused", "logout")


def identifier(number):
    return "".join(LETTERS[number >> 5 * place & 31] for place in range(9, -1, -1))


def event(number):
    """The members of the event of that number, in their order."""
    at = START + datetime.timedelta(microseconds=number * 1_000_003)
    kind = PATTERN[number % 10]
    if number % 1000 == 7:
        kind = "policy.changed"
    attempt, person = identifier(number // 5 + 1_000_000), number // 5 % 500
    members = {"v": 1, "time": at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"), "id": identifier(number),
               "type": "decision" if kind in ("granted", "refused") else kind, "host": "server.example.com",
               "program": "opk" if kind == "policy.changed" else "opk-verify" if kind in ("granted", "refused") else "opk-session"}
    if kind == "policy.changed":
        return members | {"actor": {"account": "root", "name": "alice"}, "command": "opk add",
                          "change": {"file": "/etc/opk/auth_id", "action": "changed",
                                     "rows": [f"+deploy person{number // 1000 % 500:03}@example.com https://accounts.google.com"]}}
    members |= {"attempt": attempt, "account": ("root", "deploy", "postgres")[person % 3]}
    if kind in ("granted", "refused"):
        members["granted"] = kind == "granted"
    if kind == "refused":
        members |= {"step": 9, "reason": REASONS[number % 7 % 5], "detail": "what the rule is about"}
    else:
        members["session"] = attempt
    members |= {"issuer": "https://accounts.google.com", "subject": f"1030306428027231{person:05}", "email": f"person{person:03}@example.com",
                "verified": True, "auth_method": "publickey/openpubkey", "amr": ["pwd", "otp"], "auth_time": "2026-11-01T07:00:00Z",
                "issued_at": "2026-11-01T07:00:01Z", "source_address": f"192.0.2.{person % 250}", "source_port": 40000 + number % 20000}
    if kind != "refused":
        members["decided_by"] = [{"file": "/etc/opk/auth_id", "line": person + 1, "kind": "row"}]
    members |= {"token_fingerprint": "SHA256:4skbUKzgjnrhKFHFvnCBqg3kFQ6aaqY1Vt1bS3xbWjM", "key_fingerprint": "SHA256:" + identifier(person) * 4 + "abc",
                "key_id": f"person{person:03}@example.com"}
    return members


def write(path, count):
    """What was written, counted."""
    counts = {"events": count, "logins": 0, "logouts": 0, "decisions_admitted": 0, "decisions_refused": 0, "changes": 0}
    with open(path, "w") as file:
        for number in range(count):
            members = event(number)
            counts["logins"] += members["type"] == "login"
            counts["logouts"] += members["type"] == "logout"
            counts["changes"] += members["type"] == "policy.changed"
            if "granted" in members:
                counts["decisions_admitted" if members["granted"] else "decisions_refused"] += 1
            file.write(json.dumps(members, separators=(",", ":")) + "\n")
    return counts


if __name__ == "__main__":
    print(json.dumps(write(sys.argv[2], int(sys.argv[1]))))
