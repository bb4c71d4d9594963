// opk-fetch: talks to an identity provider and never decides. opk-verify decides and never talks.

import ChildProcess
import HTTP
import KeyCache
import OIDC
import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

enum ExitStatus {
    static let fetched: Int32 = 0
    static let failed: Int32 = 1
    static let wrongCall: Int32 = 2
}

/// Bytes of an access token.
let longestToken = 64 << 10

func fetchKeys(_ arguments: Arguments, unknownKeyID: Bool) -> Int32 {
    let fetcher = KeyFetcher(cache: KeyCache(directory: arguments.cacheFolder))
    do {
        let answer = try fetcher.keys(issuer: arguments.issuer, unknownKeyID: unknownKeyID)
        for warning in answer.warnings { say("warning: \(warning)") }
        return deliver(answer.keys.record)
    } catch {
        say("\(error)")
        return ExitStatus.failed
    }
}

func fetchUserinfo(_ arguments: Arguments) -> Int32 {
    guard var token = readStandardInput(limit: longestToken) else {
        say("the access token on standard input cannot be read, or is over \(longestToken) bytes")
        return ExitStatus.failed
    }
    if token.last == UInt8(ascii: "\n") { token.removeLast() }
    guard !token.isEmpty else {
        say("there is no access token on standard input")
        return ExitStatus.failed
    }
    do throws(OIDCError) {
        return deliver(
            try Userinfo.fetch(
                of: arguments.issuer, accessToken: Secret(token), cache: KeyCache(directory: arguments.cacheFolder), client: HTTPClient()))
    } catch {
        say("\(error)")
        return ExitStatus.failed
    }
}

func deliver(_ bytes: [UInt8]) -> Int32 {
    guard writeAll(bytes, to: STDOUT_FILENO) else {
        say("standard output cannot be written")
        return ExitStatus.failed
    }
    return ExitStatus.fetched
}

// A reader that has gone away is an error of write(2), with a sentence.
signal(SIGPIPE, SIG_IGN)

switch Arguments.read(ProcessArguments.texts) {
case .help: exit(deliver(Array(Arguments.help.utf8)))
case .version: exit(deliver(Array("opk-fetch \(Version.text)\n".utf8)))
case .wrong(let sentence):
    say("\(sentence) (opk-fetch --help)")
    exit(ExitStatus.wrongCall)
case .run(let arguments):
    guard Privileges.becomeOwner(of: arguments.cacheFolder) else {
        say("root cannot become the owner of \(Text(arguments.cacheFolder))")
        exit(ExitStatus.failed)
    }
    switch arguments.command {
    case .keys(let unknownKeyID): exit(fetchKeys(arguments, unknownKeyID: unknownKeyID))
    case .userinfo: exit(fetchUserinfo(arguments))
    }
}
