import Audit
import ChildProcess
import SafeFiles
import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Whether a provider answers: its discovery and its keys, fetched by opk-fetch as for a login, with the policy as it will be, and kept nowhere. A provider may be
/// down for an hour, so what is wrong is said and keeps nobody from going on.
struct ProviderQuestion {
    let places: ServerPlaces
    /// Issuers of `providers`.
    let issuers: [Text]
    /// Its text, as it will be.
    let providers: [UInt8]

    /// A sentence for each that does not answer, escaped.
    func ask() -> [String] {
        let program = places.prefix + "/libexec/opk/opk-fetch"
        guard !issuers.isEmpty, unsafe access(program, X_OK) == 0, let user = Account.named(places.verifierUser) else { return [] }
        defer { TrialFolder.remove(places) }
        guard let folder = try? TrialFolder(places), prepare(folder, for: user) else { return [] }
        return issuers.compactMap { issuer in
            guard !Interruption.isNoted else { return nil }
            let said = AsVerifier(places).run(
                program, ["--config-dir", folder.path + "/etc", "--cache-dir", folder.path + "/cache", "keys", issuer.string])
            guard let said, !said.succeeded else { return nil }
            let name = issuer.escaped(limit: 200)
            if said.ending == .timedOut { return "\(name) does not answer in time, so nobody of it can log in before it does" }
            return "no keys of \(name) can be had, so nobody of it can log in: "
                + Text(SSHDQuestion.words(said.errorOutput)).escapedOnce(limit: 400)
        }
    }

    /// What config.yml says of the way there may be a secret, so nobody else reads it.
    private func prepare(_ folder: TrialFolder, for user: Account) -> Bool {
        var files = [("providers", providers)]
        if let config = try? FileState.read(places.configFolder + "/config.yml") { files.append(("config.yml", config.bytes)) }
        do throws(WriteFailure) {
            for (name, bytes) in files {
                try AtomicFile.write(bytes, to: folder.path + "/etc/" + name, mode: 0o640, owner: .init(user: 0, group: user.group))
            }
        } catch {
            return false
        }
        return unsafe chown(folder.path + "/cache", user.user, user.group) == 0
    }
}
