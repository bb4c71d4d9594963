import Foundation
import SSHKeys
import Testing
import Vocabulary

@testable import Login

/// `opk login`: what it prints and writes, and what ends it.
extension CommandTests {
    @Test(
        "a login prints the address on a line of its own, and at the end who, until when and where",
        .enabled(if: OpkProgram.hasCurl, "no curl"))
    func login() async throws {
        let folder = try TemporaryFolder()
        let (run, issuer) = try await logIn([], in: folder)
        #expect(run.status == 0, "\(run)")
        let urls = run.errors.split(separator: "\n").filter { $0.hasPrefix(issuer.string + "/authorize?") }
        #expect(urls.count == 1)
        let lines = run.output.split(separator: "\n")
        #expect(lines.first == "Logged in as alice@example.com at \(issuer.string).")
        #expect(lines.contains { $0.hasPrefix("Good until ") })
        #expect(lines.contains { $0.contains("\(folder.path)/.ssh/id_ecdsa ") })
        #expect(folder.names.filter { $0.hasPrefix(".ssh/") } == [".ssh/id_ecdsa", ".ssh/id_ecdsa-cert.pub"])
        let shown = try await CommandTests.run(["inspect", folder.path + "/.ssh/id_ecdsa"], home: folder.path)
        #expect(shown.status == 0)
        #expect(shown.output.contains("alice@example.com"))
    }

    @Test(
        "--print-key prints the certificate and the key, writes nothing, and keeps standard output for them",
        .enabled(if: OpkProgram.hasCurl, "no curl"))
    func printKey() async throws {
        let folder = try TemporaryFolder()
        let (run, _) = try await logIn(["--print-key", "-t", "ed25519"], in: folder)
        #expect(run.status == 0, "\(run)")
        let line = try #require(SSHKeyLine(parsing: Array(run.output.utf8)))
        #expect(line.type == "ssh-ed25519-cert-v01@openssh.com")
        let rest = run.output.split(separator: "\n", maxSplits: 1)[1]
        let key = try OpenSSHPrivateKeyFile.decode(Array(rest.utf8)).key
        #expect(try SSHCertificate(parsing: line.blob).key == key.publicKey)
        #expect(folder.names == ["browser"])
        #expect(run.errors.contains("Logged in as"))
    }

    @Test("--print-id-token prints the claims as JSON, and never the token", .enabled(if: OpkProgram.hasCurl, "no curl"))
    func printIDToken() async throws {
        let folder = try TemporaryFolder()
        let (run, issuer) = try await logIn(["--print-id-token", "-i", folder.path + "/key"], in: folder)
        #expect(run.status == 0, "\(run)")
        let claims = try #require(try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any])
        #expect(claims["iss"] as? String == issuer.string)
        #expect(claims["email"] as? String == "alice@example.com")
        #expect(!(run.output + run.errors).contains("eyJ"))
    }

