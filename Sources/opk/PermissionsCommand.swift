import ArgumentParser
import Audit
import Display
import FetchSetup
import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

struct PermissionsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "permissions",
        abstract: "Check and mend whose a server's files are, and who may change them.",
        subcommands: [PermissionsCheckCommand.self, PermissionsFixCommand.self, PermissionsInstallCommand.self])
}

/// Where the files lie of which `opk permissions` and `opk audit` speak.
struct InstallationFolders: ParsableArguments {
    @Option(help: ArgumentHelp("Where the policy lies.", valueName: "folder"), completion: .directory)
    var configDir: String = FetchSettings.defaultFolder

    @Option(help: ArgumentHelp("The folder above bin and libexec, where opk is installed.", valueName: "folder"), completion: .directory)
    var prefix: String?

    @Flag(help: "Only the files in the policy's folder, and nothing else of this machine.")
    var policyOnly = false

    func places() throws -> AuditPlaces {
        for folder in [configDir, prefix ?? "/"] where !folder.hasPrefix("/") || folder.utf8.contains(0) {
            throw ValidationError("this is not the absolute path of a folder: \(Text(folder).escaped(limit: 80))")
        }
        var places = AuditPlaces(prefix: prefix ?? Installation.prefix)
        // With a slash at its end it is the same folder.
        places.configFolder = String(configDir.prefix(1)) + configDir.dropFirst().split(separator: "/").joined(separator: "/")
        places.looksAtMachine = !policyOnly
        return places
    }
}

struct PermissionsCheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "What is off; nothing where nothing is. Changes nothing.",
        usage: "opk permissions check [<options>]",
        discussion: "Exit status: 0 nothing is off, 1 something is, 64 wrong call.")

    @Flag(name: [.short, .long], help: "For scripts.")
    var json = false

    @OptionGroup var folders: InstallationFolders

    func run() throws {
        let check = PermissionCheck(try folders.places())
        try Terminal.print(json ? [check.json.pretty()] : check.lines)
        if !check.faults.isEmpty {
            if !json { Terminal.note("opk: error: \(check.faults.count) of \(check.items.count) are off (sudo opk permissions fix)") }
            throw ExitCode.failure
        }
    }
}

struct PermissionsFixCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fix", abstract: "Give what is off the owner and mode that the installation gives.",
        usage: "opk permissions fix [<options>]",
        discussion:
            "Links, and files that have a second name, are not touched. Exit status: 0 nothing is off any more, 1 something is, 64 wrong call."
    )

    @Flag(help: "Say what would be done, and do nothing.")
    var dryRun = false

    @Flag(name: [.short, .long], help: "Do not ask first.")
    var yes = false

    @Flag(name: [.short, .long], help: "Also say what is right.")
    var verbose = false

    @Flag(name: [.short, .long], help: "For scripts; asks nothing, so it wants --yes or --dry-run.")
    var json = false

    @OptionGroup var folders: InstallationFolders

    func validate() throws {
        if json && !yes && !dryRun { throw ValidationError("--json wants --yes or --dry-run: there is nobody to ask") }
    }

    func run() throws { try PermissionsFixCommand.fix(try folders.places(), dryRun: dryRun, yes: yes, verbose: verbose, json: json) }

    static func fix(_ places: AuditPlaces, dryRun: Bool, yes: Bool, verbose: Bool, json: Bool) throws {
        let check = PermissionCheck(places)
        let fix = PermissionFix(check)
        if verbose && !json {
            try Terminal.print(check.items.filter { $0.fault == nil }.map { "right: \(Text($0.expected.path).escaped)" })
        }
        if dryRun {
            if json {
                try Terminal.print([fix.json(changed: [], errors: [], isDryRun: true).pretty()])
            } else {
                try Terminal.print(
                    fix.steps.map { "Action: " + Text($0.command).escapedOnce(limit: .max) } + fix.refusedLines + ["dry-run complete"])
            }
            return
        }
        if !fix.steps.isEmpty {
            guard geteuid() == 0 || !places.isSystemFolder else {
                Terminal.note("opk: error: only root can change these files\nopk: hint: sudo opk permissions fix")
                throw ExitCode.failure
            }
            if !yes { try ask(fix) }
        }
        var (changed, errors): ([PermissionFix.Step], [String]) = ([], [])
        for step in fix.steps {
            if let why = fix.apply(step) {
                errors.append("\(Text(step.expected.path).escaped): \(why)")
            } else {
                changed.append(step)
                if !json { try Terminal.print(["done: " + Text(step.command).escapedOnce(limit: .max)]) }
            }
        }
        if json {
            try Terminal.print([fix.json(changed: changed, errors: errors, isDryRun: false).pretty()])
        } else {
            for line in errors + fix.refusedLines { Terminal.note("opk: error: " + line) }
            if errors.isEmpty && fix.refused.isEmpty {
                try Terminal.print([changed.isEmpty ? "nothing is off" : "fix completed successfully"])
            }
        }
        if !errors.isEmpty || !fix.refused.isEmpty { throw ExitCode.failure }
    }

    private static func ask(_ fix: PermissionFix) throws {
        try Terminal.print(["Planned actions:"] + fix.steps.map { "  - " + Text($0.command).escapedOnce(limit: .max) })
        Terminal.note("Apply these changes? [y/N]")
        let answer = readLine()?.lowercased()
        guard answer == "y" || answer == "yes" else {
            Terminal.note("opk: error: nothing was changed")
            throw ExitCode.failure
        }
    }
}

struct PermissionsInstallCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "install", abstract: "The same without asking, for installers.",
        usage: "opk permissions install [<options>]")

    @Flag(help: "Say what would be done, and do nothing.")
    var dryRun = false

    @Flag(name: [.short, .long], help: "Also say what is right.")
    var verbose = false

    @OptionGroup var folders: InstallationFolders

    func run() throws {
        try PermissionsFixCommand.fix(try folders.places(), dryRun: dryRun, yes: true, verbose: verbose, json: false)
    }
}

extension Terminal {
    /// All lines, or the command has failed.
    static func print(_ lines: [String]) throws {
        guard failure(writing: Array(lines.map { $0 + "\n" }.joined().utf8)) == nil else { throw ExitCode.failure }
    }
}
