import ChildProcess
import Foundation
import Testing
import Vocabulary

@testable import PolicyAdministration

@Suite("opk edit", .serialized)
struct EditTests {
    private static let hasTerminal: Bool = (try? Desk.run(["/usr/bin/script", "-qec", "true", "/dev/null"]))?.status == 0

    /// Runs `opk edit` in a terminal, with an editor that is these lines of shell; `$1` is the file.
    private func edit(
        _ desk: Desk, _ file: String = "auth_id", editor: String, variable: String = "EDITOR", answers: String = ""
    ) throws -> Desk.Run {
        let path = desk.folder + "/editor"
        try ("#!/bin/sh\n" + editor + "\n").write(toFile: path, atomically: true, encoding: .utf8)
        chmod(path, 0o755)
        return try Desk.run(
            ["/usr/bin/script", "-qec", "\(Desk.opk) edit \(file) --config-dir \(desk.config)", "/dev/null"], input: answers,
            variables: [variable: path])
    }

    private func copies() throws -> Set<String> {
        Set(try FileManager.default.contentsOfDirectory(atPath: "/var/tmp").filter { $0.hasPrefix("opk-edit-") })
    }

    private let row = "root a@b.c https://accounts.google.com\n"

    @Test(
        "What was edited is installed whole, with mode and owner as they were, and the copy is gone",
        .enabled(if: hasTerminal, "no script(1)"))
    func installed() throws {
        let desk = try Desk(row)
        chmod(desk.authID, 0o640)
        let before = try copies()
        // An editor that puts a new file in the copy's place, and leaves another beside it.
        let run = try edit(desk, editor: "umask 000; cp \"$1\" \"$1~\"; sed 's/a@/z@/' \"$1~\" > \"$1.n\"; mv \"$1.n\" \"$1\"")
        #expect(run.status == 0 && run.output.contains("is installed"), "\(run)")
        #expect(desk.text() == "root z@b.c https://accounts.google.com\n")
        var facts = stat()
        #expect(stat(desk.authID, &facts) == 0 && facts.st_mode & 0o7777 == 0o640)
        #expect(try copies() == before)
    }

    @Test("VISUAL goes before EDITOR, and is cut into words without a shell", .enabled(if: hasTerminal, "no script(1)"))
    func visual() throws {
        let desk = try Desk(row)
        let run = try Desk.run(
            ["/usr/bin/script", "-qec", "\(Desk.opk) edit --config-dir \(desk.config)", "/dev/null"],
            variables: ["VISUAL": "sed -i -e 's/a@b/x y@b/;s/x y@b/q@b/' ", "EDITOR": "/bin/false"])
        #expect(run.status == 0 && desk.text() == "root q@b.c https://accounts.google.com\n", "\(run)")
    }

    @Test("A file that was not there is made; one that is left as it was is not touched", .enabled(if: hasTerminal, "no script(1)"))
    func newAndUnchanged() throws {
        let desk = try Desk()
        #expect(try edit(desk, editor: "true").output.contains("is unchanged") && desk.bytes() == nil)
        #expect(try edit(desk, editor: "echo '\(row.dropLast())' > \"$1\"").status == 0 && desk.text() == row)
        #expect(try edit(desk, editor: "touch \"$1\"").output.contains("is unchanged") && desk.text() == row)
    }

