import Foundation
import Testing

/// opk's Debian packages, as scripts/package makes them of the programs that are tested, and later versions of them.
struct Packages {
    /// The version of the programs.
    static let version: String = {
        let source = try? String(
            contentsOf: Machine.packageRoot.appendingPathComponent("Sources/Vocabulary/Version.swift"), encoding: .utf8)
        return source?.split(separator: "\"").dropFirst().first.map(String.init) ?? ""
    }()

    private static let whyNot: String? = {
        if Machine.programs == nil { return "the programs are not built (make build; OPK_BIN_DIR names another folder)" }
        for program in ["bash", "dpkg", "dpkg-deb", "dpkg-shlibdeps", "strip", "xz", "find", "md5sum"] where Machine.path(program) == nil {
            return "\(program) is not installed (.ci/install-packages test)"
        }
        return nil
    }()

    static let canBuild = whyNot == nil
    static let cannotBuild: Comment = "packages: \(whyNot ?? "")"

    /// - Parameter kind: `deb` or `tarball`.
    /// - Returns: what was made, the client before the server.
    static func build(_ kind: String = "deb", into folder: URL, adding variables: [String: String] = [:]) async throws -> [URL] {
        guard let programs = Machine.programs else { throw HarnessError("no programs") }
        let environment = Command.environment(
            adding: ["OPK_BUILD": programs.path, "OPK_PACKAGE_LEVEL": "0"].merging(variables) { _, new in new })
        let made = try await Command.mustRun(
            Machine.packageRoot.appendingPathComponent("scripts/package").path, [kind, folder.path], environment: environment, deadline: 300
        )
        return made.split(separator: "\n").map { URL(fileURLWithPath: String($0)) }
    }

    /// The same packages as another version, in which the drop-in and config.yml have one line more; not compressed.
    ///
    /// - Parameter version: comes after the one that they have.
    static func later(_ version: String, of packages: [URL], into folder: URL) async throws -> [URL] {
        let script = """
            set -e
            later=$1 version=$2 folder=$3
            shift 3
            for package; do
                rm -rf "$folder/tree"
                dpkg-deb -R "$package" "$folder/tree"
                sed -i "s/$version-1/$later-1/" "$folder/tree/DEBIAN/control"
                for file in 60-opk.conf policy/config.yml; do
                    [ ! -e "$folder/tree/usr/share/opk/$file" ] || echo "# of version $later" >> "$folder/tree/usr/share/opk/$file"
                done
                dpkg-deb --root-owner-group -Znone --build "$folder/tree" "$folder" >&2
                echo "$folder/$(dpkg-deb -f "$package" Package)_$later-1_$(dpkg --print-architecture).deb"
            done
            rm -rf "$folder/tree"
            """
        let made = try await Command.mustRun(
            "bash", ["-c", script, "bash", version, Packages.version, folder.path] + packages.map(\.path), deadline: 60)
        return made.split(separator: "\n").map { URL(fileURLWithPath: String($0)) }
    }
}
