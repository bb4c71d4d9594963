import Foundation
import OIDC
import QRCode
import TestSupport
import Testing

@testable import Login

/// What changes on the screen, and what is not shown there: the time left, colours, QR codes.
@Suite("opk login: what moves on the screen, and what a person can turn off", .serialized, .enabled(if: TerminalTests.isPossible))
struct TerminalMannersTests {
    /// Two providers, of which none is the default.
    static func chooserHome() throws -> TemporaryFolder {
        let home = try TemporaryFolder()
        let configuration = """
            providers:
              - alias: work
                issuer: https://idp.example.com
                client_id: opk
              - alias: home
                issuer: https://login.example.org
                client_id: opk

            """
        try home.write(Array(configuration.utf8), to: ".opk/config.yml")
        try home.write(Array("#!/bin/sh\nexit 0\n".utf8), to: "browser", mode: 0o700)
        return home
    }

    /// `4 s left`, `3 s left`, … as they were drawn.
    private func timesLeft(_ raw: String) -> [Int] { raw.matches(of: /([0-9]+) s left/).compactMap { Int($0.1) } }

    @Test("the time left is less each second, whichever way is waited", arguments: ["browser", "remote", "device", "chooser"])
    func countdown(way: String) async throws {
        let seen: TerminalTests.Seen
        let arguments = ["--timeout", "4s"]
        if way == "chooser" {
            let home = try TerminalMannersTests.chooserHome()
            seen = try await TerminalTests.run(
                ["login"] + arguments, steps: [["end"]], environment: ["BROWSER": home.path + "/browser"], home: home)
            #expect(seen.snapshots["at the end"]?.contains("no provider was chosen in time") == true, "\(seen)")
        } else {
            seen = try await TerminalTests.logIn(
                arguments + (way == "browser" ? ["--redirect-uri", "http://localhost:0/cb"] : ["--" + way]), steps: [["end"]],
                environment: ["BROWSER": "/nonexistent/browser"], home: try TemporaryFolder())
        }
        let times = timesLeft(try #require(seen.raw))
        #expect(Set(times).count >= 2 && times == times.sorted(by: >) && times.allSatisfy { $0 <= 4 }, "\(times)")
        #expect(seen.status == 1 && seen.restored == true)
    }

    @Test("Ctrl-C in the chooser says that nothing was written, on the page's wait and on the terminal's", arguments: [true, false])
    func chooserInterrupted(hasBrowser: Bool) async throws {
        let home = try TerminalMannersTests.chooserHome()
        let seen = try await TerminalTests.run(
            ["login"], steps: [["see", hasBrowser ? "left" : "then Enter"], ["type", "\u{3}"], ["end"]],
            environment: ["BROWSER": hasBrowser ? home.path + "/browser" : "/nonexistent/browser"], home: home)
        #expect(seen.status == -SIGINT)
        #expect(seen.snapshots["at the end"]?.hasSuffix("opk: interrupted, nothing was written\n") == true, "\(seen)")
    }

    @Test("NO_COLOR and TERM=dumb leave no colour and no weight in what is said; an empty NO_COLOR is none")
    func colours() async throws {
        for (environment, isColoured) in [
            ([:], true), (["NO_COLOR": ""], true), (["NO_COLOR": "1"], false), (["TERM": "dumb"], false),
        ] as [([String: String], Bool)] {
            let seen = try await TerminalTests.run(
                ["login", "nobody"], steps: [["end"]], environment: environment, home: try TemporaryFolder())
            let raw = try #require(seen.raw)
            #expect(seen.status == 64 && raw.contains("there is no provider with the alias nobody"), "\(raw)")
            #expect(
                raw.contains("\u{1B}[1;31merror:\u{1B}[0m") == isColoured && raw.contains("\u{1B}") == isColoured, "\(environment) \(raw)")
        }
    }

