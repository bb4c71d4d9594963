import Foundation
import JOSE
import MintingKit
import Synchronization
import TestSupport
import Testing
import Vocabulary

@Suite("opk-verify: the audit log, torn off, rotated and full", .serialized)
struct AuditTornTests {
    let audited: AuditedDoorway
    var doorway: Doorway { audited.doorway }

    init() throws { audited = try AuditedDoorway() }

    @Test(
        "Killed at each system call of a decision: the log has the event, or not, and always parses; whoever comes next is recorded whole",
        .enabled(if: Strace.works, "no strace"), arguments: ["guest", "root"])
    func killed(account: String) async throws {
        let trace = doorway.folder + "/trace"
        let whole = try audited.ask(as: account, surroundings: Strace.noting(in: trace))
        #expect(try audited.events().count == 1)
        let moments = try Strace.moments(in: trace, from: doorway.config)
        let calls = Set(moments.map(\.call))
        #expect(
            calls.contains("writev") && !calls.contains("flock") && !calls.contains("ftruncate") && !calls.contains("fsync"), "\(calls)")
        #expect(try !String(contentsOfFile: trace, encoding: .utf8).contains("F_SETLK"))
        try audited.clear()
        let killed = Atomic(0)
        let answered = Atomic(0)
        try await atOnce(moments) { moment in
            let run = try audited.ask(as: account, surroundings: moment.surroundings)
            if run.ending == .killed(signal: SIGKILL) { killed.add(1, ordering: .relaxed) }
            #expect(run.output.isEmpty || run.output == whole.output, "\(moment): \(run)")
            if run.status == whole.status { answered.add(1, ordering: .relaxed) }
        }
        #expect(killed.load(ordering: .relaxed) > moments.count / 2, "of \(moments.count)")
        let events = try audited.events()
        #expect(events.count >= answered.load(ordering: .relaxed) && events.count < moments.count, "\(events.count)")
        #expect(events.allSatisfy { $0["granted"] == .bool(account == "guest") && $0.text("account") == account })
        #expect(try audited.ask(as: account).status == whole.status)
        #expect(try audited.events().count == events.count + 1)
    }

    @Test("A line that was torn off stays alone: the next event begins a line of its own, and no other is lost")
    func tornBefore() async throws {
        #expect(try audited.ask().admitted)
        let line = audited.bytes()
        for cut in [1, 2, line.count / 2, line.count - 2] {
            try audited.clear()
            let file = try FileHandle(forWritingTo: URL(fileURLWithPath: audited.path))
            try file.write(contentsOf: Data(line + line.prefix(cut)))
            try await atOnce(Array(0..<12), width: 12) { _ in
                let run = try audited.ask()
                #expect(run.admitted, "\(run)")
            }
            let (events, torn) = audited.readable()
            #expect(events.count == 13 && torn == 1, "\(cut): \(events.count), \(torn)")
        }
    }

    @Test(
        "Sixty-four at once while the file is renamed and made anew, again and again: each event is in one of the files, once, or counted as lost"
    )
    func rotated() async throws {
        let rotations = Mutex(0)
        let isOver = Atomic(false)
        let rotator = Thread {
            while !isOver.load(ordering: .acquiring) {
                let number = rotations.withLock {
                    $0 += 1
                    return $0
                }
                rename(audited.path, "\(audited.path).\(number)")
                // As logrotate does: at once, unless the machine has something else to do.
                close(open(audited.path, O_CREAT | O_EXCL | O_WRONLY, 0o640))
                usleep(15_000)
            }
            rotations.withLock { $0 = -$0 }
        }
        rotator.start()
        let ids = Mutex<[String]>([])
        try await atOnce(Array(0..<192), width: 64) { number in
            let run = try audited.ask(as: number % 3 == 0 ? "root" : "guest")
            #expect(run.status == (number % 3 == 0 ? 1 : 0), "\(run)")
            let id = run.terminal.split(separator: " ").first { $0.hasPrefix("id=") }.map { String($0.dropFirst(3)) }
            ids.withLock { $0.append(id ?? "?") }
        }
        isOver.store(true, ordering: .releasing)
        while rotations.withLock({ $0 > 0 }) { usleep(1000) }
        let files = try FileManager.default.contentsOfDirectory(atPath: audited.folder).map { audited.folder + "/" + $0 }
        let events = try files.flatMap { try audited.events($0) }
        #expect(files.count > 3)
        let written = events.filter { $0.text("type") == "decision" }.compactMap { $0.text("id") }
        let asked = ids.withLock { $0 }
        #expect(Set(written).count == written.count && Set(written).isSubset(of: asked))
        #expect(try audited.ask().admitted)
        let last = try audited.events()
        let lost = (events + last).filter { $0.text("type") == "audit.gap" }.reduce(0) { $0 + ($1.number("lost") ?? 0) }
        // Where the two calls were torn apart for longer than is waited.
        #expect(asked.count - written.count == lost && lost < 20, "\(lost)")
    }

    @Test(
        "logrotate reads our file and would do with it what it says",
        .enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/sbin/logrotate"), "no logrotate"))
    func logrotate() throws {
        let ours = SharedData.packageRoot.appendingPathComponent("logrotate.d/opk")
        let user = String(cString: getpwuid(geteuid()).pointee.pw_name)
        let group = String(cString: getgrgid(getegid()).pointee.gr_name)
        let text = try String(contentsOf: ours, encoding: .utf8).replacing("/var/log/opk/", with: audited.folder + "/").replacing(
            "opksshuser adm", with: "\(user) \(group)")
        let file = doorway.folder + "/logrotate"
        #expect(FileManager.default.createFile(atPath: file, contents: Data(text.utf8), attributes: [.posixPermissions: 0o644]))
        let trial = try Program.shell("/usr/sbin/logrotate -d \(file) 2>&1")
        #expect(
            trial.status == 0 && !trial.output.contains("error") && trial.output.contains("rotating pattern: \(audited.path)"), "\(trial)")
        #expect(try audited.ask().admitted)
        let run = try Program.shell("/usr/sbin/logrotate -f -s \(doorway.folder)/state-of-logrotate \(file) 2>&1")
        #expect(run.status == 0, "\(run)")
        #expect(try audited.events().isEmpty && audited.events(audited.path + ".1").count == 1)
        var facts = stat()
        #expect(stat(audited.path, &facts) == 0 && facts.st_mode & 0o777 == 0o640)
        #expect(try audited.ask().admitted && audited.events().count == 1)
    }

    @Test(
        "An append-only log is written to as any other, nobody shortens it, and logrotate rotates it with the scripts that its file has as comments",
        .enabled(if: Root.isHere && FileManager.default.isExecutableFile(atPath: "/usr/sbin/logrotate"), "not root, or no logrotate"))
    func appendOnly() throws {
        guard try Program.shell("chattr +a \(audited.path)").status == 0 else { return }
        defer { _ = try? Program.shell("chattr -a \(audited.path)") }
        #expect(try audited.ask().admitted && audited.events().count == 1)
        #expect(try audited.ask(as: "root").status == 1 && audited.events().count == 2)
        #expect(truncate(audited.path, 0) != 0 && chmod(audited.path, 0o666) != 0 && unlink(audited.path) != 0)
        let ours = try String(contentsOf: SharedData.packageRoot.appendingPathComponent("logrotate.d/opk"), encoding: .utf8)
        let text = ours.replacing("/var/log/opk/", with: audited.folder + "/").replacing("opksshuser adm", with: "root root")
        func rotate(_ text: String) throws -> Run {
            let file = doorway.folder + "/logrotate"
            try? FileManager.default.removeItem(atPath: file)
            #expect(FileManager.default.createFile(atPath: file, contents: Data(text.utf8), attributes: [.posixPermissions: 0o644]))
            return try Program.shell("/usr/sbin/logrotate -f -s \(doorway.folder)/state-of-logrotate \(file) 2>&1")
        }
        #expect(try rotate(text).status != 0)
        // What an administrator does by hand: the six lines from prerotate on.
        var isScript = false
        let scripts = text.split(separator: "\n").map { line in
            if line == "    #prerotate" { isScript = true }
            return isScript ? String(line.replacing("#", with: "", maxReplacements: 1)) : String(line)
        }.joined(separator: "\n")
        for count in 1...3 {
            let run = try rotate(scripts + "\n")
            #expect(run.status == 0, "\(run)")
            #expect(try Program.shell("lsattr \(audited.path)").output.prefix { $0 != " " }.contains("a"))
            #expect(try audited.events().isEmpty && audited.ask().admitted && audited.events().count == 1, "\(count)")
        }
        #expect(try !Program.shell("lsattr \(audited.path).1").output.prefix { $0 != " " }.contains("a"))
        #expect(FileManager.default.fileExists(atPath: audited.path + ".3.gz"))
    }

    /// In a namespace of its own, where `script` runs with a file system of so many KiB at the log's folder; `$log` is the file. Returns what it printed.
    private func onSmallDisk(_ kibibytes: Int, _ script: String) throws -> Run {
        let words = try doorway.words(audited.login, options: audited.options()).map { String(decoding: $0, as: UTF8.self) }
        let refused = try doorway.words(audited.login.with { $0.providerKey = TestKeys.otherP256 }, options: audited.options()).map {
            String(decoding: $0, as: UTF8.self)
        }
        let unknown = try doorway.words(audited.login, as: "root", options: audited.options()).map { String(decoding: $0, as: UTF8.self) }
        let quoted = { (words: [String]) in words.map { "'\($0)'" }.joined(separator: " ") }
        let text = """
            mount -t tmpfs -o size=\(kibibytes)k,mode=755 none '\(audited.folder)' || exit 99
            log='\(audited.path)'; : > "$log"; chmod 640 "$log"
            verify() { '\(Program.verify)' \(quoted(words)); }
            stranger() { '\(Program.verify)' \(quoted(refused)); }
            person() { '\(Program.verify)' \(quoted(unknown)); }
            \(script)
            """
        try text.write(toFile: doorway.folder + "/script", atomically: true, encoding: .utf8)
        return try Program.run(
            "/bin/sh", ["-c", "exec unshare --mount sh '\(doorway.folder)/script' 2>/dev/null"].map { Array($0.utf8) },
            environment: Doorway.environment)
    }

    @Test(
        "On a full disk decisions stand and the log parses; when there is room again the gap is told before the next event",
        .enabled(if: Root.canMount, "not root, or no mounting"))
    func full() throws {
        let run = try onSmallDisk(
            512,
            """
            verify >/dev/null || echo first
            dd if=/dev/zero of="${log%/*}/filler" bs=4k 2>/dev/null
            # What was reserved is used up; then nothing more comes.
            n=0; while [ $n -lt 700 ]; do before=$(stat -c %s "$log"); verify | grep -q ^cert-authority || echo refused
            [ $(stat -c %s "$log") = $before ] && break; n=$((n + 1)); done
            verify | grep -q ^cert-authority || echo refused
            rm "${log%/*}/filler"
            verify | grep -q ^cert-authority || echo refused
            cat "$log"
            """)
        #expect(run.status == 0, "\(run.ending)")
        let lines = run.output.split(separator: "\n")
        let events = try lines.map { try JSONObject(parsing: Array($0.utf8)) }
        let gaps = events.filter { $0.text("type") == "audit.gap" }
        #expect(gaps.count == 1 && gaps.first?.number("lost") == 2, "\(gaps)")
        #expect(events.dropLast().last?.text("type") == "audit.gap" && events.last?.text("type") == "decision")
        #expect(gaps.first?["since"]?.string.flatMap { UnixTime(rfc3339: $0) } != nil)
        #expect(events.count > 10)
    }

    @Test(
        "What people cause who may not log in is not written where the disk is nearly full, or the file larger than it should be: a login is",
        .enabled(if: Root.canMount, "not root, or no mounting"))
    func strangers() throws {
        let run = try onSmallDisk(
            1024,
            """
            stranger >/dev/null; person >/dev/null; verify >/dev/null; wc -l < "$log"
            dd if=/dev/zero of="${log%/*}/filler" bs=1k count=720 2>/dev/null
            stranger >/dev/null; person >/dev/null; verify >/dev/null; wc -l < "$log"
            rm "${log%/*}/filler"
            truncate -s 270000000 "$log"; printf '\\n' >> "$log"
            stranger >/dev/null; verify >/dev/null; tail -c +270000002 "$log" | wc -l
            truncate -s 1100000000 "$log"; verify >/dev/null || echo refused; stat -c %s "$log"
            """)
        // The second and third times the gap is told in front of the event.
        #expect(run.output == "3\n5\n2\n1100000000\n", "\(run)")
    }
}
