import Foundation

/// `opk login` with a stand-in for the browser, which only writes down the address that it was given: a test then goes there in Chromium.
final class BrowserLogin: Sendable {
    private let process: BackgroundProcess
    private let address: URL

    /// - Parameters:
    ///   - opens: whether opk is to open the browser; else it prints the provider's address.
    init(_ laptop: Laptop, _ arguments: [String], opens: Bool, adding more: [String: String] = [:]) throws {
        guard let opk = Machine.programs?.appendingPathComponent("opk").path else { throw HarnessError("no opk") }
        address = laptop.home.appendingPathComponent("browser-address")
        let standIn = laptop.path("browser")
        try "#!/bin/sh\nprintf '%s' \"$1\" > '\(address.path).new'\nmv '\(address.path).new' '\(address.path)'\n"
            .write(toFile: standIn, atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: standIn)
        process = try BackgroundProcess(
            opk, ["login"] + (opens ? [] : ["--no-browser"]) + arguments,
            environment: Command.environment(home: laptop.home.path, adding: ["BROWSER": standIn].merging(more) { $1 }),
            log: laptop.home.appendingPathComponent("login.log"))
    }

    /// What the terminal showed until now.
    var text: String { process.text }

    /// What the browser was started with.
    func openedAddress() async throws -> String {
        let end = ContinuousClock.now + .seconds(20)
        while true {
            if let text = try? String(contentsOf: address, encoding: .utf8) { return text }
            guard process.status == nil, ContinuousClock.now < end else { throw HarnessError("no browser was opened: \(text)") }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    /// The address on a line of its own.
    func printedAddress() async throws -> String {
        try await process.waitForLine("URL") { Laptop.url($0) }
    }

    /// Where the provider's answer is awaited.
    func callbackAddress() async throws -> String {
        try await process.waitForLine("Waiting at") { line in
            line.hasPrefix("Waiting at ") ? String(line.dropFirst("Waiting at ".count).prefix { $0 != " " }) : nil
        }
    }

    /// The code of a device login, which stands on a line of its own, set in.
    func userCode() async throws -> String {
        try await process.waitForLine("user code") { line in
            line.hasPrefix("    ") ? line.split(whereSeparator: { $0 == " " || $0 == "\u{1B}" }).first.map(String.init) : nil
        }
    }

    /// The exit status.
    func end() async throws -> Int32 { try await process.waitForEnd(seconds: 30) }

    func stop() async { await process.stop() }
}
