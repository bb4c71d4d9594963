import Foundation
import JOSE
import Testing
import Vocabulary

@testable import Plugins
@testable import Policy

@Suite("PluginRunner", .serialized, .enabled(if: Scratch.isUsable, "the checkout lies in a folder that others may write"))
struct PluginRunnerTests {
    @Test("exactly allow, or with one line break, and exit status 0", arguments: ["echo allow", "printf allow", "printf 'allow\\n'"])
    func allows(script: String) throws {
        let scratch = Scratch()
        scratch.script("a", script)
        #expect(try scratch.ask() == .allowed(name: "a", notes: []))
    }

    @Test(
        "anything else is a no",
        arguments: [
            "echo allow; exit 1", "echo deny", "echo ALLOW", "printf 'allow '", "printf ' allow'", "printf 'allow\\n\\n'",
            "printf 'allow\\r\\n'",
            "printf 'allow\\000'", "printf 'Allow'", "printf 'allowed'", "printf 'allo'", "true", "echo allow >&2", "echo allow; echo deny",
            "echo allow; kill -9 $$", "printf '\\357\\273\\277allow'", "echo '\"allow\"'", "exit 126",
        ])
    func refuses(script: String) throws {
        let scratch = Scratch()
        scratch.script("a", script)
        let answer = try scratch.ask()
        #expect(answer.isRefused && answer.notes.count == 1 && answer.notes[0].hasPrefix("plugin a.yml: it"), "\(answer)")
    }

    @Test("no files, no answer; files that are all bad refuse, each with its note")
    func none() throws {
        let scratch = Scratch()
        #expect(try scratch.ask() == .none)
        scratch.plugin("a.yml", "name: a\ncommand: x\n")
        scratch.plugin("b.yml", "name: b\ncommand: /bin/x\n", mode: 0o666)
        let answer = try scratch.ask()
        #expect(answer.isRefused && answer.notes.count == 2 && answer.notes[0].contains("a.yml") && answer.notes[1].contains("b.yml"))
    }

