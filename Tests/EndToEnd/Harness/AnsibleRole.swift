import Foundation

/// The role in packaging/ansible, and the ansible-playbook that runs it.
enum AnsibleRole {
    static let whyNot: String? =
        Machine.path("ansible-playbook") == nil
        ? "ansible-playbook is not installed (Debian's ansible-core)" : Machine.programs == nil ? "the programs are not built" : nil

    private static let place = Machine.packageRoot.appendingPathComponent("packaging/ansible")
    static let example = place.appendingPathComponent("site.yml").path

    /// - Parameters:
    ///   - folder: where it keeps what is its own.
    ///   - variables: that outweigh all others.
    static func run(_ words: [String], in folder: URL, variables: [String: Any]) async throws -> Command.Outcome {
        let file = folder.appendingPathComponent("variables.json")
        try JSONSerialization.data(withJSONObject: variables).write(to: file)
        return try await Command.run(
            "ansible-playbook", ["-e", "@\(file.path)"] + words,
            environment: Command.environment(
                home: folder.path,
                adding: [
                    "TMPDIR": folder.appendingPathComponent("tmp").path, "ANSIBLE_LOCALHOST_WARNING": "false", "ANSIBLE_NOCOLOR": "1",
                    "ANSIBLE_PIPELINING": "true", "ANSIBLE_ROLES_PATH": place.appendingPathComponent("roles").path,
                    "ANSIBLE_LOCAL_TEMP": folder.appendingPathComponent("local").path,
                ]), deadline: 600)
    }

    /// A play of the role alone, with these variables.
    static func book(_ variables: [String: Any], in folder: URL) throws -> String {
        let book = folder.appendingPathComponent("book.json")
        let play: [String: Any] = ["hosts": "all", "gather_facts": false, "roles": [variables.merging(["role": "opk"]) { own, _ in own }]]
        try JSONSerialization.data(withJSONObject: [play]).write(to: book)
        return book.path
    }
}
