import Foundation
import Testing

extension RealSSH {
    /// The role over ssh, from another machine's point of view: a copy of this one without anything of opk's, an archive with its packages, and an sshd.
    @Suite(
        "Ansible's role, over ssh on a server that has nothing of opk's yet", .enabled(if: Machine.canCopy, Machine.noCopy),
        .enabled(if: Packages.canBuild, Packages.cannotBuild),
        .enabled(if: AnsibleRole.whyNot == nil, "\(AnsibleRole.whyNot ?? "")"),
        .enabled(if: Machine.path("dpkg-scanpackages") != nil, "dpkg-scanpackages is not installed (.ci/install-packages test)"),
        .enabled(
            if: FileManager.default.fileExists(atPath: "/usr/lib/python3/dist-packages/apt"),
            "python3-apt is not installed (.ci/install-packages test)"))
    struct AnsibleServerTests {
        private static let places = "etc usr/local root/.ssh"

        @Test(
            "in one run the packages are there, the policy is written, sshd is set up and reloaded, and people come in; the next changes nothing"
        )
        func fromNothing() async throws {
            try await withDemoProvider { laptop, provider, server in
                let key = try await laptop.logIn(provider.clientSpecification, visit: provider.press("alice"))
                try await withSetupMachine(isBare: true) { machine in
                    let ansible = try await Controller(machine, server)
                    let row = ["account": "alice", "identity": "alice@example.com", "issuer": provider.issuer]
                    let variables: [String: Any] = [
                        "opk_providers": [["issuer": provider.issuer, "client_id": "opk-demo"]], "opk_auth_id": [row],
                        "opk_expectations": [
                            "issuer \(provider.issuer)", "alice@example.com as alice: yes", "alice@example.com as root: no",
                        ],
                    ]
                    let before = try await machine.inventory(of: Self.places)
                    let dry = try await ansible.play(variables, ["--check", "--diff"])
                    #expect(dry.status == 0 && !dry.output.contains("changed=0"), "\(dry.both)")
                    #expect(try await machine.inventory(of: Self.places) == before, "a trial changes nothing")

                    let first = try await ansible.play(variables)
                    #expect(first.status == 0, "\(first.both)")
                    let versions = try await machine.shell("dpkg-query -W -f '${Package} ${Version}\\n' opk opk-server")
                    #expect(versions == "opk \(Packages.version)-1\nopk-server \(Packages.version)-1\n")
                    #expect(try await machine.shell("stat -c '%U:%G %a' /etc/opk/auth_id") == "root:opksshuser 640\n")
                    #expect(try await machine.asked().hasPrefix("/usr/libexec/opk/opk-verify "))
                    #expect(try await machine.reloads() == 1)
                    #expect(try await laptop.whoami("alice", on: machine.daemon, keys: [key]) == "alice")
                    #expect(try await laptop.whoami("bob", on: machine.daemon, keys: [key]) == nil)

                    let after = try await machine.inventory(of: Self.places)
                    let again = try await ansible.play(variables)
                    #expect(again.status == 0 && again.output.contains("changed=0"), "\(again.both)")
                    // The same packages as files on the server.
                    let files = try await ansible.play(variables.merging(["opk_packages": ansible.packages]) { $1 })
                    #expect(files.status == 0 && files.output.contains("changed=0"), "\(files.both)")
                    #expect(try await machine.inventory(of: Self.places) == after)
                    #expect(try await machine.reloads() == 1)

                    // One more person is one changed file, which sshd need not be told of.
                    let more = variables.merging(["opk_auth_id": [row, row.merging(["account": "bob"]) { $1 }]]) { $1 }
                    let added = try await ansible.play(more)
                    #expect(added.status == 0 && added.output.contains("changed=1 "), "\(added.both)")
                    #expect(try await laptop.whoami("bob", on: machine.daemon, keys: [key]) == "bob")
                    #expect(try await machine.reloads() == 1)
                }
            }
        }
    }

    /// ansible-playbook that logs in to the machine as root, with its key.
    private struct Controller {
        let packages: [String]
        private let folder: URL
        private let variables: [String: Any]

        init(_ machine: SetupMachine, _ server: Server) async throws {
            folder = server.folder.appendingPathComponent("ansible-\(UUID().uuidString.prefix(8))")
            try FileManager.default.createDirectory(at: folder.appendingPathComponent("tmp"), withIntermediateDirectories: true)
            let key = folder.appendingPathComponent("key")
            try await machine.shell("cat /etc/ssh/test_host_key").write(to: key, atomically: true, encoding: .utf8)
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: key.path)
            variables = [
                "ansible_host": "127.0.0.1", "ansible_port": Int(machine.daemon.port), "ansible_user": "root",
                "ansible_ssh_private_key_file": key.path, "ansible_python_interpreter": "/usr/bin/python3",
                "ansible_ssh_common_args": "-F none -o IdentitiesOnly=yes -o UserKnownHostsFile=\(machine.daemon.knownHosts.path)",
            ]
            // Its only archive: a folder of its own that has our packages and nothing else.
            let built = try await Packages.build(into: machine.folder.appendingPathComponent("packages"))
            packages = built.map { "/srv/archive/" + $0.lastPathComponent }
            try await machine.shell(
                """
                install -d -m 0755 /srv/archive
                install -m 0644 "$@" /srv/archive/
                cd /srv/archive && dpkg-scanpackages --multiversion . > Packages 2>/dev/null
                rm -rf /etc/apt/sources.list /etc/apt/sources.list.d/*
                echo 'deb [trusted=yes] file:/srv/archive ./' > /etc/apt/sources.list
                apt-get -qq update
                """, built.map(\.path))
        }

        /// The role alone, with these variables.
        func play(_ variables: [String: Any], _ options: [String] = []) async throws -> Command.Outcome {
            try await AnsibleRole.run(
                ["-i", "web1,", AnsibleRole.book(variables, in: folder)] + options, in: folder, variables: self.variables)
        }
    }
}
