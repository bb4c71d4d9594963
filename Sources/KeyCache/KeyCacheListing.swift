import JOSE
public import SafeFiles
public import Vocabulary

extension KeyCache {
    /// A record in the folder, found by looking and not by an issuer's name.
    public enum Stray: Sendable {
        case keys(CachedKeys)
        /// The file's name, and one sentence that says why it is not used.
        case unusable(file: String, why: String)
    }

    /// The records that are there beside those of `issuers`: of providers that are trusted no more, for instance. By the names of their files.
    public func strays(beside issuers: [Text]) throws(UnsafeFile) -> [Stray] {
        let known = Set(issuers.map { KeyCache.name($0) + KeyCache.recordEnding })
        let names = try Folder.names(in: directory, atMost: KeyCache.mostFiles) ?? []
        return names.filter { KeyCache.isRecordName($0) && !known.contains($0) }.compactMap(stray)
    }

    private static let recordEnding = ".json"
    /// Files that are looked at; a provider has three.
    private static let mostFiles = 10_000

    private static func isRecordName(_ name: String) -> Bool {
        name.utf8.count == 64 + recordEnding.utf8.count && name.hasSuffix(recordEnding)
    }

    /// Nil where it has gone by now.
    private func stray(_ name: String) -> Stray? {
        let path = directory + "/" + name
        do {
            guard let record = try SafeFile.read(path, trust: trust, limit: CachedKeys.maximumSize) else { return nil }
            guard let issuer = (try? JSONObject(parsing: record))?["issuer"]?.string, KeyCache.name(issuer) + KeyCache.recordEnding == name,
                let keys = CachedKeys(parsing: record, issuer: issuer)
            else { return .unusable(file: name, why: "\(Text(path).escaped) is damaged, so it is not used") }
            return .keys(keys)
        } catch {
            return .unusable(file: name, why: "\(error)")
        }
    }
}
