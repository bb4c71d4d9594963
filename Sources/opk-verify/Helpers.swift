import CSystem
import SSHKeys
import Verifier

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The helpers as a confined opk-verify has them: all it can do is to ask its `Broker`, one question after the other.
struct Helpers {
    /// Its end of the socket; nil where there is no broker, or one that can no longer be understood.
    private var channel: Int32?
    private let absence: String

    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// Makes the broker where a helper may be needed: not for a key that is no certificate. To be called while nothing hostile has been looked at and memory is
    /// small, since it is copied.
    init(_ arguments: Arguments, _ mode: FetchMode, plugins: (([UInt8], Int) -> [UInt8])? = nil) {
        guard SSHCertificate.isCertificateType(arguments.request.type), Helpers.mayBeNeeded(arguments, mode) else {
            (channel, absence) = (nil, "there is none")
            return
        }
        var broker = Broker(arguments: arguments, mode: mode)
        if let plugins { broker.plugins = plugins }
        channel = broker.start()
        absence = "no process could be made for them"
    }

    /// Those behind a socket that is there already.
    init(channel: Int32) { (self.channel, absence) = (channel, "") }

    private static func mayBeNeeded(_ arguments: Arguments, _ mode: FetchMode) -> Bool {
        guard case .socket = mode else { return true }
        // Neither path is kept by the call.
        if let home = HomeCommand.program, unsafe access(home, X_OK) == 0 { return true }
        return unsafe access(arguments.configFolder + "/policy.d", F_OK) == 0
    }

    /// - Parameter deadline: in milliseconds from now, for the helper. It is told a little later that it is late, by whom it should have heard it.
    mutating func ask(_ kind: HelperRequest.Kind, _ content: [UInt8] = [], within deadline: Int64) throws(Failure) -> HelperAnswer {
        guard let channel else { throw Failure(description: "helpers cannot be asked: \(absence)") }
        let request = HelperRequest(kind: kind, deadline: UInt32(clamping: deadline), content: content)
        let stream = TimedStream(descriptor: channel, end: TimedStream.now() + deadline + Helpers.margin)
        do throws(TimedStream.Failure) {
            try stream.send(request.head)
            try stream.send(content)
            if let (status, length) = HelperAnswer.announced(by: try stream.receive(exactly: HelperAnswer.headLength)) {
                return HelperAnswer(status, try stream.receive(exactly: length))
            }
        } catch {
            // What it says from now on would be an answer to something else.
            self.channel = nil
            throw Failure(description: error == .timedOut ? "a helper does not end in time" : "the process that starts helpers has gone")
        }
        self.channel = nil
        throw Failure(description: "the process that starts helpers cannot be understood")
    }

    /// Milliseconds: the broker ends a helper that is late, and says so.
    private static let margin: Int64 = 200
}
