import ChildProcess
import Foundation
import Testing
import Vocabulary

@testable import Login

@Suite("Browser: opened without a shell and without secrets")
struct BrowserTests {
    static func environment(_ variables: [String: String]) -> ProcessEnvironment {
        var environment = ProcessEnvironment.empty
        for (name, value) in variables { environment[name] = value }
        return environment
    }

    @Test(
        "C33: what is not plain http(s) of URL characters is not opened",
        arguments: [
            "javascript:alert(1)", "file:///etc/passwd", "ssh://x", "-flag", "https://x/\u{7}", "https://x/ y", "https://x/\"",
            "https://x/`id`",
            "https://x/\\", "https://ex\u{E4}mple/", "", "https:/x", "HTTPS://x", "https://x/|y",
        ])
    func unsafe(url: String) {
        #expect(!Browser.isHarmless(url))
        #expect(!Browser(environment: BrowserTests.environment(["BROWSER": "/bin/true"])).open(url))
    }

    @Test("C34: $BROWSER is split into words and nothing in it or in the URL is interpreted")
    func words() {
        let url = "https://x/;$(id)&a=b"
        let browser = { Browser(environment: BrowserTests.environment(["BROWSER": $0])).commands(for: url) }
        #expect(browser("firefox") == [["firefox", url]])
        #expect(browser("firefox --new-window:chromium") == [["firefox", "--new-window", url], ["chromium", url]])
        #expect(browser("open --url=%s --x") == [["open", "--url=" + url, "--x"]])
        #expect(browser("sh -c;id") == [["sh", "-c;id", url]])
        #expect(browser(":") == [])
    }

