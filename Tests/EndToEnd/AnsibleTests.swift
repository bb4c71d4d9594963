import Foundation
import Testing

/// The role in packaging/ansible, run for real, against a folder in the place of /etc/opk.
@Suite("Ansible's role", .enabled(if: AnsibleRole.whyNot == nil, "\(AnsibleRole.whyNot ?? "")"))
struct AnsibleTests {
    @Test("the example is well-formed")
    func syntax() async throws {
        try await withAnsible { ansible in
            let outcome = try await ansible.run(["--syntax-check", AnsibleRole.example])
            #expect(outcome.status == 0, "\(outcome.both)")
        }
    }

    @Test("the example's policy is written and sshd set up at first, and the second time nothing is changed")
    func idempotent() async throws {
        try await withAnsible { ansible in
            let dry = try await ansible.run(["--check", "--diff", AnsibleRole.example], setsUp: true)
            #expect(dry.status == 0 && !dry.output.contains("changed=0"), "\(dry.both)")
            #expect(ansible.files() == [] && !ansible.isSetUp, "a trial writes nothing")

            let first = try await ansible.run([AnsibleRole.example], setsUp: true)
            #expect(first.status == 0 && !first.output.contains("changed=0"), "\(first.both)")
            #expect(ansible.files() == ["auth_id", "config.yml", "providers", "revoked"] && ansible.isSetUp)
            #expect(try ansible.text("auth_id").contains(#"dev 'oidc:"https://acme.com/roles":dev' https://idp.example.com"#))
            for file in ansible.files() { #expect(try ansible.mode(file) == 0o640, "\(file)") }
            let audit = try await Command.run(
                ansible.opk, ["audit", "--policy-only", "--skip-user-policy", "--config-dir", ansible.policy.path])
            #expect(audit.status == 0, "\(audit.both)")

            let second = try await ansible.run([AnsibleRole.example], setsUp: true)
            #expect(second.status == 0 && second.output.contains("changed=0"), "\(second.both)")
        }
    }

    @Test("a policy with a bad row, and one that does not do what is expected, are refused, and the good one stays")
    func refused() async throws {
        try await withAnsible { ansible in
            let rows = "# by hand\nroot alice@example.com https://idp.example.com\n"
            let providers = "https://idp.example.com opk 24h\n"
            try FileManager.default.createDirectory(at: ansible.policy, withIntermediateDirectories: true)
            try rows.write(to: ansible.policy.appendingPathComponent("auth_id"), atomically: true, encoding: .utf8)
            try providers.write(to: ansible.policy.appendingPathComponent("providers"), atomically: true, encoding: .utf8)

            let row = ["account": "root", "identity": "alice@example.com", "issuer": "https://idp.example.com"]
            let refused: [(variables: [String: Any], words: String)] = [
                (["opk_auth_id": [row.merging(["options": #"expire="2026-12-24""#]) { $1 }]], "row-bad"),
                // What is there already counts too: a row by hand whose issuer would be trusted no more is an error of both files together.
                (["opk_providers": [["issuer": "https://other.example.com", "client_id": "opk"]]], "row-issuer"),
                (
                    ["opk_auth_id": [row], "opk_expectations": ["issuer https://idp.example.com", "bob@example.com as root: yes"]],
                    "opk test does not find"
                ),
            ]
            for (variables, words) in refused {
                let outcome = try await ansible.play(variables)
                #expect(outcome.status != 0 && outcome.both.contains(words), "\(outcome.both)")
                #expect(try ansible.text("auth_id") == rows && ansible.text("providers") == providers)
            }
            #expect(ansible.leftovers() == [], "the folders in which policies are tried out are taken away")

            // A file whose variable is not there is left as it is.
            let outcome = try await ansible.play(["opk_revoked": [["what": "email:bob@example.com"]]])
            #expect(outcome.status == 0, "\(outcome.both)")
            #expect(try ansible.text("auth_id") == rows && ansible.files() == ["auth_id", "providers", "revoked"])
        }
    }

    @Test("a tarball is unpacked, and its installer run once")
    func tarball() async throws {
        try await withAnsible { ansible in
            let tree = ansible.folder.appendingPathComponent("opk-1.0")
            try FileManager.default.createDirectory(at: tree, withIntermediateDirectories: true)
            try "#!/bin/sh\necho run >> ../ran\n".write(to: tree.appendingPathComponent("install.sh"), atomically: true, encoding: .utf8)
            try await Command.mustRun("chmod", ["0755", tree.appendingPathComponent("install.sh").path])
            let tarball = ansible.folder.appendingPathComponent("opk.tar.gz").path
            try await Command.mustRun("tar", ["-C", ansible.folder.path, "-czf", tarball, "opk-1.0"])
            let unpacked = ansible.folder.appendingPathComponent("unpacked").path
            for _ in 0..<2 {
                let outcome = try await ansible.play(["opk_tarball": tarball, "opk_tarball_folder": unpacked], install: "tarball")
                #expect(outcome.status == 0, "\(outcome.both)")
            }
            #expect(try String(contentsOf: ansible.folder.appendingPathComponent("ran"), encoding: .utf8) == "run\n")
        }
    }
}

/// ansible-playbook on this machine itself, in folders of its own.
private struct Ansible {
    let folder: URL
    let opk: String
    /// opk, but for `opk setup server`, in whose place something notes how it was called and changes something once.
    private var program: String { folder.appendingPathComponent("opk").path }
    var policy: URL { folder.appendingPathComponent("etc") }

    init() throws {
        guard let programs = Machine.programs else { throw HarnessError("the programs are not built") }
        opk = programs.appendingPathComponent("opk").path
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("opk-ansible-\(UUID().uuidString)")
        try FileManager.default.createDirectory(
            at: folder.appendingPathComponent("tmp"), withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
        let script = """
            #!/bin/sh
            [ "$1" = setup ] || exec '\(opk)' "$@"
            if [ -e '\(folder.path)/set-up' ]; then changed=false; else changed=true; fi
            [ "$*" = 'setup server --json --dry-run' ] || [ "$*" = 'setup server --json' ] || exit 64
            [ "$4" = --dry-run ] || touch '\(folder.path)/set-up'
            printf '{"changed": %s}\\n' "$changed"

            """
        try script.write(toFile: program, atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: program)
    }

    var isSetUp: Bool { FileManager.default.fileExists(atPath: folder.appendingPathComponent("set-up").path) }

    /// With the policy's folder, the program and the owner of this run in the place of a server's.
    func run(_ arguments: [String], install: String = "none", setsUp: Bool = false) async throws -> Command.Outcome {
        let user = try await Command.mustRun("id", ["-un"]).trimmingCharacters(in: .whitespacesAndNewlines)
        let group = try await Command.mustRun("id", ["-gn"]).trimmingCharacters(in: .whitespacesAndNewlines)
        let variables: [String: Any] = [
            "opk_install": install, "opk_setup": setsUp, "opk_program": program, "opk_config_dir": policy.path, "opk_owner": user,
            "opk_group": group,
            "ansible_become": false, "ansible_remote_tmp": folder.appendingPathComponent("remote").path,
            "ansible_python_interpreter": Machine.path("python3") ?? "/usr/bin/python3",
        ]
        return try await AnsibleRole.run(["-i", "localhost,", "-c", "local"] + arguments, in: folder, variables: variables)
    }

    /// The role alone, with these variables.
    func play(_ variables: [String: Any], install: String = "none") async throws -> Command.Outcome {
        try await run([AnsibleRole.book(variables, in: folder)], install: install)
    }

    func files() -> [String] { ((try? FileManager.default.contentsOfDirectory(atPath: policy.path)) ?? []).sorted() }

    func text(_ file: String) throws -> String { try String(contentsOf: policy.appendingPathComponent(file), encoding: .utf8) }

    func mode(_ file: String) throws -> Int {
        let attributes = try FileManager.default.attributesOfItem(atPath: policy.appendingPathComponent(file).path)
        return (attributes[.posixPermissions] as? Int) ?? 0
    }

    func leftovers() -> [String] {
        let names = try? FileManager.default.contentsOfDirectory(atPath: folder.appendingPathComponent("tmp").path)
        return (names ?? []).filter { $0.hasSuffix(".opk-policy") }
    }
}

private func withAnsible(_ body: (Ansible) async throws -> Void) async throws {
    let ansible = try Ansible()
    defer { try? FileManager.default.removeItem(at: ansible.folder) }
    try await body(ansible)
}
