import ChildProcess
import HTTP
import LibCrypto
import Policy
import SafeFiles
import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A notice on its way by one channel. What goes wrong is said without the webhook's address: whoever has it may post.
struct Delivery {
    let channel: NotifyRule.Channel
    let trust: FileTrust

    /// Milliseconds for each.
    private static let patience = 10_000

    /// By which a channel is known again; says nothing of its address.
    var key: String {
        switch channel {
        case .command(let words): Digest.sha256Text(Array(words.map { "c \($0.string)" }.joined(separator: "\u{0}").utf8))
        case .webhook(let address): Digest.sha256Text(Array("w \(address.string)".utf8))
        }
    }

    /// How it is called in the log.
    var name: String {
        switch channel {
        case .command(let words): "command \(words.first?.string ?? "")"
        case .webhook(let address): "webhook at \((try? WebURL(parsing: address))?.host.text ?? "an address that is none")"
        }
    }

    /// Nil where it arrived; otherwise why it did not.
    func send(_ message: [UInt8]) -> String? {
        switch channel {
        case .command(let words): run(words, message)
        case .webhook(let address): post(address, message)
        }
    }

    private func run(_ words: [Text], _ message: [UInt8]) -> String? {
        guard let program = words.first?.string else { return "there is no command" }
        do {
            try TrustedProgram.check(program, trust: trust)
            let environment = ProcessEnvironment(entries: [
                Array("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".utf8), Array("LC_ALL=C.UTF-8".utf8),
            ])
            let outcome = try ChildProcess.run(
                program, words.dropFirst().map(\.string), environment: environment, input: message, outputLimit: 64 << 10,
                deadline: Delivery.patience)
            switch outcome.ending {
            case .exited(0): return nil
            case .exited(let status): return "it ended with status \(status)"
            case .killed(let signal): return "it was ended by signal \(signal)"
            case .timedOut: return "it took longer than \(Delivery.patience / 1000) s"
            case .tooMuchOutput: return "it wrote more than 64 KiB"
            }
        } catch let error as UntrustedProgram {
            return "\(error)"
        } catch let error as ChildFailure {
            return "\(error)"
        } catch {
            return "it cannot be run"
        }
    }

    private func post(_ address: Text, _ message: [UInt8]) -> String? {
        guard let url = try? WebURL(parsing: address) else { return "its address is no URL" }
        do {
            let answer = try HTTPClient(timeout: .milliseconds(Delivery.patience), bodyLimit: 64 << 10).post(url, json: message)
            return (200...299).contains(answer.status) ? nil : "it answered \(answer.status)"
        } catch {
            // The code alone: what libcurl says may have the address in it.
            return "it cannot be reached (\(error.code))"
        }
    }
}
