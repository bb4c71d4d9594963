import KeyCache
import Vocabulary

/// The command line, read by hand: this program starts on a login's path.
struct Arguments {
    enum Command {
        case keys(unknownKeyID: Bool)
        case userinfo
    }

    let command: Command
    let issuer: Text
    let cacheFolder: String

    enum Reading {
        case run(Arguments)
        case help
        case version
        /// One sentence.
        case wrong(String)
    }

    static func read(_ words: [String]) -> Reading {
        var rest = words[...]
        var cacheFolder = KeyCache.defaultDirectory
        var unknownKeyID = false
        var positional: [String] = []
        while let word = rest.popFirst() {
            switch word {
            case "--help", "-h": return .help
            case "--version": return .version
            case "--unknown-kid": unknownKeyID = true
            case "--cache-dir":
                guard let folder = rest.popFirst(), !folder.isEmpty else { return .wrong("--cache-dir needs a folder") }
                cacheFolder = folder
            case _ where word.hasPrefix("-"): return .wrong("\(Text(word)) is not an option")
            default: positional.append(word)
            }
        }
        guard positional.count == 2 else { return .wrong("a command and an issuer are needed") }
        let issuer = Text(positional[1])
        switch positional[0] {
        case "keys": return .run(Arguments(command: .keys(unknownKeyID: unknownKeyID), issuer: issuer, cacheFolder: cacheFolder))
        case "userinfo":
            guard !unknownKeyID else { return .wrong("--unknown-kid goes with keys only") }
            return .run(Arguments(command: .userinfo, issuer: issuer, cacheFolder: cacheFolder))
        default: return .wrong("\(Text(positional[0])) is not a command")
        }
    }

    static let help = """
        usage: opk-fetch [--cache-dir DIR] keys ISSUER [--unknown-kid]
               opk-fetch [--cache-dir DIR] userinfo ISSUER

        Does the network work for opk-verify.

          keys      fetches the issuer's discovery document and its keys, keeps them in the cache, and prints the
                    cache's record
          userinfo  reads an access token from standard input and prints what the issuer says about its holder

          --cache-dir DIR   where the keys are kept (default \(KeyCache.defaultDirectory))
          --unknown-kid     a token names a key that the cached keys lack: ask again, at most once in ten seconds
          --help            this text
          --version         print the version

        https only, but for localhost, 127.0.0.1 and [::1]; five seconds and one MiB at most; no redirect to another
        origin. SSL_CERT_FILE and SSL_CERT_DIR name other certificate authorities, https_proxy and no_proxy a proxy.
        Exit status: 0 fetched, 1 not (one line on standard error says why), 2 wrong call.

        """
}
