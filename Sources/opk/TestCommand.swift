import ArgumentParser
import Display
import JOSE
import PolicyExplanation
import SafeFiles
import Vocabulary

struct TestCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "test",
        abstract: "Check policy files against a file of expectations.",
        discussion: """
            For a repository of policies. A line says who, as which account, and whether that is to be admitted:

              alice@example.com as root: yes
              alice@example.com as root at 23:00 from 10.1.2.3 with groups=dev,ops: no
              sub 1234 of https://idp.example.com as ci: yes

            The exit status is 0 if all came out as expected, 1 if not, 2 if a file cannot be read.

            EXAMPLES
              opk test --config-dir . expectations
              sudo opk test /root/expectations
            """)

    @Argument(help: ArgumentHelp("Files of expectations; - for standard input.", valueName: "file"), completion: .file())
    var files: [String]

    @Option(
        help: ArgumentHelp(
            "Where providers, auth_id, config.yml and revoked lie; in another folder than /etc/opk they may be anybody's.",
            valueName: "folder"))
    var configDir: String = PolicyFolder.standard

    @Flag(help: "For scripts.")
    var json = false

    @Flag(help: "Say only what did not come out as expected.")
    var quiet = false

    func run() throws {
        var status: Int32 = 0
        do throws(ExplainError) {
            status = try check()
        } catch {
            Terminal.note("opk: error: \(error)")
            if let hint = error.hint { Terminal.note("opk: hint: \(hint)") }
            throw error.isUsage ? ExitCode.validationFailure : ExitCode(2)
        }
        if status != 0 { throw ExitCode(status) }
    }

    private func check() throws(ExplainError) -> Int32 {
        let now = UnixTime.now()
        let policy = try PolicyCheckout(configDir, isStrict: configDir == PolicyFolder.standard)
        for note in policy.notes.prefix(100) { Terminal.note("opk: note: \(note)") }
        var (results, isReadable): ([(file: String, result: ExpectationResult)], Bool) = ([], true)
        for file in files {
            let bytes: [UInt8]
            do { bytes = try BoundedInput.read(file, limit: ExpectationFile.limit) } catch { throw .input(error) }
            let read = ExpectationFile(parsing: bytes, at: now, issuer: ExplainCommand.issuer)
            for fault in read.faults.prefix(100) {
                isReadable = false
                Terminal.note("opk: error: \(Text(file).escaped), \(fault)")
            }
            results += read.expectations.map { (file, policy.check($0, at: now)) }
        }
        let unmet = results.filter { !$0.result.isMet }
        if json {
            let all = results.map { file, result in
                var object = result.json.object ?? JSONObject()
                object["file"] = .string(Text(file))
                return JSON.object(object)
            }
            try Terminal.explain([(["results": .array(all), "unmet": .number(JSONNumber(Int64(unmet.count)))] as JSON).pretty()])
        } else {
            try Terminal.explain(
                unmet.map { file, result in
                    "\(Text(file).escaped), line \(result.expectation.line): \(result.expectation.text.escapedOnce(limit: 300))\n    but it is "
                        + (result.isAdmitted ? "yes: " : "no: ") + result.why
                })
            if !quiet || !unmet.isEmpty { try Terminal.explain(["\(results.count) expectations, \(unmet.count) not met"]) }
        }
        return isReadable ? (unmet.isEmpty ? 0 : 1) : 2
    }
}