    #if os(Linux)
        @Test("without a display nothing is started in the terminal")
        func noDisplay() {
            #expect(Browser(environment: .empty).commands(for: "https://x/") == [])
            #expect(
                Browser(environment: BrowserTests.environment(["DISPLAY": ":0"])).commands(for: "https://x/") == [
                    ["xdg-open", "https://x/"], ["sensible-browser", "https://x/"], ["x-www-browser", "https://x/"],
                ])
            #expect(Browser(environment: BrowserTests.environment(["WAYLAND_DISPLAY": "w"])).commands(for: "https://x/").count == 3)
        }

        @Test(
            "C34: under Windows it is Windows' own browser, with the URL as one word and no cmd.exe",
            arguments: [
                ([:], "5.15.167.4-microsoft-standard-WSL2"), ([:], "4.4.0-19041-Microsoft"), (["WSL_DISTRO_NAME": "Debian"], "6.1.0-amd64"),
            ] as [([String: String], Text)])
        func underWindows(variables: [String: String], release: Text) {
            let url = "https://x/?a=b&c=d"
            let windows = [
                ["wslview", url], ["/mnt/c/Windows/System32/rundll32.exe", "url.dll,FileProtocolHandler", url],
                ["rundll32.exe", "url.dll,FileProtocolHandler", url],
            ]
            #expect(Browser(environment: BrowserTests.environment(variables), kernelRelease: release).commands(for: url) == windows)
            let withDisplay = Browser(
                environment: BrowserTests.environment(variables.merging(["DISPLAY": ":0"]) { $1 }), kernelRelease: release)
            #expect(withDisplay.commands(for: url).first == windows[0])
            #expect(withDisplay.commands(for: url).last == ["x-www-browser", url])
            // What the person says counts more.
            let chosen = Browser(
                environment: BrowserTests.environment(variables.merging(["BROWSER": "lynx"]) { $1 }), kernelRelease: release)
            #expect(chosen.commands(for: url) == [["lynx", url]])
        }

        @Test("an ordinary Linux is not taken for Windows'", arguments: ["6.1.0-18-amd64", "", "micro-soft", "icrosoft"] as [Text])
        func notUnderWindows(release: Text) {
            let variables = BrowserTests.environment(["WSL_DISTRO_NAME": "", "DISPLAY": ":0"])
            #expect(
                Browser(environment: variables, kernelRelease: release).commands(for: "https://x/").first == ["xdg-open", "https://x/"])
        }

        @Test(
            "C34: the first that is there is started, whichever it is", arguments: ["wslview", "rundll32.exe", "xdg-open", "x-www-browser"])
        func firstThere(name: String) async throws {
            let folder = try TemporaryFolder()
            let script = "#!/bin/sh\nprintf '%s\\n' \"$@\" > \(folder.path)/new\nmv \(folder.path)/new \(folder.path)/arguments\n"
            try folder.write(Array(script.utf8), to: "bin/" + name, mode: 0o700)
            // Its stand-in needs these, and nothing else is to be found.
            for tool in ["mv"] {
                try FileManager.default.createSymbolicLink(atPath: folder.path + "/bin/" + tool, withDestinationPath: "/bin/" + tool)
            }
            let browser = Browser(
                environment: BrowserTests.environment(["PATH": folder.path + "/bin", "DISPLAY": ":0"]),
                kernelRelease: "5.15.167.4-microsoft-standard-WSL2")
            let url = "http://localhost:1/start/x?a&b"
            #expect(browser.open(url))
            for _ in 0..<200 where !folder.names.contains("arguments") { try await Task.sleep(for: .milliseconds(50)) }
            let arguments = (name == "rundll32.exe" ? "url.dll,FileProtocolHandler\n" : "") + url + "\n"
            #expect(String(decoding: try folder.read("arguments"), as: UTF8.self) == arguments)
        }
    #endif

    @Test("C34, C38: a browser gets the URL as one argument, and no secret in its environment")
    func really() async throws {
        let folder = try TemporaryFolder()
        let program = folder.path + "/browser"
        // Relative redirections, so that the folder's name needs no quoting; the last line says that all is written.
        let script =
            "#!/bin/sh\nprintf '%s\\n' \"$#\" \"$@\" > \(folder.path)/arguments\nenv > \(folder.path)/environment\n: > \(folder.path)/done\n"
        try folder.write(Array(script.utf8), to: "browser", mode: 0o700)
        let url = "https://idp.example.com/a?b=1&c=';$(touch%20x)*&d=%2B"
        let browser = Browser(
            environment: BrowserTests.environment([
                "BROWSER": program, "PATH": "/usr/bin:/bin", "DISPLAY": ":7", "OPKSSH_PROVIDERS": "a,b,c,s3cret", "OPENPUBKEY_JWT": "t0ken",
                "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "t0ken", "OPK_X": "t0ken",
            ]))
        #expect(browser.open(url))
        for _ in 0..<200 where !folder.names.contains("done") { try await Task.sleep(for: .milliseconds(50)) }
        #expect(try folder.read("arguments") == Array("1\n\(url)\n".utf8))
        let environment = String(decoding: try folder.read("environment"), as: UTF8.self)
        #expect(environment.contains("DISPLAY=:7"))
        #expect(!environment.contains("s3cret") && !environment.contains("t0ken"))
    }

    @Test("where ssh led, and in a container, the browser is elsewhere, unless a display or $BROWSER says that it is here")
    func elsewhere() throws {
        let folder = try TemporaryFolder()
        try folder.write([], to: ".dockerenv")
        let marks = [folder.path + "/.containerenv", folder.path + "/.dockerenv"]
        let isElsewhere = { Browser(environment: BrowserTests.environment($0)).isElsewhere(marks: $1) }
        #expect(!isElsewhere([:], [marks[0]]) && isElsewhere([:], marks))
        for name in ["SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY", "container", "KUBERNETES_SERVICE_HOST"] {
            #expect(isElsewhere([name: "x"], []), "\(name)")
            #expect(!isElsewhere([name: ""], []), "\(name)")
            for here in ["BROWSER", "DISPLAY", "WAYLAND_DISPLAY"] {
                #expect(!isElsewhere([name: "x", here: "x"], marks), "\(here)")
                #expect(isElsewhere([name: "x", here: ""], []), "\(here)")
            }
        }
    }

    @Test("a browser that is not there is no error: the address has been printed")
    func absent() {
        #expect(!Browser(environment: BrowserTests.environment(["BROWSER": "/nonexistent/browser", "PATH": "/bin"])).open("https://x/"))
        #expect(!Browser(environment: BrowserTests.environment(["BROWSER": "./browser", "PATH": ".:/bin"])).open("https://x/"))
    }
}
