import Identities
import Vocabulary

/// The text of the two files of ours that ssh reads: `~/.ssh/opk/config`, included at the top of the person's own, and `config-aliases`,
/// included at its end.
///
/// ssh_config(5): the first value of an option counts, only IdentityFile and CertificateFile add up. So the top is the place from which one
/// identity can be offered whatever follows. But there ssh knows a host only by the name that was typed, since HostName is yet to come;
/// `Match final` would know it, and make ssh read everything twice for every host. At the end HostName is known: there the names that mean
/// one of the hosts without being called so get the same. What fails (`exec` with another status than 0) leaves everything as it was.
///
/// With CertificateFile ssh offers the certificate before any plain key, so that a login takes one attempt; without it the plain key would
/// come first.
struct OwnFiles {
    /// In the order in which they are asked: a host belongs to the first that it fits.
    let identities: [HostIdentity]
    /// Those of them that `--hosts` named, and no configuration: kept in the file itself.
    let given: [HostIdentity]
    /// How the shell calls opk, already quoted for it.
    let call: String

    static let names = ["config", "config-aliases"]

    /// - Parameters:
    ///   - configured: what the configuration says.
    ///   - given: what `--hosts` said, now or earlier; it comes before the configuration's word about the same name.
    ///   - program: opk's own path, absolute.
    init(configured: [HostIdentity], given: [HostIdentity], program: String) throws(SetupError) {
        guard let call = OwnFiles.quoted(program) else { throw .programPath(program) }
        self.call = call
        self.given = given
        identities = given + configured.filter { one in !given.contains { $0.name == one.name } }
    }

    private static let header = "# Written by `opk setup ssh`, anew each time; `opk setup ssh --undo` takes it away. Do not edit it."
    private static let givenPrefix = "# opk setup ssh --provider "

    static func isOurs(_ bytes: [UInt8]) -> Bool { bytes.starts(with: header.utf8) }

    // MARK: writing

    var config: [UInt8] {
        text("For these hosts ssh asks opk first, which logs you in if that is needed, and then offers that identity alone.") { index in
            "host \(identities[index].list)" + earlier(index)
        }
    }

    var aliases: [UInt8] {
        let typed = identities.map { " !originalhost \($0.list)" }.joined()
        return text("The same, where a name of yours stands for such a host by HostName.") { index in
            "host \(identities[index].list)" + earlier(index) + typed
        }
    }

    /// A host belongs to one identity only, even where it fits several.
    private func earlier(_ index: Int) -> String { identities[..<index].map { " !host \($0.list)" }.joined() }

    private func text(_ purpose: String, _ condition: (Int) -> String) -> [UInt8] {
        var lines = [OwnFiles.header, "# \(purpose)"]
        for (index, identity) in identities.enumerated() {
            lines.append("")
            if given.contains(identity) {
                let words = identity.patterns.map(\.text.string).joined(separator: " ")
                lines.append(OwnFiles.givenPrefix + "\(identity.name) --hosts \(words)")
            }
            lines.append("Match \(condition(index)) exec \"\(call) login --if-needed \(identity.name)\"")
            lines.append("    IdentityFile ~/.ssh/opk/\(identity.name)")
            lines.append("    CertificateFile ~/.ssh/opk/\(identity.name)-cert.pub")
            lines.append("    IdentitiesOnly yes")
        }
        return Array(lines.map { $0 + "\n" }.joined().utf8)
    }

    /// For ssh_config between double quotes, where `%` is the start of a token, and for whatever shell SHELL names, which runs it. Nil
    /// for a path that not all of them read alike.
    static func quoted(_ path: String) -> String? {
        guard path.utf8.first == UInt8(ascii: "/"), !path.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) else { return nil }
        let text = path.utf8.split(separator: UInt8(ascii: "%"), omittingEmptySubsequences: false)
            .map { String(decoding: $0, as: UTF8.self) }.joined(separator: "%%")
        let isPlain = path.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
            default: "/._-+".utf8.contains(byte)
            }
        }
        if isPlain { return text }
        return path.utf8.contains { "'\"\\!".utf8.contains($0) } ? nil : "'\(text)'"
    }

    // MARK: reading

    /// What `--hosts` said when the file was written. A line that somebody has spoilt is none.
    static func given(in bytes: [UInt8]) -> [HostIdentity] {
        bytes.split(separator: 0x0A).compactMap { line in
            guard line.starts(with: givenPrefix.utf8) else { return nil }
            let words = line.dropFirst(givenPrefix.utf8.count).split(separator: 0x20).map { Text(String(decoding: $0, as: UTF8.self)) }
            guard words.count > 2, words[1] == "--hosts", let name = IdentityName(words[0]) else { return nil }
            return try? HostIdentity(name: name, patterns: Array(words[2...]))
        }
    }
}
