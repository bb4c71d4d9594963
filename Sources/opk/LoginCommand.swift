import ArgumentParser
import Display
import Identities
import Login
import PKToken
import SSHKeys
import SafeFiles
import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

struct LoginCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "login",
        abstract: "Log in in the browser and get a key that ssh uses by itself.",
        discussion: """
            Without -i the key is written to ~/.ssh/id_ecdsa (or id_ed25519) if that name is free or was made by opk or opkssh, else \
            to id_ecdsa_sk (id_ed25519_sk). A key of somebody else's is never overwritten.

            EXAMPLES
              opk login google
              opk login --provider https://idp.example.com,opk
              opk login gitlab -t ed25519 -i ~/.ssh/work --valid-for 8h
              opk login microsoft --no-browser
            """)

    @OptionGroup(title: "Provider")
    var provider: LoginProviderOptions

    @OptionGroup(title: "Way")
    var way: LoginWayOptions

    @OptionGroup(title: "Key")
    var key: LoginKeyOptions

    @OptionGroup(title: "Refresh")
    var refresh: LoginRefreshOptions

    func run() throws {
        try reportingErrors { () throws(LoginError) in
            try key.check()
            try refresh.check(printsKey: key.printKey)
            let options = try options()
            let place = try place(options.keyKind)
            let flow = LoginFlow(options, browser: Browser(), tell: tell)
            let result = try flow.run { result throws(LoginError) in
                guard let place else { return }
                if let name = options.provider.name { refresh.forgetEarlier(name, home: try KeyPlace.home()) }
                try result.key.write(to: place)
                try remember(result, place, options)
            }
            try show(result, place)
            if place != nil, let name = options.provider.name {
                try refresh.finish(result, as: name, of: options.provider, home: try KeyPlace.home())
            }
            return true
        }
    }

    private func options() throws(LoginError) -> LoginOptions {
        var options = LoginOptions(provider: try provider.chosen())
        try way.apply(to: &options)
        try key.apply(to: &options)
        try refresh.apply(
            to: &options, hasChosenEnd: key.validFor != nil || options.provider.lifetime != nil, home: try KeyPlace.home())
        return options
    }

    private static var workingFolder: String {
        guard let path = unsafe getcwd(nil, 0) else { return "" }
        defer { unsafe free(path) }
        return unsafe String(cString: path)
    }

    private func remember(_ result: LoginResult, _ place: KeyPlace, _ options: LoginOptions) throws(LoginError) {
        guard let name = options.provider.name else { return }
        let path = place.privateKey.utf8.first == UInt8(ascii: "/") ? place.privateKey : LoginCommand.workingFolder + "/" + place.privateKey
        let record = StoredIdentity(
            name: name, issuer: options.provider.issuer, clientID: options.provider.clientID, subject: result.identity.subject,
            email: result.identity.email, loggedInAt: .now(), ends: result.ends, store: .file, keyFile: path,
            publicKey: result.identity.certificate.key.sshBlob, hosts: options.provider.hosts)
        let home = try KeyPlace.home()
        do throws(WriteFailure) {
            try IdentityFolder(below: home + "/.opk").write(record)
        } catch {
            throw .writing(error)
        }
    }

    /// Decided before anybody logs in: a person should not do so in vain.
    private func place(_ kind: KeyKind) throws(LoginError) -> KeyPlace? {
        if key.printKey { return nil }
        if let file = key.file { return try KeyPlace.named(file) }
        return try KeyPlace.usual(for: kind, home: try KeyPlace.home())
    }

    private func tell(_ notice: LoginFlow.Notice) {
        switch notice {
        case .open(let url, let opened):
            Terminal.note(
                opened
                    ? "A browser was opened. If it does not show the login page, open this address:"
                    : "Open this address in a browser on this machine:")
            Terminal.note(url)
        case .waiting(let address, let seconds):
            Terminal.note("Waiting at \(address) for \(RelativeTime.span(seconds)) (Ctrl-C ends it) …")
        }
    }

    private func show(_ result: LoginResult, _ place: KeyPlace?) throws(LoginError) {
        if key.printKey {
            try Terminal.write(result.key.certificateFile)
            try Terminal.write(try result.key.privateKeyFile())
        }
        if key.printIdToken { try Terminal.print(result.claims.pretty()) }
        for line in Summary(result, place: place, isUsualPlace: key.file == nil && KeyPlace.isHomeOfSSH).lines(now: .now()) {
            // What a script reads on standard output stays clean.
            if key.printKey || key.printIdToken { Terminal.note(line) } else { try Terminal.print(line) }
        }
    }
}
