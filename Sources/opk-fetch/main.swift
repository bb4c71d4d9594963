// opk-fetch: talks to an identity provider and never decides. opk-verify decides and never talks.

import ChildProcess
import FetchSetup
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

/// What can be asked of this program, whoever asks.
struct Fetching {
    let cache: KeyCache
    let settings: FetchSettings

    func answer(_ request: FetchRequest) -> FetchAnswer {
        if request.kind == .userinfo { return userinfo(request) }
        let purposes: [FetchRequest.Kind: KeyFetcher.Purpose] = [.unknownKeyID: .unknownKeyID, .refresh: .refresh]
        do {
            let answer = try KeyFetcher(cache: cache, client: settings.client(for: request.issuer))
                .keys(issuer: request.issuer, purposes[request.kind] ?? .missing)
            return .fetched(answer.keys.record, warnings: answer.warnings)
        } catch {
            return .failed("\(error)")
        }
    }

    private func userinfo(_ request: FetchRequest) -> FetchAnswer {
        do throws(OIDCError) {
            let body = try Userinfo.fetch(
                of: request.issuer, accessToken: request.accessToken, cache: cache, client: settings.client(for: request.issuer))
            return .fetched(body, warnings: [])
        } catch {
            return .failed("\(error)")
        }
    }
}

func readToken() -> [UInt8]? {
    guard var token = readStandardInput(limit: FetchRequest.maximumSize) else {
        say("standard input cannot be read, or is over \(FetchRequest.maximumSize) bytes")
        return nil
    }
    if token.last == UInt8(ascii: "\n") { token.removeLast() }
    if token.isEmpty { say("there is no access token on standard input") }
    return token.isEmpty ? nil : token
}

/// For a person, or a script: what was fetched on standard output, everything else on standard error.
func show(_ answer: FetchAnswer) -> Int32 {
    switch answer {
    case .fetched(let content, let warnings):
        for warning in warnings { say("warning: \(warning)") }
        return deliver(content) ? ExitStatus.fetched : ExitStatus.failed
    case .failed(let sentence):
        say(sentence)
        return ExitStatus.failed
    }
}

/// For opk-verify: one answer to one request, both on the standard streams.
func serve(_ fetching: Fetching) -> Int32 {
    // Whoever asks may have left the alarm ignored or blocked, and must not keep a process of another user for ever.
    signal(SIGALRM, SIG_DFL)
    var alarmSignal = sigset_t()
    unsafe sigemptyset(&alarmSignal)
    unsafe sigaddset(&alarmSignal, SIGALRM)
    unsafe sigprocmask(SIG_UNBLOCK, &alarmSignal, nil)
    // Twice as long as the longest fetch: whoever asks and never finishes the question, or whatever else holds this process, ends with it.
    alarm(60)
    let answer: FetchAnswer
    if let request = readStandardInput(limit: FetchRequest.maximumSize).flatMap(FetchRequest.init(parsing:)) {
        // Whoever may ask for anything could have us look around in the network.
        answer =
            fetching.settings.isTrusted(request.issuer)
            ? fetching.answer(request) : .failed("no row of providers names the issuer \(request.issuer.escaped(limit: 256))")
    } else {
        answer = .failed("opk-fetch does not understand what it was asked: are opk-verify and opk-fetch of the same version?")
    }
    guard deliver(answer.text), case .fetched = answer else { return ExitStatus.failed }
    return ExitStatus.fetched
}

func run(_ arguments: Arguments) -> Int32 {
    let settings: FetchSettings
    do {
        settings = try FetchSettings(folder: arguments.configFolder)
    } catch {
        if case .serve = arguments.command { _ = deliver(FetchAnswer.failed(error.sentence).text) }
        say(error.sentence)
        return ExitStatus.failed
    }
    // After the configuration was read, which that one may not be able to.
    guard CacheOwner.become(of: arguments.cacheFolder) else {
        say("root cannot become the owner of \(Text(arguments.cacheFolder))")
        return ExitStatus.failed
    }
    settings.setEnvironment()
    let fetching = Fetching(cache: KeyCache(directory: arguments.cacheFolder), settings: settings)
    switch arguments.command {
    case .serve: return serve(fetching)
    case .keys(let issuer): return show(fetching.answer(FetchRequest(.keys, of: issuer)))
    case .userinfo(let issuer):
        guard let token = readToken() else { return ExitStatus.failed }
        return show(fetching.answer(FetchRequest(.userinfo, of: issuer, accessToken: Secret(token))))
    }
}

func deliver(_ bytes: [UInt8]) -> Bool {
    guard writeAll(bytes, to: STDOUT_FILENO) else {
        say("standard output cannot be written")
        return false
    }
    return true
}

// A reader that has gone away is an error of write(2), with a sentence.
signal(SIGPIPE, SIG_IGN)

switch Arguments.read(ProcessArguments.texts) {
case .help: exit(deliver(Array(Arguments.help.utf8)) ? ExitStatus.fetched : ExitStatus.failed)
case .version: exit(deliver(Array("opk-fetch \(Version.text)\n".utf8)) ? ExitStatus.fetched : ExitStatus.failed)
case .wrong(let sentence):
    say("\(sentence) (opk-fetch --help)")
    exit(ExitStatus.wrongCall)
case .run(let arguments): exit(run(arguments))
}