    @Test(
        "What cannot be read is shown with its line, and is installed only if that is asked for in full",
        .enabled(if: hasTerminal, "no script(1)"),
        arguments: [
            ("auth_id", "root a@b.c\n", "line 1: a row has three columns"),
            ("providers", "https://x.y\n", "line 1: a row has three columns"),
            ("config.yml", "deny_users: [a]\nnonsense: 1\n", "NOBODY WOULD BE ADMITTED"), ("revoked", "email:a@b.c\nfoo\n", "line 2: "),
        ])
    func faults(file: String, text: String, said: String) throws {
        let desk = try Desk(row)
        let before = try copies()
        let old = desk.bytes(file)
        let editor = "printf '\(text.replacing("\n", with: "\\n"))' > \"$1\""
        var run = try edit(desk, file, editor: editor, answers: "y\nx\n")
        #expect(
            run.status == 0 && run.output.contains(said) && run.output.contains("is left as it was") && desk.bytes(file) == old, "\(run)")
        #expect(try copies() == before)
        run = try edit(desk, file, editor: editor, answers: "save\nsave anyway\n")
        #expect(run.status == 0 && run.output.contains("is installed") && desk.text(file) == text, "\(run)")
    }

    @Test("A file that was emptied is not installed without being asked for", .enabled(if: hasTerminal, "no script(1)"))
    func emptied() throws {
        let desk = try Desk(row)
        let run = try edit(desk, editor: ": > \"$1\"", answers: "x\n")
        #expect(run.output.contains("it is empty, and was not"), "\(run)")
        #expect(desk.text() == row)
    }

    @Test("Edit again begins with what was written", .enabled(if: hasTerminal, "no script(1)"))
    func again() throws {
        let desk = try Desk(row)
        let run = try edit(
            desk, editor: "if grep -q bad \"$1\"; then sed -i '/bad/d' \"$1\"; echo '# mended' >> \"$1\"; else echo bad >> \"$1\"; fi",
            answers: "e\n")
        #expect(run.status == 0 && desk.text() == row + "# mended\n", "\(run)")
    }

    @Test(
        "Where somebody else has changed the file meanwhile, theirs stays, and ours is kept and named",
        .enabled(if: hasTerminal, "no script(1)"))
    func meanwhile() throws {
        let desk = try Desk(row)
        let run = try edit(
            desk, editor: "echo '# mine' >> \"$1\"; \(Desk.opk) add root other@b.c google --config-dir \(desk.config) > /dev/null")
        #expect(run.status == 1 && run.output.contains("changed by somebody else meanwhile"), "\(run)")
        #expect(desk.text() == row + "root other@b.c https://accounts.google.com\n")
        let copy = try #require(run.output.split(whereSeparator: { " \r\n".contains($0) }).first { $0.hasPrefix("/var/tmp/opk-edit-") })
        #expect(try String(contentsOfFile: String(copy), encoding: .utf8) == row + "# mine\n")
        try FileManager.default.removeItem(atPath: (String(copy) as NSString).deletingLastPathComponent)
    }

    @Test("An editor that fails installs nothing; one that is not there is said to be missing", .enabled(if: hasTerminal, "no script(1)"))
    func failing() throws {
        let desk = try Desk(row)
        let before = try copies()
        #expect(try edit(desk, editor: "exit 3").output.contains("ended with status 3") && copies() == before)
        let run = try edit(desk, editor: "echo '# x' >> \"$1\"; exit 3")
        #expect(run.status == 1 && run.output.contains("what you wrote is /var/tmp/opk-edit-") && desk.text() == row, "\(run)")
        for name in try copies().subtracting(before) { try FileManager.default.removeItem(atPath: "/var/tmp/" + name) }
        for editor in ["/nonexistent/vi", "no-such-editor", "./vi", "'unclosed"] {
            let run = try Desk.run(
                ["/usr/bin/script", "-qec", "\(Desk.opk) edit --config-dir \(desk.config)", "/dev/null"], variables: ["EDITOR": editor])
            #expect(run.status == 1 && run.output.contains("there is no editor"), "\(run)")
        }
    }

    @Test("Without a terminal nothing is edited, and other files than those four are not taken")
    func refused() throws {
        let desk = try Desk(row)
        let run = try desk.opk("edit")
        #expect(run.status == 1 && run.errors.contains("needs a terminal"))
        #expect(try desk.opk("edit", "../shadow").status == 64 && desk.opk("edit", "sshd_config").status == 64)
    }

    @Test(
        "Words of an editor",
        arguments: [
            ("vi", ["vi"]), (" code  --wait ", ["code", "--wait"]), ("\"my ed\" -a 'b c'", ["my ed", "-a", "b c"]), ("a\\ b", ["a b"]),
            ("''", [""]),
            ("a'", nil), ("a\\", nil), ("$(id);x", ["$(id);x"]), ("a\"\\\"\"", ["a\""]),
        ] as [(String, [String]?)])
    func words(text: String, words: [String]?) {
        #expect(Editor.words(Array(text.utf8)) == words)
    }

    @Test("Root's editor is not looked for where PATH says")
    func path() throws {
        let desk = try Desk()
        try desk.write("mine", "#!/bin/sh\n", mode: 0o755)
        var environment = ProcessEnvironment.empty
        (environment["PATH"], environment["EDITOR"]) = (".:\(desk.config):/usr/bin", "mine")
        #expect(throws: PolicyError.self) { try Editor.chosen(environment, asRoot: true) }
        #expect(try Editor.chosen(environment, asRoot: false).program == desk.config + "/mine")
    }
}