    @Test(
        "--store agent: the key is in ssh-agent, its certificate beside, and ssh needs no -i",
        .enabled(if: OpkProgram.hasCurl && TestAgent.isThere, "no curl or no ssh-agent"))
    func storeAgent() async throws {
        let folder = try TemporaryFolder()
        let agent = try TestAgent()
        defer { agent.end() }
        let (run, _) = try await logIn(["--store", "agent"], in: folder, agent: agent.socket)
        #expect(run.status == 0 && !run.errors.contains("warning"), "\(run)")
        #expect(
            folder.names.filter { $0.hasPrefix(".ssh/") } == [".ssh/opk", ".ssh/opk/localhost-cert.pub", ".ssh/opk/localhost.pub"])
        #expect(folder.names.contains(".opk/identities/localhost.json"))
        #expect(run.output.contains("Key: in ssh-agent alone (certificate: \(folder.path)/.ssh/opk/localhost-cert.pub)\n"))
        #expect(run.output.contains("Connect: ssh USER@HOST\n"))
        let line = try #require(SSHKeyLine(parsing: try folder.read(".ssh/opk/localhost-cert.pub")))
        #expect(try agent.identities().first?.blob == line.blob)
    }

    @Test(
        "--store agent without an agent ends before the provider is asked; --store both says so and goes on",
        .enabled(if: OpkProgram.hasCurl, "no curl"))
    func storeWithoutAgent() async throws {
        let folder = try TemporaryFolder()
        let run = try await CommandTests.run(["login", "--provider", "http://localhost:1,x", "--store", "agent"], home: folder.path)
        #expect(run.status == 1 && run.output.isEmpty && folder.names.isEmpty)
        #expect(run.errors.hasPrefix("opk: error: there is no ssh-agent: SSH_AUTH_SOCK is not set\nopk: hint: "), "\(run)")
        let (both, _) = try await logIn(["--store", "both"], in: folder)
        #expect(both.status == 0 && both.errors.contains("opk: warning: there is no ssh-agent"), "\(both)")
        #expect(folder.names.filter { $0.hasPrefix(".ssh/") } == [".ssh/id_ecdsa", ".ssh/id_ecdsa-cert.pub"])
    }

    /// strace makes a system call fail as some file systems do; it needs a kernel that lets it.
    private static let canInject: Bool = {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/strace")
        process.arguments = ["-qq", "-o", "/dev/null", "-e", "inject=flock:error=ENOLCK", "/bin/true"]
        guard (try? process.run()) != nil else { return false }
        process.waitUntilExit()
        return process.terminationStatus == 0
    }()

    @Test(
        "C31: where the file system knows no locks (NFS) a login is written all the same; where it cannot write, the last one stays",
        .enabled(if: OpkProgram.hasCurl && canInject, "no curl, or strace cannot be used"))
    func fileSystems() async throws {
        let folder = try TemporaryFolder()
        let (good, _) = try await logIn([], in: folder, failing: "flock:error=ENOLCK")
        #expect(good.status == 0, "\(good)")
        let files = [".ssh/id_ecdsa", ".ssh/id_ecdsa-cert.pub", ".opk/identities/localhost.json"]
        let before = try files.map(folder.read)
        let (bad, _) = try await logIn([], in: folder, failing: "fsync:error=EIO")
        #expect(bad.status == 1 && bad.errors.contains("cannot be written: Input/output error"), "\(bad)")
        #expect(try files.map(folder.read) == before)
        #expect(!folder.names.contains { $0.contains(".opk-") })
    }

    @Test("C22: a login whose token does not hold leaves the key of the last one as it was", .enabled(if: OpkProgram.hasCurl, "no curl"))
    func badToken() async throws {
        let folder = try TemporaryFolder()
        let (good, _) = try await logIn([], in: folder)
        #expect(good.status == 0)
        let files = [".ssh/id_ecdsa", ".ssh/id_ecdsa-cert.pub"]
        let before = try files.map(folder.read)
        let (bad, _) = try await logIn([], provider: ["--control", #"{"signature": "other-key"}"#], in: folder)
        #expect(bad.status == 1 && bad.output.isEmpty, "\(bad)")
        #expect(try files.map(folder.read) == before)
        #expect(folder.names.filter { $0.hasPrefix(".ssh/") } == files)
    }

    @Test("a provider that takes longer over a code than over anything else is waited for", .enabled(if: OpkProgram.hasCurl, "no curl"))
    func slowTokenEndpoint() async throws {
        let folder = try TemporaryFolder()
        let (run, _) = try await logIn([], provider: ["--fault", "token=slow:6"], in: folder)
        #expect(run.status == 0, "\(run)")
    }

    @Test("ssh does not know $HOME, so a key there is named, as one word of a shell", .enabled(if: OpkProgram.hasCurl, "no curl"))
    func connect() async throws {
        let folder = try TemporaryFolder()
        let (usual, _) = try await logIn([], in: folder)
        #expect(usual.output.contains("Connect: ssh -i \(folder.path)/.ssh/id_ecdsa USER@HOST\n"))
        let (named, _) = try await logIn(["-i", folder.path + "/a key's"], provider: ["--auto-login", "carol"], in: folder)
        #expect(named.output.contains("Connect: ssh -i '\(folder.path)/a key'\\''s' USER@HOST\n"))
        // Carol's address is not verified.
        #expect(named.output.contains("is not verified") && !usual.output.contains("is not verified"))
    }

    @Test("a provider with a secret that was given without --provider is not repeated")
    func forgottenOption() async throws {
        let whole = "https://idp.example.com,opk,s3cret"
        for arguments in [["login", whole], ["login", "google", whole], ["login", "opk,s3cret"], ["login", "https://s3cret"]] {
            let run = try await CommandTests.run(arguments, home: "/nonexistent")
            #expect(run.status == 64)
            #expect(!run.errors.contains("s3cret"), "\(run)")
            #expect(run.errors.contains("--provider"))
        }
    }

    @Test("a folder that keys cannot lie in ends the command before the provider is asked")
    func folderFirst() async throws {
        let folder = try TemporaryFolder()
        mkdir(folder.path + "/.ssh", 0o700)
        chmod(folder.path + "/.ssh", 0o775)
        let run = try await CommandTests.run(["login", "--provider", "http://localhost:1,x"], home: folder.path)
        #expect(run.status == 1)
        #expect(run.errors.contains("others may write there"), "\(run)")
        #expect(run.errors.contains("chmod 700 \(folder.path)/.ssh"))
    }

    @Test("a login that fails says why, writes nothing and ends with 1", .enabled(if: OpkProgram.hasCurl, "no curl"))
    func failure() async throws {
        let folder = try TemporaryFolder()
        let (run, _) = try await logIn(["--provider", "http://localhost:1,x"], in: folder)
        #expect(run.status == 1)
        #expect(run.output.isEmpty)
        #expect(run.errors.contains("opk: error: "))
        #expect(run.errors.contains("opk: hint: "))
        #expect(folder.names == ["browser"])
    }
}
