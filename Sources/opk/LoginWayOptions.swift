import ArgumentParser
import Login
import Vocabulary

/// How the person gets to the provider's login page and the answer gets back.
struct LoginWayOptions: ParsableArguments {
    @Option(
        name: .customLong("redirect-uri"),
        help: ArgumentHelp("Wait for the browser here, e.g. http://localhost:3000/cb; may be repeated.", valueName: "uri"))
    var redirectURI: [String] = []

    @Option(help: ArgumentHelp("How long to wait for the browser.", valueName: "time"))
    var timeout: String = "5m"

    @Flag(
        name: [.customLong("no-browser"), .customLong("disable-browser-open")],
        help: "Only print the address; open no browser.")
    var noBrowser = false

    func apply(to options: inout LoginOptions) throws(LoginError) {
        if !redirectURI.isEmpty {
            options.provider.redirectURIs = try redirectURI.map { text throws(LoginError) in try RedirectURI(text) }
        }
        options.patience = try LoginOptions.patience(timeout)
        options.opensBrowser = !noBrowser
    }
}
