import ChildProcess
import Foundation
import LibCrypto
import SSHKeys
import Testing
import Vocabulary

@testable import SSHAgent

@Suite("SSHAgent: an agent that lies, dawdles or is silent")
struct HostileAgentTests {
    private static func with<Result>(
        _ scripted: ScriptedAgent, patience: Int64 = 5000, _ body: (SSHAgent) throws -> Result
    ) throws -> Result {
        defer { scripted.end() }
        return try body(try SSHAgent.connect(environment: scripted.environment, patience: patience))
    }

    /// The error of a list, nil where it is believed.
    private static func error(listing scripted: ScriptedAgent, patience: Int64 = 5000) throws -> AgentError? {
        do {
            _ = try with(scripted, patience: patience) { try $0.identities() }
            return nil
        } catch let error as AgentError {
            return error
        }
    }

    /// What a true agent would say: two identities.
    private static let goodList: [UInt8] = {
        var writer = SSHWriter()
        writer.raw([12])
        writer.uint32(2)
        for name in ["first", "second"] {
            writer.string("blob of \(name)")
            writer.string(name)
        }
        return writer.bytes
    }()

    @Test("A list is read whole")
    func list() throws {
        let identities = try Self.with(try ScriptedAgent(answering: Self.goodList)) { try $0.identities() }
        #expect(identities.map { String(decoding: $0.comment, as: UTF8.self) } == ["first", "second"])
        #expect(identities[0].blob == Array("blob of first".utf8))
    }

    @Test("Every list that is cut short, or has something behind it, is refused")
    func truncated() throws {
        for count in 1..<Self.goodList.count {
            let error = try Self.error(listing: try ScriptedAgent(answering: Array(Self.goodList.prefix(count))))
            #expect(error == .malformed(.fields), "\(count)")
        }
        #expect(try Self.error(listing: try ScriptedAgent(answering: Self.goodList + [0])) == .malformed(.fields))
    }

    @Test("A frame of which some is missing is no answer")
    func hangUp() throws {
        let frame = ScriptedAgent.framed(Self.goodList)
        for count in 0..<frame.count {
            #expect(try Self.error(listing: try ScriptedAgent { _, _ in .bytes(Array(frame.prefix(count))) }) == .hungUp, "\(count)")
        }
    }

    @Test("A frame of no length or a huge one is refused before its bytes are waited for", arguments: [0, 262_145, 0x7FFF_FFFF, .max])
    func lengths(length: UInt32) throws {
        let bytes = (0..<4).map { UInt8(truncatingIfNeeded: length >> (24 - 8 * $0)) }
        let scripted = try ScriptedAgent { _, _ in .bytesThenSilence(bytes) }
        #expect(try Self.error(listing: scripted) == .malformed(.length(length)))
    }

    @Test("A count of four thousand million identities is not believed", arguments: [3, 100, UInt32.max])
    func counts(count: UInt32) throws {
        var answer = Self.goodList
        for index in 0..<4 { answer[1 + index] = UInt8(truncatingIfNeeded: count >> (24 - 8 * UInt32(index))) }
        #expect(try Self.error(listing: try ScriptedAgent(answering: answer)) == .malformed(.fields))
    }

    @Test("Another kind of answer than was asked for is refused, whatever it is")
    func kinds() throws {
        for kind in UInt8.min...UInt8.max where kind != 5 && kind != 12 {
            #expect(try Self.error(listing: try ScriptedAgent(answering: [kind])) == .malformed(.kind(kind)))
        }
        #expect(try Self.error(listing: try ScriptedAgent(answering: [5])) == .refused(.list))
        #expect(try Self.error(listing: try ScriptedAgent(answering: [5, 0])) == .malformed(.fields))
    }

    @Test("Success with something behind it is no success")
    func success() throws {
        let (key, certificate) = try SSHAgentTests.certified(.p256)
        let add = { (scripted: ScriptedAgent) in try Self.with(scripted) { try $0.add(key, certificate: certificate, comment: "") } }
        try add(try ScriptedAgent(answering: [6]))
        #expect(throws: AgentError.malformed(.fields)) { try add(try ScriptedAgent(answering: [6, 6])) }
        #expect(throws: AgentError.malformed(.kind(14))) { try add(try ScriptedAgent(answering: [14])) }
        #expect(throws: AgentError.refused(.remove)) { try Self.with(try ScriptedAgent(answering: [5])) { try $0.remove(blob: [1]) } }
    }

    @Test("One that shows keys and does not take ours is not called locked")
    func refused() throws {
        let (key, certificate) = try SSHAgentTests.certified(.p256)
        let scripted = try ScriptedAgent { _, request in .bytes(ScriptedAgent.framed(request.first == 11 ? Self.goodList : [5])) }
        #expect(throws: AgentError.refused(.add)) { try Self.with(scripted) { try $0.add(key, certificate: certificate, comment: "") } }
        let empty = try ScriptedAgent { _, request in .bytes(ScriptedAgent.framed(request.first == 11 ? [12, 0, 0, 0, 0] : [5])) }
        #expect(throws: AgentError.locked) { try Self.with(empty) { try $0.add(key, certificate: certificate, comment: "") } }
    }

