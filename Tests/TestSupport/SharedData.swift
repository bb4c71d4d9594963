import Foundation
import Testing

/// The published test data that lies beside the checkout, in `../shared`; nil where it is not there.
///
/// A suite that needs it says so: `@Suite(.enabled(if: SharedData.isThere, SharedData.absence))`.
public enum SharedData {
    /// The package's root folder.
    public static let packageRoot: URL =
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// `../shared`, or what OPK_SHARED names.
    public static let root: URL =
        ProcessInfo.processInfo.environment["OPK_SHARED"].map { URL(fileURLWithPath: $0) }
        ?? packageRoot.deletingLastPathComponent().appendingPathComponent("shared")

    public static let vectors: URL = root.appendingPathComponent("vectors")

    public static var isThere: Bool { FileManager.default.fileExists(atPath: vectors.path) }

    public static let absence: Testing.Comment = "the published test data (../shared/vectors) is not here"

    public static func bytes(_ path: String) throws -> [UInt8] {
        Array(try Data(contentsOf: vectors.appendingPathComponent(path)))
    }

    public static func files(_ folder: String, ending: String = "") throws -> [URL] {
        try FileManager.default.contentsOfDirectory(at: vectors.appendingPathComponent(folder), includingPropertiesForKeys: nil)
            .filter { $0.lastPathComponent.hasSuffix(ending) }
            .sorted { $0.path < $1.path }
    }

    /// A JSON file of the data as Foundation's objects: the reader under test is not trusted to read its own test data.
    public static func json(_ path: String) throws -> Any {
        try JSONSerialization.jsonObject(with: Data(try bytes(path)))
    }
}