    @Test("they are asked in the order of their names until one allows, and those before it are noted")
    func order() throws {
        let scratch = Scratch()
        let trace = scratch.path("trace")
        for (name, word) in [("c", "deny"), ("b", "allow"), ("a", "deny"), ("B", "deny")] {
            scratch.script(name, "echo \(name) >> \(trace); echo \(word)")
        }
        let answer = try scratch.ask()
        guard case .allowed(name: "b", let notes) = answer else { return #expect(Bool(false), "\(answer)") }
        #expect(notes.count == 2 && notes[0].hasPrefix("plugin B.yml") && notes[1].hasPrefix("plugin a.yml"))
        #expect(try String(contentsOfFile: trace, encoding: .utf8) == "B\na\nb\n")
    }

    @Test("one that hangs is killed when its time is over, and the next is asked")
    func hangs() throws {
        let scratch = Scratch()
        scratch.script("a", "echo allow; sleep 60", more: "timeout: 1s\n")
        scratch.script("b", "echo allow")
        let start = Date()
        let answer = try scratch.ask()
        #expect(Date().timeIntervalSince(start) < 2.5)
        #expect(answer == .allowed(name: "b", notes: ["plugin a.yml: it did not answer within 1000 ms"]))
    }

    @Test("all together have four seconds, of which the notes say that they are over")
    func total() throws {
        let scratch = Scratch()
        for name in ["a", "b", "c"] { scratch.script(name, "sleep 60") }
        let start = Date()
        let notes = try scratch.ask().notes
        #expect((3.9..<5.5).contains(Date().timeIntervalSince(start)))
        #expect(notes.last == "the plugins from c.yml on are not asked: the time for all of them (4000 ms) is over")
        let soon = Date()
        #expect(try scratch.ask(within: 300).notes.count == 2)
        #expect(Date().timeIntervalSince(soon) < 1.5)
        #expect(try scratch.ask(within: 0).notes == ["the plugins from a.yml on are not asked: the time for all of them (0 ms) is over"])
    }

    @Test("one that floods its standard output is cut off, and one that floods its standard error is only cut short")
    func floods() throws {
        let scratch = Scratch()
        scratch.script("a", "echo allow; yes allow")
        let start = Date()
        #expect(try scratch.ask().notes == ["plugin a.yml: it wrote more than 64 bytes"])
        #expect(Date().timeIntervalSince(start) < 1.5)
        scratch.script("a", "i=0; while [ $i -lt 20000 ]; do echo noise >&2; i=$((i+1)); done; echo allow")
        let note = "plugin a.yml admits, and complains: \"noise / noise / noise\""
        #expect(try scratch.ask() == .allowed(name: "a", notes: [note]))
        scratch.script("a", "yes noise | head -c 1000000 >&2; echo no")
        let refusal = try #require(try scratch.ask().notes.first)
        #expect(refusal.hasSuffix("it complains: \"noise / noise / noise\"") && refusal.utf8.count < 1024)
    }

    @Test("a child that it leaves behind, with the pipe in its hands, delays nobody and is killed")
    func grandchild() throws {
        let scratch = Scratch()
        let pid = scratch.path("pid")
        scratch.script("a", "sleep 60 & echo $! > \(pid); echo allow")
        let start = Date()
        #expect(try scratch.ask() == .allowed(name: "a", notes: []))
        #expect(Date().timeIntervalSince(start) < 1.5)
        let written = try String(contentsOfFile: pid, encoding: .utf8).trimmingCharacters(in: .newlines)
        let child = try #require(pid_t(written))
        // Whoever inherited it may not have collected it yet.
        func isAlive() -> Bool {
            let status = (try? String(contentsOfFile: "/proc/\(child)/stat", encoding: .utf8)) ?? ") Z"
            return kill(child, 0) == 0 && !status.contains(") Z")
        }
        for _ in 0..<200 where isAlive() { usleep(10_000) }
        #expect(!isAlive())
    }

    @Test("the longest question that there can be is one that the system takes")
    func longest() throws {
        let scratch = Scratch()
        scratch.script("a", "[ ${#OPKSSH_PLUGIN_JTI} = 65536 ] && echo allow")
        let question = try someQuestion(["jti": .string(Text(String(repeating: "a", count: 65_536)))])
        #expect(try scratch.ask(question) == .allowed(name: "a", notes: []))
    }

    @Test("its whole environment is the question's, it has nothing to read, and no descriptor but three")
    func surroundings() throws {
        setenv("OPK_PLUGIN_TEST", "inherited", 1)
        setenv("OPKSSH_PLUGIN_OTHER", "inherited", 1)
        defer {
            unsetenv("OPK_PLUGIN_TEST")
            unsetenv("OPKSSH_PLUGIN_OTHER")
        }
        let scratch = Scratch()
        let dump = scratch.path("dump")
        let question = try someQuestion(["groups": ["a b", "$(id)"], "jti": "x\ny"])
        scratch.plugin("a.yml", "name: a\ncommand: /usr/bin/env -i /bin/sh -c 'exec \"$0\"' \(scratch.program("a.sh", "exit 1"))\n")
        scratch.plugin(
            "b.yml",
            "name: b\ncommand: \(scratch.program("b.sh", "/usr/bin/env -0 > \(dump); ls /proc/self/fd > \(dump).fd; cat > \(dump).in; echo allow"))\n"
        )
        #expect(try scratch.ask(question).notes.count == 1)
        let entries = try Data(contentsOf: URL(fileURLWithPath: dump)).split(separator: 0).map { Array($0) }
        let plugin = try #require(scratch.read().plugins.last)
        // Every shell sets PWD.
        let names = entries.filter {
            !$0.starts(with: Array("PWD=".utf8)) && !$0.starts(with: Array("_=".utf8)) && !$0.starts(with: Array("SHLVL=".utf8))
        }
        #expect(Set(names) == Set(question.environment(for: plugin)))
        #expect(try Data(contentsOf: URL(fileURLWithPath: dump + ".in")).isEmpty)
        // The fourth is ls's own, of the folder.
        #expect(try String(contentsOfFile: dump + ".fd", encoding: .utf8) == "0\n1\n2\n3\n")
    }

    @Test("words in quotes are one argument, and what means something to a shell means nothing")
    func literal() throws {
        let scratch = Scratch()
        let dump = scratch.path("dump")
        let program = scratch.program("a.sh", "printf '[%s]' \"$@\" > \(dump); echo allow")
        scratch.plugin("a.yml", "name: a\ncommand: \(program) 'a b' $HOME `id` $(id) ; touch * > \(scratch.path("made")) && \"c d\" 'e'f\n")
        #expect(try scratch.ask() == .allowed(name: "a", notes: []))
        #expect(
            try String(contentsOfFile: dump, encoding: .utf8)
                == "[a b][$HOME][`id`][$(id)][;][touch][*][>][\(scratch.path("made"))][&&][c d][ef]")
        #expect(!FileManager.default.fileExists(atPath: scratch.path("made")))
    }

    @Test("V66 a program that others can change is not run")
    func untrusted() throws {
        let scratch = Scratch()
        let ran = scratch.path("ran")
        mkdir(scratch.path("open"), 0o755)
        chmod(scratch.path("open"), 0o777)
        let script = "touch \(ran); echo allow"
        let programs = [
            scratch.program("writable", script, mode: 0o777), scratch.program("mine", script, mode: 0o700),
            scratch.program("open/p", script),
            scratch.path("absent"), scratch.path("open"), scratch.path("link"),
        ]
        try FileManager.default.createSymbolicLink(atPath: scratch.path("link"), withDestinationPath: scratch.path("open/p"))
        for program in programs {
            scratch.plugin("a.yml", "name: a\ncommand: \(program)\n")
            #expect(try scratch.ask().notes.first?.hasPrefix("plugin a.yml: it is not run: ") == true, "\(program)")
        }
        // Without a line for the system which interpreter it wants.
        scratch.put("text", Array("echo allow\n".utf8), mode: 0o755)
        scratch.plugin("a.yml", "name: a\ncommand: \(scratch.path("text"))\n")
        #expect(try scratch.ask().isRefused)
        #expect(!FileManager.default.fileExists(atPath: ran))
    }