    @Test("A signature of another key, over other data, or of nothing is refused")
    func signatures() throws {
        let (key, certificate) = try SSHAgentTests.certified(.ed25519)
        let data = Array("data".utf8)
        let answer = { (signature: [UInt8]) in
            var writer = SSHWriter()
            writer.raw([14])
            writer.string(signature)
            return writer.bytes
        }
        let sshForm = { (raw: [UInt8]) in
            var writer = SSHWriter()
            writer.string("ssh-ed25519")
            writer.string(raw)
            return writer.bytes
        }
        let good = sshForm(try key.sign(data, .ed25519))
        for blob in [certificate.blob, key.publicKey.sshBlob] {
            #expect(try Self.with(try ScriptedAgent(answering: answer(good))) { try $0.sign(data, with: blob) } == good)
        }
        let bad = [
            sshForm(try PrivateKey(generating: .ed25519).sign(data, .ed25519)), sshForm(try key.sign([0], .ed25519)), sshForm([]), [],
            good + [0], good.dropLast(),
        ]
        for signature in bad {
            let scripted = try ScriptedAgent(answering: answer(signature))
            #expect(throws: AgentError.malformed(.signature)) { _ = try Self.with(scripted) { try $0.sign(data, with: certificate.blob) } }
        }
        // Of a key that cannot be read nothing can be checked.
        let scripted = try ScriptedAgent(answering: answer(good))
        #expect(throws: AgentError.malformed(.signature)) { _ = try Self.with(scripted) { try $0.sign(data, with: [1, 2, 3]) } }
    }

    @Test("One that says nothing, or stops in the middle, is given up when the time is over")
    func silence() throws {
        let frame = ScriptedAgent.framed(Self.goodList)
        for count in [0, 1, 4, 5, frame.count - 1] {
            let scripted = try ScriptedAgent { _, _ in .bytesThenSilence(Array(frame.prefix(count))) }
            let begin = ContinuousClock.now
            #expect(try Self.error(listing: scripted, patience: 300) == .timedOut(milliseconds: 300))
            #expect(ContinuousClock.now - begin < .seconds(5))
        }
    }

    @Test("One that does not read is given up, with a request that no buffer holds")
    func deaf() throws {
        let scripted = try ScriptedAgent { _, _ in .deaf }
        let (key, certificate) = try SSHAgentTests.certified(.p256, token: [UInt8](repeating: 1, count: 255 << 10))
        let begin = ContinuousClock.now
        #expect(throws: AgentError.timedOut(milliseconds: 300)) {
            try Self.with(scripted, patience: 300) { try $0.add(key, certificate: certificate, comment: "") }
        }
        #expect(ContinuousClock.now - begin < .seconds(5))
    }

    @Test("A socket that nobody listens at is an agent that has ended")
    func nobody() throws {
        let scripted = try ScriptedAgent(listens: false) { _, _ in .deaf }
        #expect(throws: AgentError.ended(path: scripted.path)) { try Self.with(scripted) { _ in } }
    }

    @Test("Whatever bytes come, they are refused or read, and nothing else happens")
    func noise() throws {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<20_000 {
            // Of the shape of an answer, so that the fields are reached.
            var bytes = Self.goodList
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: .min ... .max, using: &random)
            }
            bytes = Array(bytes.prefix(Int.random(in: 0...bytes.count, using: &random)))
            do throws(AgentError) {
                let identities = try AgentMessage.identities(bytes)
                #expect(identities.count == Int(bytes[4]))
            } catch {
                switch error {
                case .malformed, .refused: break
                default: Issue.record("\(error)")
                }
            }
            _ = try? AgentMessage.signature([14] + bytes.dropFirst())
        }
    }

    @Test("What is asked is what RFC 9987 and OpenSSH's form for certificates say, byte for byte")
    func requests() throws {
        let (key, certificate) = try SSHAgentTests.certified(.ed25519)
        let scripted = try ScriptedAgent(answering: [6])
        try Self.with(scripted) { agent in
            try agent.add(key, certificate: certificate, comment: "c", constraints: AgentConstraints(lifetime: 258, confirms: true))
            try agent.remove(blob: [9])
        }
        guard case .ed25519(let seed) = try key.secret(), case .ed25519(let point) = key.publicKey else { return }
        var add = SSHWriter()
        add.raw([25])
        add.string("ssh-ed25519-cert-v01@openssh.com")
        add.string(certificate.blob)
        add.string(point.bytes)
        add.string(seed + point.bytes)
        add.string("c")
        add.raw([1, 0, 0, 1, 2, 2])
        #expect(scripted.requests == [add.bytes, [18, 0, 0, 0, 1, 9]])
    }

    @Test("No sentence about an error holds what a path could do to a terminal")
    func wording() {
        let errors: [AgentError] = [
            .noAgent, .nothingThere(path: "/\u{1B}[2J"), .ended(path: "/\n"), .unreachable(path: "/a", errno: EACCES),
            .somebodyElses(path: "/a", user: 7), .timedOut(milliseconds: 10_000), .hungUp, .malformed(.length(0)), .malformed(.kind(3)),
            .malformed(.fields), .malformed(.signature), .locked, .refused(.list), .refused(.add), .refused(.remove), .refused(.sign),
            .expired, .tooLarge, .key(.scheme),
        ]
        for error in errors {
            let text = "\(error)" + (error.hint ?? "")
            #expect(text.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F } && !text.hasSuffix("."), "\(text)")
        }
        #expect("\(AgentError.timedOut(milliseconds: 10_000))".contains("10 seconds"))
        #expect(AgentError.locked.hint?.contains("ssh-add -X") == true)
    }
}
