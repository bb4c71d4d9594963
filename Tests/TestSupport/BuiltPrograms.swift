import Foundation

/// Where the programs lie that whole-program tests run: `OPK_PROGRAMS` (`make test` says .build/release, since what the optimiser makes of them is
/// what people get), else those that were built with the tests.
public enum BuiltPrograms {
    public static let folder: URL = {
        if let named = ProcessInfo.processInfo.environment["OPK_PROGRAMS"], !named.isEmpty {
            return URL(fileURLWithPath: named, relativeTo: SharedData.packageRoot).absoluteURL
        }
        let beside = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
        let isThere = FileManager.default.isExecutableFile(atPath: beside.appendingPathComponent("opk-verify").path)
        return isThere ? beside : SharedData.packageRoot.appendingPathComponent(".build/debug")
    }()

    public static func path(_ name: String) -> String { folder.appendingPathComponent(name).path }
}