    @Test("a login in a terminal that can only print sends it no sequence at all")
    func dumb() async throws {
        let home = try TemporaryFolder()
        let seen = try await TerminalTests.logIn(
            ["--remote"], steps: [["see", "What you paste is not shown"], ["paste", "alice"], ["end"]], environment: ["TERM": "dumb"],
            home: home)
        #expect(seen.status == 0 && seen.raw?.contains("\u{1B}") == false && seen.restored == true, "\(seen)")
        #expect(home.names.contains(".ssh/id_ecdsa"))
    }

    @Test("--remote --qr: the code is that of the address, and scrolls where the terminal has fewer rows than it")
    func remoteCode() async throws {
        let seen = try await TerminalTests.logIn(
            ["--remote", "--qr"], steps: [["see", "What you paste is not shown"], ["type", "\u{3}"], ["end"]], rows: 20,
            home: try TemporaryFolder())
        let raw = try #require(seen.raw)
        let url = try #require(raw.firstMatch(of: /http:[^ \r\n]+\/authorize[^ \r\n]+/)?.0)
        let screen = QRDrawing.Screen(columns: 100, rows: .max, showsBlocks: true, has256Colours: true)
        let drawing = try #require(QRMatrix(Array(url.utf8)).flatMap { QRDrawing($0, on: screen) })
        #expect(drawing.lines.count > 20 && raw.contains(drawing.lines.joined(separator: "\r\n")))
    }

