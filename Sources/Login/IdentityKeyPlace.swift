public import Identities
import SSHConfiguration
public import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

// Where an identity's key lies unless -i says it.

extension KeyPlace {
    /// One of ssh's usual names, as opkssh has it; `~/.ssh/opk/NAME` where the private key is in ssh-agent alone, where the identity is for
    /// certain hosts, where `opk setup ssh` has been run, or where another login that is still good has the usual name.
    ///
    /// A login that is kept alive has a usual name also where the agent alone has its key, if one is free: nobody can give the agent a renewed
    /// certificate, since that takes the private key, but ssh reads a certificate of a usual name and signs with the agent's key for it (measured
    /// with OpenSSH 9.2).
    ///
    /// - Parameters:
    ///   - isKeptAlive: whether it is meant to be refreshed.
    ///   - identities: the logins of this laptop.
    public static func of(
        _ name: IdentityName, kind: KeyKind, store: KeyStore, hasHosts: Bool, isKeptAlive: Bool = false, home: String,
        identities: [StoredIdentity], now: UnixTime
    ) throws(LoginError) -> KeyPlace {
        if hasHosts || isSetUp(home) || (!store.usesFile && !isKeptAlive) { return try own(name, home: home) }
        let place: KeyPlace
        do throws(LoginError) {
            place = try usual(for: kind, home: home)
        } catch {
            guard case .noFreeName = error, !store.usesFile else { throw error }
            return try own(name, home: home)
        }
        let isAnothers = identities.contains { $0.name != name && $0.isGood(at: now) && Text($0.keyFile) == Text(place.privateKey) }
        return isAnothers && place.occupancy() != .free ? try own(name, home: home) : place
    }

    /// `~/.ssh/opk/NAME`, if it is not somebody else's.
    static func own(_ name: IdentityName, home: String) throws(LoginError) -> KeyPlace {
        // NAME.pub belongs to NAME, and the configuration for ssh lies there as well.
        let lowercased = Text(name.text).lowercasedASCII
        guard !SSHSetup.fileNames.contains(where: { Text($0) == lowercased }), !lowercased.hasSuffix(".pub") else {
            throw .reservedName(Text(name.text))
        }
        return try named(ownFolder(home) + "/" + name.text)
    }

    static func ownFolder(_ home: String) -> String { home + "/.ssh/opk" }

    /// Whether `opk setup ssh` has been run: it writes `~/.ssh/opk/config`.
    public static func isSetUp(_ home: String) -> Bool {
        var facts = stat()
        return unsafe lstat(ownFolder(home) + "/config", &facts) == 0
    }

    /// Whether it is one of `~/.ssh/opk`.
    func isOwn(home: String) -> Bool { Text(folder.path) == Text(KeyPlace.ownFolder(home)) }

    /// From the root, for somebody who works in another folder. A relative path stays as it is where the system does not say which folder
    /// this is.
    var absolutePath: String {
        guard privateKey.utf8.first != UInt8(ascii: "/"), let folder = unsafe getcwd(nil, 0) else { return privateKey }
        // getcwd has allocated what it answers.
        defer { unsafe free(folder) }
        return unsafe String(cString: folder) + "/" + privateKey
    }
}

extension IdentityName {
    /// What a login is called on this laptop: the alias that was given, else its provider's, else the host of its issuer, else `default`.
    public static func ofLogin(alias: String?, _ provider: ProviderConfig) throws(LoginError) -> IdentityName {
        if let name = alias.flatMap({ IdentityName(Text($0)) }) ?? provider.name ?? IdentityName("default") { return name }
        throw .reservedName(Text(alias ?? ""))
    }
}
