import ArgumentParser
import Login
import Vocabulary

/// How the person gets to the provider's login page and the answer gets back.
struct LoginWayOptions: ParsableArguments {
    @Flag(help: "Log in on another device, by code and QR code.")
    var device = false

    @Flag(help: "Browser elsewhere: paste its last address here.")
    var remote = false

    @Flag(inversion: .prefixedNo, help: "A QR code for --remote; with --device there is one.")
    var qr: Bool?

    @Option(
        name: .customLong("remote-redirect-uri"),
        help: ArgumentHelp("With --remote: send the browser to this https page.", valueName: "uri", visibility: .hidden))
    var remoteRedirectURI: String?

    @Option(
        name: .customLong("redirect-uri"),
        help: ArgumentHelp("Wait at this http://localhost:PORT/PATH; repeatable.", valueName: "uri", visibility: .hidden))
    var redirectURI: [String] = []

    @Option(help: ArgumentHelp("How long to wait; 5m.", valueName: "time"))
    var timeout: String?

    @Flag(
        name: [.customLong("no-browser"), .customLong("disable-browser-open")],
        help: "Only print the address; open no browser.")
    var noBrowser = false

    /// - Parameter goesElsewhere: whether it is `--remote` without being said.
    func apply(to options: inout LoginOptions, goesElsewhere: Bool) throws(LoginError) {
        if device, remote || remoteRedirectURI != nil { throw .notTogether("--device", remote ? "--remote" : "--remote-redirect-uri") }
        if device, !redirectURI.isEmpty { throw .notTogether("--device", "--redirect-uri") }
        options.way = device ? .device : isRemote || goesElsewhere ? .remote : .browser
        // The answer comes back to this machine alone: a telephone's browser would end nowhere.
        if qr == true, options.way == .browser { throw .without("--qr", "--device or --remote") }
        if let uri = remoteRedirectURI ?? (options.way == .remote ? options.provider.remoteRedirectURI : nil) {
            try options.provider.setRemoteRedirectURI(uri)
        }
        if !redirectURI.isEmpty {
            options.provider.redirectURIs = try redirectURI.map { text throws(LoginError) in try RedirectURI(text) }
        }
        if let timeout {
            options.patience = try LoginOptions.patience(timeout)
            options.devicePatience = options.patience
        }
        options.opensBrowser = !noBrowser
    }

    private var isRemote: Bool { remote || remoteRedirectURI != nil }

    /// Whether `--remote` is meant, though nobody said so, where a person can paste: no way was named, and the browser is most likely on another
    /// machine. The port is listened at all the same, so that nothing is lost where the browser is here after all.
    func seemsElsewhere(_ browser: Browser = Browser()) -> Bool { !device && !isRemote && !noBrowser && browser.isElsewhere }

    /// Whether the login goes on in a browser that this program opens; else a page of ours there would be a dead end.
    var opensBrowserHere: Bool { !noBrowser && !device && !isRemote && !seemsElsewhere() }

    /// Whether a QR code is wanted of the address that a person opens.
    var qrCode: TerminalQRCode.Wish {
        switch qr {
        case true?: .always
        case false?: .none
        case nil: device ? .whereItFits : .none
        }
    }
}
