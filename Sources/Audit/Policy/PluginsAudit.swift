import Policy
import SafeFiles
import Vocabulary

extension Auditor {
    mutating func auditPlugins() {
        let folder = PluginFolder.read(places.pluginFolder, trust: trust)
        for problem in folder.problems {
            let file = problem.file.isEmpty ? places.pluginFolder : places.pluginFolder + "/" + problem.file
            found.add(.pluginBad, file, problem.text + ": it admits nobody")
        }
        var names: [Text: String] = [:]
        for plugin in folder.plugins {
            let file = places.pluginFolder + "/" + plugin.file
            lookAround(file)
            if let other = names[plugin.name] {
                found.add(.pluginName, file, "\(Text(other)) has the name \(plugin.name) as well, so the log does not tell them apart")
            } else {
                names[plugin.name] = plugin.file
            }
            if let program = plugin.words.first?.string { audit(program: program, of: file) }
        }
    }

    /// What opk-verify itself asks of a program that it runs, and whether the verifier's user may run it.
    private mutating func audit(program path: String, of file: String) {
        do throws(UntrustedProgram) { try TrustedProgram.check(path, trust: trust) } catch {
            found.add(
                .pluginProgram, file, "its program is not run, so it admits nobody: \(error)",
                remedy: "chown root \(shellWord(path)); chmod 0755 \(shellWord(path))")
            return
        }
        guard places.looksAtMachine, let verifier = verifierAccount, let facts = FileFacts(path), facts.rights(of: verifier) & 1 == 0 else {
            return
        }
        found.add(
            .pluginProgram, file, "\(Text(verifier.name)) may not run its program \(Text(path))", remedy: "chmod a+rx \(shellWord(path))")
    }
}
