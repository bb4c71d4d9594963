import FetchSetup
import KeyCache
import Vocabulary

/// The command line, read by hand: this program starts on a login's path.
struct Arguments {
    enum Command {
        /// One request from standard input: opk-verify's way.
        case serve
        case keys(Text)
        case userinfo(Text)
    }

    let command: Command
    let cacheFolder: String
    let configFolder: String

    enum Reading {
        case run(Arguments)
        case help
        case version
        /// One sentence.
        case wrong(String)
    }

    static func read(_ words: [String]) -> Reading {
        var rest = words[...]
        var folders = ["--cache-dir": KeyCache.defaultDirectory, "--config-dir": FetchSettings.defaultFolder]
        var positional: [String] = []
        while let word = rest.popFirst() {
            switch word {
            case "--help", "-h": return .help
            case "--version": return .version
            case "--cache-dir", "--config-dir":
                guard let folder = rest.popFirst(), !folder.isEmpty else { return .wrong("\(word) needs a folder") }
                folders[word] = folder
            case _ where word.hasPrefix("-"): return .wrong("\(Text(word)) is not an option")
            default: positional.append(word)
            }
        }
        let command: Command
        switch (positional.first, positional.count) {
        case ("serve", 1): command = .serve
        case ("keys", 2): command = .keys(Text(positional[1]))
        case ("userinfo", 2): command = .userinfo(Text(positional[1]))
        case ("serve"?, _), ("keys"?, _), ("userinfo"?, _), (nil, _): return .wrong("a command and an issuer are needed (or serve alone)")
        default: return .wrong("\(Text(positional[0])) is not a command")
        }
        return .run(
            Arguments(
                command: command, cacheFolder: folders["--cache-dir"] ?? "", configFolder: folders["--config-dir"] ?? ""))
    }

    static let help = """
        usage: opk-fetch [--config-dir DIR] [--cache-dir DIR] keys ISSUER
               opk-fetch [--config-dir DIR] [--cache-dir DIR] userinfo ISSUER
               opk-fetch [--config-dir DIR] [--cache-dir DIR] serve

        Does the network work for opk-verify.

          keys      fetches the issuer's discovery document and its keys, keeps them in the cache, and prints the
                    cache's record
          userinfo  reads an access token from standard input and prints what the issuer says about its holder
          serve     reads one request of opk-verify's from standard input and answers it; only issuers that a row of
                    providers names are asked

          --config-dir DIR  where providers and config.yml lie (default \(FetchSettings.defaultFolder)): timeouts, authorities
                            and env_vars are theirs
          --cache-dir DIR   where the keys are kept (default \(KeyCache.defaultDirectory))
          --help            this text
          --version         print the version

        https only, but for localhost, 127.0.0.1 and [::1]; five seconds (timeout) and one MiB at most; no redirect to
        another origin. SSL_CERT_FILE and SSL_CERT_DIR name other certificate authorities, https_proxy and no_proxy a
        proxy; env_vars of config.yml may set them.
        Exit status: 0 fetched, 1 not (one line on standard error says why), 2 wrong call.

        """
}