    @Test("a login that cannot be put to a plugin is put to none")
    func impossible() throws {
        let scratch = Scratch()
        let question = try someQuestion(["groups": "staff"])
        #expect(try scratch.ask(question) == .none)
        scratch.script("a", "echo allow")
        #expect(try scratch.ask(question) == .refused(["no plugin is asked: the claim groups is not a list"]))
    }

    @Test("what it complains about is noted: its first lines, escaped, without the user's tokens")
    func complaints() throws {
        let scratch = Scratch()
        scratch.script("a", "printf 'one\\033[31m\\n\\ntwo\\nthree\\nfour\\n' >&2; exit 3")
        #expect(
            try scratch.ask().notes == ["plugin a.yml: it says \"\" with exit status 3; it complains: \"one\\u{1b}[31m / two / three\""])
        let question = try someQuestion()
        let variables = try question.variables
        let secrets = ["K", "IDT", "PKT", "PAYLOAD"].compactMap { variables[$0] } + ["s3cret-access-token-of-alice"]
        let scripts =
            ["env >&2", "set -x; : $OPKSSH_PLUGIN_IDT"]
            + ["K", "IDT", "PKT", "PAYLOAD"].flatMap { name in
                [
                    "echo $OPKSSH_PLUGIN_\(name) >&2", "echo $OPKSSH_PLUGIN_\(name) | tail -c 300 >&2",
                    "echo $OPKSSH_PLUGIN_\(name) | head -c 40",
                ]
            } + ["echo $OPKSSH_PLUGIN_K | base64 -d | tr -d '\\000' | grep -a -o 's3cret.*alice' >&2"]
        for script in scripts {
            scratch.script("a", script)
            let notes = try scratch.ask(question).notes.joined()
            #expect(!notes.isEmpty)
            for secret in secrets {
                let bytes = Array(secret.utf8)
                for start in 0...(bytes.count - 16) where notes.contains(String(decoding: bytes[start..<(start + 16)], as: UTF8.self)) {
                    Issue.record("\(script): \(notes)")
                    break
                }
            }
        }
        scratch.script("a", "echo $OPKSSH_PLUGIN_K | base64 -d | tr -d '\\000' | grep -a -o 's3cret.*alice' >&2; echo done >&2")
        #expect(try scratch.ask(question).notes.first?.contains("(secret)") == true)
    }

    @Test("every question may be asked of every plugin through bytes: the answer is the same")
    func throughBytes() throws {
        let scratch = Scratch()
        scratch.script(
            "a", "[ \"$OPKSSH_PLUGIN_U/$OPKSSH_PLUGIN_EMAIL/$OPKSSH_PLUGIN_EMAIL_VERIFIED\" = deploy/alice@example.com/true ] && echo allow"
        )
        let question = try #require(PluginQuestion(parsing: try someQuestion().encoded))
        #expect(PluginAnswer(parsing: try scratch.ask(question).encoded) == .allowed(name: "a", notes: []))
        let other = try #require(PluginQuestion(parsing: try someQuestion(["email_verified": false]).encoded))
        #expect(PluginAnswer(parsing: try scratch.ask(other).encoded)?.isRefused == true)
    }

    @Test("opkssh's own example of a plugin runs as it is")
    func example() throws {
        let scratch = Scratch()
        let program = scratch.program(
            "match-email.sh",
            """
            principal="${OPKSSH_PLUGIN_U}"
            email="${OPKSSH_PLUGIN_EMAIL}"
            email_verified="${OPKSSH_PLUGIN_EMAIL_VERIFIED}"
            req_domain="$1"

            DENY_LIST="root admin email backup"

            for deny_principal in $DENY_LIST; do
              if [ "$principal" = "$deny_principal" ]; then
                echo "deny"
                exit 1
              fi
            done

            expectedEmail="${principal}@${req_domain}"
            if [ "$expectedEmail" = "$email" ] && [ "$email_verified" = "true" ]; then
              echo "allow"
              exit 0
            else
              echo "deny"
              exit 1
            fi
            """)
        scratch.plugin("match.yml", "name: Match linux username to email username\ncommand: \(program) example.com\n")
        #expect(
            try scratch.ask(someQuestion(["email": "deploy@example.com"]))
                == .allowed(name: "Match linux username to email username", notes: []))
        #expect(try scratch.ask(someQuestion(["email": "deploy@example.org"])).isRefused)
    }
}
