import Policy
import Vocabulary

/// Reads the bytes as a file of policy.d, as what a plugin is asked, and as what the plugins answered.
@Sendable func plugin(_ bytes: [UInt8]) {
    do {
        let plugin = try Plugin(file: "fuzz.yml", parsing: bytes)
        must(plugin.words.first?.hasPrefix("/") == true && plugin.words.count <= 64, "a command without an absolute path")
        must(!plugin.words.contains { $0.contains(0) }, "a NUL in a word")
        must((1...6).contains(plugin.timeout.seconds), "a timeout out of range")
        do {
            let again = try Plugin(file: "fuzz.yml", parsing: plugin.configuration)
            must(again == plugin, "a file that is read differently once it is written")
        } catch {
            must(false, "a file that cannot be read once it is written: \(error)")
        }
    } catch {
        must(!error.text.utf8.contains { $0 < 0x20 }, "a control character in a message")
    }
    if let question = PluginQuestion(parsing: bytes) { must(question.encoded == bytes, "a question with two forms") }
    if let answer = PluginAnswer(parsing: bytes) { must(answer.encoded == bytes, "an answer with two forms") }
}
