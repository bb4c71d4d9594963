import JOSE
import Policy
import SSHKeys
import Vocabulary

/// Reads the bytes as config.yml. What is accepted is written as JSON, which is YAML too, and must come out the same.
@Sendable func config(_ bytes: [UInt8]) {
    let config: ServerConfig
    do {
        config = try ServerConfig(parsing: bytes)
    } catch {
        must(!"\(error)".utf8.contains { $0 < 0x20 || $0 == 0x7F }, "a control character in a message")
        return
    }
    for name in config.denyUsers { must(Principal(name) != nil, "an account that is none") }
    for address in config.denyEmails { must(address.contains(UInt8(ascii: "@")) && address.count >= 3, "an address that is none") }
    for variable in config.environment {
        must(!variable.name.isEmpty && !variable.name.contains(UInt8(ascii: "=")), "a variable without a proper name")
        must(!variable.name.contains(0) && !variable.value.contains(0), "a NUL in the environment")
        must(!variable.name.hasPrefix("LD_"), "a variable that the linker reads")
    }
    if isUnwritable(config) { return }
    must(Set(config.environment.map(\.name)).count == config.environment.count, "a variable twice")
    var environment = JSONObject()
    for variable in config.environment { environment[variable.name] = .string(variable.value) }
    let json: JSON = [
        "deny_users": .array(config.denyUsers.map(JSON.string)), "deny_emails": .array(config.denyEmails.map(JSON.string)),
        "env_vars": .object(environment),
    ]
    guard let again = try? ServerConfig(parsing: json.serialized) else {
        must(false, "what was read cannot be written")
        return
    }
    must(again.denyUsers == config.denyUsers && again.denyEmails == config.denyEmails, "a deny list that is read differently")
    must(Set(again.environment) == Set(config.environment), "an environment that is read differently")
}

/// Characters that YAML does not take between quotes as JSON writes them: DEL, the C1 controls (U+0085 is a line break), and what is no
/// character.
private func isUnwritable(_ config: ServerConfig) -> Bool {
    let texts = config.denyEmails + config.environment.flatMap { [$0.name, $0.value] }
    return texts.contains { text in
        text.string.unicodeScalars.contains { (0x7F...0x9F).contains($0.value) || $0.value == 0xFEFF || $0.value & 0xFFFE == 0xFFFE }
    }
}
