import JOSE
import SafeFiles
import Vocabulary

/// What was there before: written, and on the disk, before the first change is made, so that a run that is killed anywhere can be taken back, and
/// what is there can be undone byte for byte.
///
/// `/var/lib/opk/setup.json`, root's and 0600, since it holds what the files held.
struct ServerJournal: Equatable {
    /// Of runs that came to their end, in the order in which they were made; each path once, with what was there before the first run.
    var done: [ServerChange] = []
    /// Of the run that is under way, or was killed.
    var pending: [ServerChange] = []
    /// Whether an undo has begun and is to be ended.
    var isUndoing = false

    static func read(_ path: String) throws(ServerSetupError) -> ServerJournal? {
        let bytes: [UInt8]?
        do throws(UnsafeFile) {
            bytes = try SafeFile.read(path, trust: .rootOnly, limit: 256 << 20)
        } catch {
            throw .journal(path, "\(error)")
        }
        guard let bytes else { return nil }
        guard let object = try? JSONObject(parsing: bytes), object["version"] == 1, let journal = ServerJournal(object) else {
            throw .journal(path, "\(Text(path).escaped) was not written by this version of opk, or is damaged")
        }
        return journal
    }

    func write(_ path: String) throws(ServerSetupError) {
        do throws(WriteFailure) {
            try AtomicFile.write(JSON.object(json).serialized, to: path, mode: 0o600, owner: .init(user: 0, group: 0))
        } catch {
            throw .writing(error)
        }
    }

    /// Whether that folder was made by one of the runs.
    func makes(_ folder: String) -> Bool {
        (done + pending).contains { if case .folder(folder, _) = $0 { true } else { false } }
    }

    /// The run has come to its end.
    mutating func settle() {
        for change in pending {
            if case .file(let new) = change, let index = done.firstIndex(where: { $0.path == new.path }), case .file(let old) = done[index]
            {
                // What was there before the first run is what an undo brings back.
                done[index] = .file(.init(path: old.path, kind: old.kind, before: old.before, after: new.after, hadLock: old.hadLock))
            } else {
                done.append(change)
            }
        }
        pending = []
    }
}

extension ServerJournal {
    private init?(_ object: JSONObject) {
        guard let done = object["done"]?.array, let pending = object["pending"]?.array, let undoing = object["undoing"]?.bool else {
            return nil
        }
        for (list, isDone) in [(done, true), (pending, false)] {
            for element in list {
                guard let change = element.object.flatMap(ServerChange.init(json:)) else { return nil }
                if isDone { self.done.append(change) } else { self.pending.append(change) }
            }
        }
        isUndoing = undoing
    }

    private var json: JSONObject {
        var object = JSONObject()
        object["version"] = 1
        object["undoing"] = .bool(isUndoing)
        object["done"] = .array(done.map { .object($0.json) })
        object["pending"] = .array(pending.map { .object($0.json) })
        return object
    }
}

extension ServerChange {
    fileprivate var json: JSONObject {
        var object = JSONObject()
        object["path"] = .string(Text(path))
        switch self {
        case .folder(_, let mode): object["folder"] = .number(JSONNumber(Int64(mode)))
        case .counted(_, let size, let user, let group):
            object["zeros"] = .number(JSONNumber(Int64(size)))
            object["user"] = .number(JSONNumber(Int64(user)))
            object["group"] = .number(JSONNumber(Int64(group)))
        case .rename(_, let to, let digest):
            object["to"] = .string(Text(to))
            object["sha256"] = .string(Text(digest))
        case .file(let change):
            object["kind"] = .string(Text(change.kind.rawValue))
            object["before"] = change.before.map { .object($0.json) } ?? .null
            object["after"] = .object(change.after.json)
            object["lock"] = .bool(change.hadLock)
        }
        return object
    }

    fileprivate init?(json object: JSONObject) {
        guard let path = object["path"]?.string?.string, path.hasPrefix("/") else { return nil }
        if let mode = object["folder"]?.number?.integer {
            self = .folder(path: path, mode: UInt32(clamping: mode))
        } else if let size = object["zeros"]?.number?.integer, let user = object["user"]?.number?.integer,
            let group = object["group"]?.number?.integer
        {
            self = .counted(path: path, size: Int(clamping: size), user: UInt32(clamping: user), group: UInt32(clamping: group))
        } else if let to = object["to"]?.string?.string, let digest = object["sha256"]?.string?.string {
            self = .rename(path: path, to: to, digest: digest)
        } else if let kind = object["kind"]?.string.flatMap({ Kind(rawValue: $0.string) }),
            let after = object["after"]?.object.flatMap(FileState.init(json:)), let before = object["before"],
            let hadLock = object["lock"]?.bool
        {
            let state = before.object.flatMap(FileState.init(json:))
            guard state != nil || before == .null else { return nil }
            self = .file(FileChange(path: path, kind: kind, before: state, after: after, hadLock: hadLock))
        } else {
            return nil
        }
    }
}

extension FileState {
    fileprivate var json: JSONObject {
        var object = JSONObject()
        object["bytes"] = .string(Text(Base64.encode(bytes)))
        object["mode"] = .number(JSONNumber(Int64(mode)))
        object["user"] = .number(JSONNumber(Int64(user)))
        object["group"] = .number(JSONNumber(Int64(group)))
        return object
    }

    fileprivate init?(json object: JSONObject) {
        guard let text = object["bytes"]?.string, let bytes = Base64.decode(text.utf8), let mode = object["mode"]?.number?.integer,
            let user = object["user"]?.number?.integer, let group = object["group"]?.number?.integer
        else { return nil }
        self.init(
            bytes: bytes, mode: UInt32(clamping: mode), user: UInt32(clamping: user), group: UInt32(clamping: group))
    }
}
