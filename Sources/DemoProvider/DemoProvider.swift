import FlyingFox
import FlyingSocks
import Foundation
import JOSE
public import Vocabulary

/// An OpenID provider for demonstrations and tests, in this process, on loopback addresses only.
///
/// Anybody who reaches it can log in as anybody: that is its purpose, and why it never listens elsewhere.
///
///     let provider = try await DemoProvider.start()
///     defer { Task { await provider.stop() } }
///     try await provider.control(#"{"auto_login": "alice", "faults": {"jwks": {"kind": "slow", "seconds": 2}}}"#)
public final class DemoProvider: Sendable {
    public let port: UInt16
    /// No slash at its end.
    public let issuer: Text
    public let controlToken: Text
    private let core: ProviderCore
    private let listener: LoopbackListener

    /// Listens on 127.0.0.1 and, where this machine has it, on [::1]; returns when it does.
    public static func start(_ options: DemoProviderOptions = DemoProviderOptions()) async throws(DemoProviderError) -> DemoProvider {
        let listener = try await LoopbackListener.open(port: options.port)
        do {
            return try await DemoProvider(options, listener: listener)
        } catch {
            await listener.stop()
            throw error
        }
    }

    private init(_ options: DemoProviderOptions, listener: LoopbackListener) async throws(DemoProviderError) {
        let issuer = try DemoProvider.issuer(options.externalURL, port: listener.port)
        let atStart = try DemoProvider.behaviour(options.control)
        do {
            core = try ProviderCore(issuer: issuer, options: options, behaviour: atStart.behaviour, rotation: atStart.rotation)
        } catch {
            throw .noKey
        }
        self.listener = listener
        self.issuer = issuer
        port = listener.port
        controlToken = core.controlToken
        await listener.serve(core)
    }

    /// Closes everything. Afterwards nothing answers on the port.
    public func stop() async {
        await listener.stop()
    }

    /// The same as POST /control; see `ControlDocument` for what it takes.
    public func control(_ document: Text) async throws(DemoProviderError) {
        do {
            try await core.change(document.utf8)
        } catch {
            throw .control(error.text)
        }
    }

    /// How many requests came for this path since the start.
    public func requestCount(_ path: Text) async -> Int {
        Int(await core.requestCounts[path] ?? 0)
    }

    private static func issuer(_ external: Text?, port: UInt16) throws(DemoProviderError) -> Text {
        guard let external else { return Text("http://localhost:\(port)") }
        for scheme: Text in ["http://", "https://"] where external.hasPrefix(scheme) {
            if let authority = external.dropFirst(scheme.count), LoopbackHost(authority: authority) != nil { return external }
        }
        throw .externalURL
    }

    private static func behaviour(_ documents: [Text]) throws(DemoProviderError)
        -> (behaviour: Behaviour, rotation: ControlDocument.Rotation?)
    {
        var behaviour = Behaviour()
        var rotation: ControlDocument.Rotation?
        do {
            for document in documents {
                let next = try ControlDocument(parsing: document.utf8).applied(to: behaviour, atStart: Behaviour())
                behaviour = next.0
                rotation = next.1 ?? rotation
            }
        } catch {
            throw .control(error.text)
        }
        return (behaviour, rotation)
    }
}
