import Foundation
import Testing

/// What is handed out beside the programs, looked at by the tools that it is for. Needs no root and no sshd.
@Suite("What packages are made of")
struct PackagingTests {
    private static func has(_ programs: String...) -> Bool { programs.allSatisfy { Machine.path($0) != nil } }
    private static func absent(_ programs: String) -> Comment { "\(programs): not installed (.ci/install-packages test)" }
    private static let root = Machine.packageRoot.path
    private static let abstractions = "/etc/apparmor.d/abstractions/base"
    private static let policyMakefile = "/usr/share/selinux/devel/Makefile"

    /// A folder for the length of `body`.
    private func withFolder(_ body: (URL) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
            "opk-e2e-\(getpid())-packaging-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(at: folder) }
        try await body(folder)
    }

    // MARK: packages

    @Test(
        "The same programs make the same packages, byte for byte, and lintian finds neither an error nor a warning in them",
        .enabled(if: Packages.canBuild, Packages.cannotBuild))
    func packages() async throws {
        try await withFolder { folder in
            let first = try await Packages.build(into: folder.appendingPathComponent("first"))
            let second = try await Packages.build(
                into: folder.appendingPathComponent("second"), adding: ["TZ": "Asia/Tokyo", "LC_ALL": "C"])
            #expect(first.map(\.lastPathComponent).map { $0.prefix { $0 != "_" } } == ["opk", "opk-server"])
            for (one, other) in zip(first, second) {
                #expect(try Data(contentsOf: one) == Data(contentsOf: other), "\(one.lastPathComponent)")
            }
            let contents = try await Command.mustRun("dpkg-deb", ["-c", first[1].path])
            #expect(!contents.contains("./etc/") && !contents.contains("./var/"), "what an administrator edits is no part of the archive")
            for line in contents.split(separator: "\n") where !line.hasPrefix("d") { #expect(line.contains(" root/root "), "\(line)") }
            guard Self.has("lintian") else { return }
            let lintian = try await Command.run(
                "lintian", ["--pedantic", "-EvI", "--allow-root", "--fail-on", "error,warning"] + first.map(\.path), deadline: 240)
            let findings = lintian.output.split(separator: "\n").filter { $0.hasPrefix("E:") || $0.hasPrefix("W:") }
            #expect(lintian.status == 0 && findings.isEmpty, "\(findings.joined(separator: "\n"))\(lintian.errors)")
        }
    }

    @Test("lintian is here", .enabled(if: has("lintian"), absent("lintian")))
    func lintian() {}

    @Test(
        "The tarball installs below a PREFIX what make install does, with that PREFIX in every file, and takes all of it away",
        .enabled(if: Packages.canBuild, Packages.cannotBuild))
    func tarball() async throws {
        try await withFolder { folder in
            let archives = try await [
                Packages.build("tarball", into: folder.appendingPathComponent("first")), Packages.build("tarball", into: folder),
            ].flatMap { $0 }
            let archive = try #require(archives.first)
            #expect(try Data(contentsOf: archive) == Data(contentsOf: archives[1]))
            let name = archive.lastPathComponent.replacingOccurrences(of: ".tar.xz", with: "")
            #expect(name.hasPrefix("opk-\(Packages.version)-linux-"))
            try await Command.mustRun("tar", ["-C", folder.path, "-xJf", archive.path])
            let tree = folder.appendingPathComponent(name).path
            func installed(_ script: String, _ arguments: [String], _ place: String, adding: [String: String] = [:]) async throws -> Set<
                String
            > {
                let destination = folder.appendingPathComponent(place).path
                let variables = ["DESTDIR": destination, "PREFIX": "/opt/opk"].merging(adding) { _, new in new }
                try await Command.mustRun("bash", [script] + arguments, environment: Command.environment(adding: variables))
                let found = try await Command.mustRun("find", [destination, "!", "-type", "d", "-printf", "%P %m\\n"])
                return Set(found.split(separator: "\n").map(String.init))
            }
            let ours = try await installed(tree + "/install.sh", [], "tarball")
            let theirs = try await installed(
                Self.root + "/scripts/install", [], "checkout", adding: ["OPK_BUILD": try #require(Machine.programs).path])
            #expect(ours.symmetricDifference(theirs).sorted() == [])
            let strays = try await Command.run(
                "grep", ["-rlI", "/usr/local/libexec", folder.appendingPathComponent("tarball/opt/opk/lib").path])
            #expect(strays.output.isEmpty)
            #expect(try await installed(tree + "/uninstall.sh", [], "tarball") == [])
            let laptop = try await installed(tree + "/install.sh", ["--laptop"], "laptop")
            #expect(
                laptop.contains("opt/opk/bin/opk 755") && !laptop.contains { $0.contains("libexec") || $0.hasPrefix("etc") }, "\(laptop)")
        }
    }

    @Test("shellcheck finds nothing in what installs and removes", .enabled(if: has("shellcheck"), absent("shellcheck")))
    func shellcheck() async throws {
        let scripts = [
            "scripts/install", "scripts/uninstall", "scripts/install-lib", "scripts/install-system", "scripts/package",
            "packaging/tarball/install.sh",
            "packaging/tarball/uninstall.sh", "packaging/debian/opk-server.postinst", "packaging/debian/opk-server.prerm",
            "packaging/debian/opk-server.postrm", ".ci/sid-package", ".ci/install-sshd-roots",
        ]
        let checked = try await Command.run("sh", ["-c", "cd \"$0\" && exec shellcheck -x \"$@\"", Self.root] + scripts, deadline: 120)
        #expect(checked.status == 0, "\(checked.both)")
    }

    // MARK: systemd

    @Test(
        "systemd makes the users that the installation makes, and the folders with the same owners and modes",
        .enabled(
            if: has("systemd-sysusers", "systemd-tmpfiles") && geteuid() == 0,
            "systemd's tools for it are not installed, or this is not root"))
    func users() async throws {
        try await withFolder { folder in
            try FileManager.default.createDirectory(at: folder.appendingPathComponent("etc"), withIntermediateDirectories: false)
            for file in ["passwd", "group"] { try Data().write(to: folder.appendingPathComponent("etc/\(file)")) }
            try "root:x:0:0::/root:/bin/sh\n".write(to: folder.appendingPathComponent("etc/passwd"), atomically: true, encoding: .utf8)
            try "root:x:0:\nadm:x:4:\n".write(to: folder.appendingPathComponent("etc/group"), atomically: true, encoding: .utf8)
            try await Command.mustRun("systemd-sysusers", ["--root=\(folder.path)", Self.root + "/systemd/sysusers.d/opk.conf"])
            let users = try String(contentsOf: folder.appendingPathComponent("etc/passwd"), encoding: .utf8)
            for (name, purpose) in [("opksshuser", "runs opk-verify for sshd"), ("opkfetch", "fetches identity providers' keys for opk")] {
                let line = try #require(users.split(separator: "\n").first { $0.hasPrefix(name + ":") })
                #expect(line.hasSuffix(":\(purpose):/nonexistent:/usr/sbin/nologin"), "\(line)")
                // The same words as where useradd makes it.
                #expect(try String(contentsOfFile: Self.root + "/scripts/install-system", encoding: .utf8).contains("\"\(purpose)\""))
            }
            let groups = try String(contentsOf: folder.appendingPathComponent("etc/group"), encoding: .utf8)
            #expect(groups.split(separator: "\n").contains { $0.hasPrefix("opksshuser:") && $0.hasSuffix(":opkfetch") }, "\(groups)")

            try await Command.mustRun(
                "systemd-tmpfiles", ["--root=\(folder.path)", "--create", Self.root + "/systemd/tmpfiles.d/opk.conf"])
            let made = try await Command.mustRun("find", [folder.path, "-path", folder.path + "/*/opk*", "-printf", "%P %m\\n"])
            #expect(
                made.split(separator: "\n").sorted() == [
                    "run/opk 755", "run/opk/sessions 700", "var/cache/opk 755", "var/lib/opk 755", "var/log/opk 755",
                    "var/log/opk/audit.jsonl 640",
                ], "\(made)")
        }
    }

    // MARK: AppArmor and SELinux

    @Test(
        "AppArmor's compiler takes the profiles, one for each program of the server's, and does not take a wrong one",
        .enabled(if: has("apparmor_parser") && FileManager.default.fileExists(atPath: abstractions), absent("apparmor")))
    func apparmor() async throws {
        try await withFolder { folder in
            let profiles = Self.root + "/packaging/apparmor/opk"
            func compile(_ file: String, _ options: [String]) async throws -> Command.Outcome {
                try await Command.run(
                    "apparmor_parser", ["--skip-kernel-load", "--skip-cache", "--quiet"] + options + [file], deadline: 120)
            }
            let compiled = try await compile(profiles, [])
            #expect(compiled.status == 0, "\(compiled.both)")
            let names = try await compile(profiles, ["--names"]).output.split(separator: "\n").map(String.init)
            #expect(Set(names) == ["opk-verify", "opk-fetch", "opk-home", "opk-session"])
            let wrong = folder.appendingPathComponent("wrong")
            let text = try String(contentsOfFile: profiles, encoding: .utf8)
            try text.replacingOccurrences(of: "/etc/opk/** r,", with: "/etc/opk/** readable,").write(
                to: wrong, atomically: true, encoding: .utf8)
            #expect(try await compile(wrong.path, []).status != 0)
            // opk-verify has no network, whatever it includes.
            let verify = try #require(text.components(separatedBy: "profile opk-fetch").first)
            #expect(
                !verify.split(separator: "\n").contains { $0.hasPrefix("  network ") } && !verify.contains("<abstractions/nameservice>"))
        }
    }

