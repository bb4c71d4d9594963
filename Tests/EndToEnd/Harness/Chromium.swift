import ChildProcess
import Foundation
import Testing

/// A real browser in the place of a person: headless Chromium, driven by chromium.py, which lies beside this file.
///
/// One plan is one browser with a fresh profile. The steps are explained there.
struct Chromium {
    let laptop: Laptop

    struct Step: Encodable {
        let `do`: String
        var url: String?
        var text: String?
        var name: String?
        var values: [String: String]?

        /// Opens the address.
        static func go(_ url: String) -> Step { Step(do: "go", url: url) }
        /// Waits until the page's heading contains this.
        static func heading(_ text: String) -> Step { Step(do: "heading", text: text) }
        /// Looks at the page in every way, and keeps screenshots under this name.
        static func look(_ name: String) -> Step { Step(do: "look", name: name) }
        /// With the keyboard alone: Tab until what begins with this has the focus, then Enter.
        static func keyboard(_ text: String) -> Step { Step(do: "keyboard", text: text) }
        /// Clicks on the first button or link that contains this.
        static func press(_ text: String) -> Step { Step(do: "press", text: text) }
        /// Types texts into the fields of these names.
        static func fill(_ values: [String: String]) -> Step { Step(do: "fill", values: values) }
        /// What the address bar and the Back button know.
        static let history = Step(do: "history")
        /// Forgets which addresses were asked for until now.
        static let forget = Step(do: "forget")
    }

    /// What a step found; only `look` and `history` find much.
    struct Seen: Decodable {
        let variants: [Variant]?
        let tabs: [Focus]?
        let tree: [Node]?
        /// The addresses that were asked for since `forget` or the last look.
        let requests: [String]?
        let address: String?
        let entries: [String]?
        let seconds: Double?
    }

    /// A page as it is seen by one person on one screen.
    struct Variant: Decodable {
        let variant: String
        let lang: String
        let title: String
        let headings: [String]
        let text: String
        let scripts: Int
        let handlers: Int
        let outside: Int
        let contrast: Double
        let faintest: String
        let edge: Double?
        let overflow: Int
        let background: String
        let mains: Int
        let targets: [Int]
        let screenshot: String
    }

    /// Something that the Tab key reached.
    struct Focus: Decodable, Equatable {
        let text: String
        /// In CSS pixels.
        let outline: Double
    }

    struct Node: Decodable, Equatable {
        let role: String
        let name: String
    }

    static let screenshots = Machine.packageRoot.appendingPathComponent(".build/test-output/screenshots")

    /// One answer for each step.
    @discardableResult
    func drive(_ steps: [Step], deadline: Int = 120) async throws -> [Seen] {
        struct Plan: Encodable {
            let screenshots: String
            let steps: [Step]
        }
        let plan = try JSONEncoder().encode(Plan(screenshots: Chromium.screenshots.path, steps: steps))
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("chromium.py")
        let output = try await Command.mustRun(
            "/usr/bin/python3", [script.path], environment: Command.environment(home: laptop.home.path),
            input: String(decoding: plan, as: UTF8.self), deadline: deadline)
        return try JSONDecoder().decode([Seen].self, from: Data(output.utf8))
    }

    /// Approves a device at the demo provider's page (RFC 8628 section 3.3), as `person`.
    func approveDevice(_ url: String, code: String, as person: String = "alice") async throws {
        let asksForCode = URLComponents(string: url)?.queryItems?.contains { $0.name == "user_code" } != true
        try await drive(
            [.go(url), .heading("Approve a device")] + (asksForCode ? [.fill(["user_code": code]), .press("Continue")] : [])
                + [.press(person), .heading("Approved")])
    }
}

extension Machine {
    static let whyNoChromium: String? = {
        if programs == nil { return "the programs are not built (make build; OPK_BIN_DIR names another folder)" }
        for program in ["chromium", "chromedriver", "python3"] where path(program) == nil { return "\(program) is not installed" }
        let attempt = try? ChildProcess.run("/usr/bin/python3", ["-c", "import selenium"], environment: .inherited(), deadline: 20_000)
        return attempt?.succeeded == true ? nil : "python3-selenium is not installed"
    }()

    static let hasChromium = whyNoChromium == nil
    static let noChromium: Comment = "Chromium: \(whyNoChromium ?? "")"
}