    @Test("--qr that cannot be is said: how wide the terminal would have to be, that nothing is drawn there, or that no way has a code")
    func noCode() async throws {
        let steps = [["see", "What you paste is not shown"], ["type", "\u{3}"], ["end"]]
        let narrow = try await TerminalTests.logIn(["--remote", "--qr"], steps: steps, columns: 30, home: try TemporaryFolder())
        let words = try #require(
            narrow.snapshots["at the end"]?.firstMatch(of: /too narrow for a QR code of it: ([0-9]+) columns would do/))
        let columns = try #require(Int(words.1))
        let wide = try await TerminalTests.logIn(["--remote", "--qr"], steps: steps, columns: columns, home: try TemporaryFolder())
        #expect(wide.raw?.contains("▀") == true && wide.raw?.contains("too narrow") == false)
        let dumb = try await TerminalTests.logIn(
            ["--remote", "--qr"], steps: steps, environment: ["TERM": "dumb"], home: try TemporaryFolder())
        #expect(dumb.snapshots["at the end"]?.contains("(No QR code of it: ") == true, "\(dumb)")
        let none = try await TerminalTests.logIn(["--remote"], steps: steps, home: try TemporaryFolder())
        #expect(none.raw?.contains("▀") == false && none.raw?.contains("QR") == false)
        for way in [["--qr"], ["--qr", "--no-browser"]] {
            let run = try await CommandTests.run(["login", "google"] + way, home: "/nonexistent")
            #expect(run.status == 64 && run.errors.contains("--qr"), "\(run)")
            #expect(run.errors.contains("--device or --remote") && run.errors.contains("cannot come back to this machine"), "\(run)")
        }
    }

    @Test(
        "in a container, and where ssh led, the way is --remote by itself: its answer is pasted, a provider is asked for in the terminal",
        arguments: [["container": "podman"], ["KUBERNETES_SERVICE_HOST": "10.0.0.1"], ["SSH_CONNECTION": "192.0.2.1 1 192.0.2.2 22"]])
    func elsewhere(environment: [String: String]) async throws {
        let home = try TemporaryFolder()
        let seen = try await TerminalTests.logIn(
            [], steps: [["see", "What you paste is not shown"], ["paste", "alice"], ["end"]], environment: environment, home: home)
        #expect(seen.status == 0 && home.names.contains(".ssh/id_ecdsa"), "\(seen)")
        #expect(seen.snapshots["at the end"]?.contains("There seems to be no browser on this machine") == true)
        let choice = try await TerminalTests.run(
            ["login"], steps: [["see", "then Enter"], ["type", "\u{3}"], ["end"]], environment: environment,
            home: try TerminalMannersTests.chooserHome())
        #expect(choice.status == -SIGINT)
    }

    @Test(
        "where ssh asks for the login, and gives it nothing to read, the answer is pasted into ssh's own terminal; Ctrl-C leaves that as it was"
    )
    func onDemand() async throws {
        let withoutInput = ["/bin/sh", "-c", #"exec "$@" < /dev/null > /dev/null"#, "sh"]
        let home = try TemporaryFolder()
        let seen = try await TerminalTests.logIn(
            ["--if-needed"], steps: [["see", "What you paste is not shown"], ["paste", "alice"], ["end"]],
            environment: ["container": "podman"], home: home, wrapper: withoutInput)
        #expect(seen.status == 0 && home.names.contains(".ssh/id_ecdsa") && seen.restored == true, "\(seen)")
        #expect(seen.snapshots["at the end"]?.contains("Logged in as alice@example.com") == true)
        let stopped = try await TerminalTests.logIn(
            ["--if-needed"], steps: [["see", "What you paste is not shown"], ["type", "\u{3}"], ["end"]],
            environment: ["container": "podman"], home: try TemporaryFolder(), wrapper: withoutInput)
        #expect(stopped.status == -SIGINT && stopped.restored == true && stopped.unread == 0, "\(stopped)")
    }

    @Test("where Ctrl-C ends ssh first, and a shell has the terminal again, nothing is written to it and its settings stay")
    func overtaken() async throws {
        let home = try TemporaryFolder()
        // The shell takes the terminal and sets it up before opk has ended: as one at its prompt does.
        let script = """
            import os, signal, subprocess, sys, termios, time
            signal.signal(signal.SIGTTOU, signal.SIG_IGN)
            job = subprocess.Popen(sys.argv[2:], stdin=subprocess.DEVNULL, preexec_fn=lambda: (os.setpgid(0, 0), os.tcsetpgrp(2, os.getpid()), signal.signal(signal.SIGTTOU, signal.SIG_DFL)))
            while termios.tcgetattr(2)[3] & termios.ECHO: time.sleep(0.05)
            time.sleep(0.5)
            os.tcsetpgrp(2, os.getpid())
            mine = termios.tcgetattr(2); mine[3] |= termios.ICANON; termios.tcsetattr(2, termios.TCSANOW, mine); mine = termios.tcgetattr(2)
            os.write(2, b"PROMPT> "); job.send_signal(signal.SIGINT); status = job.wait()
            same = termios.tcgetattr(2) == mine
            mine[3] |= termios.ECHO | termios.ISIG; termios.tcsetattr(2, termios.TCSANOW, mine)
            open(sys.argv[1], "w").write(f"{status} {same}")
            """
        let seen = try await TerminalTests.logIn(
            ["--if-needed"], steps: [["end"]], environment: ["container": "podman"], home: home,
            wrapper: ["/usr/bin/python3", "-c", script, home.path + "/seen"])
        #expect(try textOfFile(home.path + "/seen") == "-2 True", "\(seen)")
        #expect(seen.raw?.hasSuffix("PROMPT> ") == true, "\(seen)")
    }

    @Test("where the terminal is another program's, the login in the background does not touch it")
    func background() async throws {
        let script = #"set -m; "$@" < /dev/null & wait $!; echo "status $?""#
        let seen = try await TerminalTests.logIn(
            ["--if-needed", "--timeout", "3s"], steps: [["end"]], environment: ["container": "podman"], home: try TemporaryFolder(),
            wrapper: ["/bin/bash", "-c", script, "bash"])
        let end = seen.snapshots["at the end"] ?? ""
        #expect(seen.status == 0 && end.contains("status 1") && !end.contains("paste"), "\(seen)")
    }

    @Test("who says which way it is, or has a display, is not sent another way", arguments: ["display", "--no-browser", "--device"])
    func here(case name: String) async throws {
        var environment = ["container": "podman", "BROWSER": "", "PATH": "/nonexistent"]
        if name == "display" { environment["DISPLAY"] = ":0" }
        let seen = try await TerminalTests.logIn(
            name == "display" ? [] : [name], steps: [["see", "left"], ["type", "\u{3}"], ["end"]], environment: environment,
            home: try TemporaryFolder())
        #expect(seen.snapshots["at the end"]?.contains("paste") == false, "\(seen)")
    }
}