    @Test(
        "SELinux's compiler makes a module of the policy, and selint has no warning",
        .enabled(
            if: has("make", "checkmodule", "semodule_package") && FileManager.default.fileExists(atPath: policyMakefile),
            absent("selinux-policy-dev")))
    func selinux() async throws {
        try await withFolder { folder in
            for ending in ["te", "fc", "if"] {
                try FileManager.default.copyItem(
                    at: Machine.packageRoot.appendingPathComponent("packaging/selinux/opk.\(ending)"),
                    to: folder.appendingPathComponent("opk.\(ending)"))
            }
            func make() async throws -> Command.Outcome {
                try await Command.run("make", ["-C", folder.path, "-f", Self.policyMakefile, "opk.pp"], deadline: 180)
            }
            let made = try await make()
            #expect(made.status == 0, "\(made.both)")
            let module = folder.appendingPathComponent("opk.pp")
            #expect(FileManager.default.fileExists(atPath: module.path))
            if Self.has("selint") {
                let files = ["te", "fc", "if"].map { folder.appendingPathComponent("opk.\($0)").path }
                let lint = try await Command.run(
                    "selint", ["-F", "-s", "-l", "W", "--context=/usr/share/selinux/devel/include"] + files, deadline: 180)
                #expect(lint.status == 0, "\(lint.both)")
            }
            try FileManager.default.removeItem(at: module)
            let policy = folder.appendingPathComponent("opk.te")
            let text = try String(contentsOf: policy, encoding: .utf8)
            try (text + "allow opk_verify_t no_such_t:file read;\n").write(to: policy, atomically: true, encoding: .utf8)
            #expect(try await make().status != 0)
        }
    }
}
