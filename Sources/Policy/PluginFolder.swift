public import SafeFiles
import Vocabulary

/// A file of policy.d that is not used, and why. The others are not touched by it.
public struct PluginProblem: Hashable, Sendable, CustomStringConvertible {
    /// The file's name in policy.d; empty where the folder itself cannot be read.
    public let file: String
    /// One sentence for the administrator; what was quoted from the file is escaped.
    public let text: String

    public var description: String { file.isEmpty ? text : "plugin \(Text(file).escaped(limit: 128)) is not used: \(text)" }
}

/// policy.d: the plugins that are asked where nothing else admits, in the order of their files' names by bytes, as opkssh's.
///
/// A plugin can only add, so a file that is bad or unsafe costs its own plugin and nothing else.
public struct PluginFolder: Hashable, Sendable {
    public private(set) var plugins: [Plugin] = []
    public private(set) var problems: [PluginProblem] = []

    /// No file of a plugin at all.
    public var isEmpty: Bool { plugins.isEmpty && problems.isEmpty }

    /// Files beyond the first so many are not used.
    static let maximumFiles = 32
    /// 16 KiB: a name and a command.
    static let largestFile = 16 << 10
    /// Names of any kind in the folder.
    static let maximumNames = 1024

    /// What holds where there is no such folder.
    public init() {}

    public static func read(_ path: String, trust: FileTrust) -> PluginFolder {
        var folder = PluginFolder()
        let names: [String]
        do {
            names = try Folder.names(in: path, atMost: maximumNames) ?? []
        } catch {
            folder.problems.append(PluginProblem(file: "", text: "no plugin is used: \(error)"))
            return folder
        }
        // Which of them were listed is chance.
        if names.count == maximumNames {
            let name = Text(path).escaped(limit: 256)
            folder.problems.append(PluginProblem(file: "", text: "no plugin is used: \(name) has \(maximumNames) files or more"))
            return folder
        }
        var count = 0
        for name in names where name.utf8.count > 4 && name.utf8.suffix(4).elementsEqual(".yml".utf8) {
            count += 1
            guard count <= maximumFiles else {
                folder.problems.append(PluginProblem(file: name, text: "it and those behind it are beyond the first \(maximumFiles)"))
                break
            }
            folder.add(name, in: path, trust)
        }
        return folder
    }

    private mutating func add(_ name: String, in path: String, _ trust: FileTrust) {
        let bytes: [UInt8]?
        do {
            bytes = try SafeFile.read(path + "/" + name, trust: trust, limit: PluginFolder.largestFile)
        } catch {
            problems.append(PluginProblem(file: name, text: "\(error)"))
            return
        }
        // Gone since it was listed.
        guard let bytes else { return }
        do {
            plugins.append(try Plugin(file: name, parsing: bytes))
        } catch {
            problems.append(PluginProblem(file: name, text: "\(error)"))
        }
    }
}
