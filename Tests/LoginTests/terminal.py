#!/usr/bin/env python3
"""Runs a program in a pseudo-terminal and does what a person does there, step by step; prints what is on the screen, as JSON.

terminal.py COLUMNS ROWS STEPS PROGRAM ARGUMENT...    STEPS: a JSON list of [word, ...]:
  ["see", REGEX]       waits until the screen, scrolled-off lines too, has it
  ["snapshot", NAME]   keeps the screen
  ["type", TEXT]       types it
  ["approve", PERSON]  reads address and code from the screen and logs in there, on "another device"
  ["paste", PERSON]    opens the address on the screen as PERSON, and pastes the one where the browser ends, in a line longer than 4095 bytes
  ["flood", COUNT]     pastes so many lines at once that are no address
  ["pour", SECONDS]    the same, as many lines as are taken in that time
  ["cut", COUNT]       the same, and the first characters are two Ctrl-C
  ["lines", PERSON]    like "paste", between a terminal's marks, and a command follows behind a "#" in the same paste
  ["signal", NAME]     sends it
  ["end"]              waits for the program to end
"""
import fcntl, json, os, pty, re, select, signal, struct, sys, termios, time, urllib.error, urllib.parse, urllib.request

columns, rows, steps = int(sys.argv[1]), int(sys.argv[2]), json.loads(sys.argv[3])
DEADLINE = time.monotonic() + 120


class Screen:
    """As far as opk uses a terminal: line feed, return, erase to the end of the line, colours, bold. Keeps all lines."""

    def __init__(self):
        self.lines, self.column, self.raw = [[]], 0, ""

    def feed(self, text):
        self.raw += text
        for part in re.findall(r"\x1b\[[0-9;?]*[A-Za-z]|.|\n|\r", text, re.S):
            if part == "\r":
                self.column = 0
            elif part == "\n":
                self.lines.append([])
            elif part == "\x1b[K":
                del self.lines[-1][self.column:]
            elif part.startswith("\x1b") and (part.endswith("m") or part in ("\x1b[?2004h", "\x1b[?2004l")):
                pass
            elif part.startswith("\x1b") or ord(part) < 32:
                self.put("?")
            else:
                self.put(part)

    def put(self, character):
        line = self.lines[-1]
        line[self.column:self.column + 1] = [character]
        self.column += 1

    def text(self):
        return "\n".join("".join(line).rstrip() for line in self.lines)


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *arguments):
        return None


def ask(url, form=None):
    """The address that the answer leads to, if any."""
    data = urllib.parse.urlencode(form).encode() if form else None
    try:
        return urllib.request.build_opener(NoRedirect).open(url, data, timeout=30).headers.get("Location")
    except urllib.error.HTTPError as error:
        return error.headers.get("Location")


master, slave = pty.openpty()
fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
before = termios.tcgetattr(slave)
child = os.fork()
if child == 0:
    os.setsid()
    # As a terminal's shell starts a program, whoever started the tests.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    for number in range(3):
        os.dup2(slave, number)
    os.closerange(3, 256)
    os.execv(sys.argv[4], sys.argv[4:])

screen, snapshots, status = Screen(), {}, None
pending = b""


def hear(seconds):
    global pending
    if select.select([master], [], [], seconds)[0]:
        pending += os.read(master, 65536)
        # A character may come in two parts.
        text = pending.decode("utf-8", "ignore")
        if text.encode() == pending:
            screen.feed(text)
            pending = b""


def until(done):
    while not done():
        if time.monotonic() > DEADLINE:
            print(json.dumps({"error": "timed out", "snapshots": {"at the end": screen.text()}}))
            os.kill(child, signal.SIGKILL)
            sys.exit(1)
        hear(0.1)


unsent = 0


def send(data):
    global unsent
    while data:
        if has_ended():
            # It would all go to the next program.
            unsent += len(data)
            return
        if select.select([], [master], [], 0.1)[1]:
            data = data[os.write(master, data[:512]):]
        hear(0)


def has_ended():
    global status
    if status is None:
        pid, code = os.waitpid(child, os.WNOHANG)
        if pid:
            status = -os.WTERMSIG(code) if os.WIFSIGNALED(code) else os.WEXITSTATUS(code)
    return status is not None


for step in steps:
    word, value = step[0], (step[1:] or [None])[0]
    if word == "see":
        until(lambda: re.search(value, screen.text()))
    elif word == "snapshot":
        snapshots[value] = screen.text()
    elif word == "type":
        send(value.encode())
    elif word == "approve":
        url = re.search(r"^http\S+$", screen.text(), re.M)[0]
        code = re.search(r"^ +([A-Z]{4}-[A-Z]{4})$", screen.text(), re.M)[1]
        ask(url, {"user_code": code, "person": value})
    elif word == "paste":
        url = re.search(r"^(http\S+/authorize\S+)$", screen.text(), re.M)[0]
        send((ask(url, {"person": value}) + "&padding=" + "x" * 5000 + "\r").encode())
    elif word in ("flood", "cut"):
        send((b"" if word == "flood" else b"x\x03\x03") + b"".join(b"touch /tmp/line-%d\r" % number for number in range(int(value))))
    elif word == "pour":
        end = time.monotonic() + int(value)
        while time.monotonic() < end and not has_ended():
            send(b"touch /tmp/line\r" * 256)
    elif word == "lines":
        url = re.search(r"^(http\S+/authorize\S+)$", screen.text(), re.M)[0]
        send(("\x1b[200~" + ask(url, {"person": value}) + "#\ntouch /tmp/line\x1b[201~\r").encode())
    elif word == "signal":
        os.kill(child, getattr(signal, value))
    elif word == "end":
        until(has_ended)
        for _ in range(5):
            hear(0.05)
        snapshots["at the end"] = screen.text()

after = termios.tcgetattr(slave)
# What the next program on this terminal would read.
unread = struct.unpack("i", fcntl.ioctl(slave, termios.FIONREAD, b"0000"))[0]
print(json.dumps({"snapshots": snapshots, "status": status, "restored": before == after, "raw": screen.raw, "unread": unread + unsent}))
if status is None:
    os.kill(child, signal.SIGKILL)
