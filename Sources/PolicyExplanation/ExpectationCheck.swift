public import JOSE
import PKToken
import Policy
import SSHKeys
import SafeFiles
public import Vocabulary

/// Policy files as they lie in a folder, whosever they are: a repository of policies that is checked out belongs to whoever checked it out.
public struct PolicyCheckout: Sendable {
    let providers: Providers
    let config: ServerConfig
    let revocations: Revocations
    let authID: [UInt8]
    /// What opk-verify would refuse these files for, and what is wrong in them.
    public let notes: [String]

    /// - Throws: where a file cannot be read, or nobody could be admitted by it.
    public init(_ folder: String, isStrict: Bool) throws(ExplainError) {
        var notes: [String] = []
        func read(_ name: String) throws(ExplainError) -> [UInt8] {
            let path = folder + "/" + name
            do throws(UnsafeFile) {
                return try SafeFile.read(path, trust: isStrict ? .rootOnly : .rootOrUser(PolicyCheckout.user)) ?? []
            } catch {
                if isStrict { throw .configuration("\(error)") }
                notes.append("opk-verify would not use this file: \(error)")
            }
            let bytes: [UInt8]
            do { bytes = try BoundedInput.read(path, limit: SafeFile.largest) } catch { throw .input(error) }
            if bytes.contains(0) { throw .configuration("\(Text(path).escaped) contains a NUL byte, so it is not a text file") }
            return bytes
        }
        providers = Providers(parsing: try read("providers"))
        authID = try read("auth_id")
        let (configBytes, revokedBytes) = (try read("config.yml"), try read("revoked"))
        do throws(ConfigurationError) {
            config = try ServerConfig(parsing: configBytes)
        } catch { throw .configuration("\(Text(folder).escaped)/config.yml, \(error)") }
        do throws(ConfigurationError) {
            revocations = try Revocations(parsing: revokedBytes)
        } catch { throw .configuration("\(Text(folder).escaped)/revoked, \(error)") }
        notes += providers.problems.map { "providers, \($0) (so it does not count)" }
        notes += AuthID(parsing: authID).problems.map { "auth_id, \($0) (so it grants nothing)" }
        self.notes = notes
    }

    init(providers: [UInt8], authID: [UInt8], config: [UInt8], revoked: [UInt8]) throws(ConfigurationError) {
        self.providers = Providers(parsing: providers)
        self.authID = authID
        self.config = try ServerConfig(parsing: config)
        revocations = try Revocations(parsing: revoked)
        notes = []
    }

    #if canImport(Glibc) || canImport(Darwin)
        private static var user: UInt32 { geteuid() }
    #endif
}

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// How one expectation came out.
public struct ExpectationResult: Sendable {
    public let expectation: Expectation
    public let isAdmitted: Bool
    /// One line, escaped.
    public let why: String

    public var isMet: Bool { isAdmitted == expectation.isExpected }

    public var json: JSON {
        var object = JSONObject()
        object["line"] = .number(JSONNumber(Int64(expectation.line)))
        object["text"] = .string(expectation.text)
        object["expected"] = .bool(expectation.isExpected)
        object["admitted"] = .bool(isAdmitted)
        object["met"] = .bool(isMet)
        object["why"] = .string(Text(why))
        return .object(object)
    }
}

extension PolicyCheckout {
    /// Home files and plugins are not there: what they would add is not in the files.
    public func check(_ expectation: Expectation, at now: UnixTime) -> ExpectationResult {
        let time = expectation.time ?? now
        do throws(ExplainError) {
            let person = try expectation.person.supposition(in: providers, at: time)
            let deliberation = deliberate(person, expectation, time)
            switch deliberation.verdict {
            case .admitted(let grants):
                let sources = grants.map { grant in
                    switch grant.source {
                    case .row(let line): "line \(line) of auth_id"
                    case .home(let line): "line \(line) of the home file"
                    case .plugin(let name): "plugin \(Text(name).escaped(limit: 128))"
                    }
                }
                return ExpectationResult(expectation: expectation, isAdmitted: true, why: "admitted by \(sources.joined(separator: ", "))")
            case .refused(let refusal): return ExpectationResult(expectation: expectation, isAdmitted: false, why: "\(refusal)")
            case .needs: return ExpectationResult(expectation: expectation, isAdmitted: false, why: "not decided")
            }
        } catch {
            return ExpectationResult(expectation: expectation, isAdmitted: false, why: "\(error)")
        }
    }

    private func deliberate(_ person: Supposition, _ expectation: Expectation, _ time: UnixTime) -> Deliberation {
        var evidence = Evidence(revocations: revocations, clientAddress: expectation.address)
        evidence.home = config.homePolicy ? .absent : .off
        evidence.plugins = .none
        evidence.userID = .known(expectation.userID)
        evidence.userinfo = .unavailable
        return authorize(
            supposing: person, as: expectation.account, at: time, authID: person.authID(for: expectation.account, parsing: authID),
            config: config, evidence: evidence)
    }
}
