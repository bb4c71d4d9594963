import ChildProcess
import SafeFiles
import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A file of policy edited as visudo edits: a copy, looked over by the verifier's own readers, and installed whole unless the file itself was changed
/// meanwhile. No lock is held while a person thinks.
public struct PolicyEdit: Sendable {
    public enum Answer: Sendable {
        case again
        /// Leave the file as it is.
        case exit
        case saveAnyway
        /// There is nobody to ask.
        case none
    }

    public enum Outcome: Sendable, Equatable {
        case installed
        case unchanged
        case abandoned
    }

    public let file: EditableFile
    public let path: String
    private let place: PolicyPlace
    private let target: PolicyFile
    private let editor: Editor

    /// - Parameter environment: for VISUAL, EDITOR and PATH.
    public init(_ file: EditableFile, in place: PolicyPlace) throws(PolicyError) {
        self.file = file
        self.place = place
        target = try file.file(in: place)
        path = target.path
        editor = try Editor.chosen(.inherited(), asRoot: geteuid() == 0)
    }

    /// - Parameter ask: what is to be done about a text with these faults.
    public func run(ask: ([String]) -> Answer) throws(PolicyError) -> Outcome {
        let original = try target.read()
        let workspace = try Workspace(named: file.rawValue, holding: original)
        while true {
            do { try editor.edit(workspace.copy) } catch {
                // What somebody wrote is not thrown away because their editor fell over.
                if (try? workspace.text()) != original { throw .notInstalled(error.description, copy: workspace.copy) }
                workspace.remove()
                throw error
            }
            let text = try workspace.text()
            if text == original {
                workspace.remove()
                return .unchanged
            }
            let faults = text.isEmpty ? ["it is empty, and was not"] : file.faults(text, in: place)
            switch faults.isEmpty ? Answer.saveAnyway : ask(faults) {
            case .again: continue
            case .exit:
                workspace.remove()
                return .abandoned
            case .none: throw .broken(copy: workspace.copy)
            case .saveAnyway:
                try install(text, over: original, workspace)
                workspace.remove()
                return .installed
            }
        }
    }

    private func install(_ text: [UInt8], over original: [UInt8], _ workspace: Workspace) throws(PolicyError) {
        do throws(PolicyError) {
            try target.change(as: "edit") { current throws(PolicyError) in
                guard current == original else { throw .editedMeanwhile(file: path, copy: workspace.copy) }
                return (text, ())
            }
        } catch {
            if case .editedMeanwhile = error { throw error }
            throw .notInstalled(error.description, copy: workspace.copy)
        }
    }
}

/// A private folder with the copy in it; editors put their own files beside that.
private struct Workspace {
    let folder: String
    let copy: String

    init(named name: String, holding text: [UInt8]) throws(PolicyError) {
        // /var/tmp is kept when the machine starts anew.
        for place in ["/var/tmp", "/tmp"] {
            var template = Array((place + "/opk-edit-XXXXXX").utf8CString)
            // mkdtemp changes the six letters in place, and makes the folder 0700.
            guard unsafe mkdtemp(&template) != nil else { continue }
            folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
            copy = folder + "/" + name
            do { try AtomicFile.write(text, to: copy, mode: 0o600) } catch { throw .writing(error) }
            return
        }
        throw .writing(WriteFailure(path: "/var/tmp", errno: errno))
    }

    func text() throws(PolicyError) -> [UInt8] {
        do { return try BoundedInput.read(copy, limit: SafeFile.largest) } catch { throw .input(error) }
    }

    /// With what an editor left there; anything else that is in it keeps it.
    func remove() {
        for name in (try? Folder.names(in: folder, atMost: 100)) ?? [] { unsafe unlink(folder + "/" + name) }
        unsafe rmdir(folder)
    }
}
