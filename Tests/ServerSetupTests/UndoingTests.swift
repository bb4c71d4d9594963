import Foundation
import Testing
import Vocabulary

@testable import ServerSetup

@Suite("What an undo will do, and what it can mend")
struct UndoingTests {
    private func state(_ text: String) -> FileState {
        FileState(bytes: Array(text.utf8), mode: 0o644, user: geteuid(), group: getegid())
    }

    private func change(_ path: String, _ before: String?, _ after: String, _ kind: ServerChange.Kind) -> ServerChange {
        .file(.init(path: path, kind: kind, before: before.map(state), after: state(after)))
    }

    @Test("it says of each file what becomes of it as it is now")
    func words() throws {
        let scratch = try Scratch()
        let path = scratch.folder + "/file"
        func said(_ text: String?, _ before: String?, _ kind: ServerChange.Kind) throws -> String? {
            try? FileManager.default.removeItem(atPath: path)
            if let text {
                try scratch.write(text, to: path)
                chmod(path, 0o644)
            }
            return try change(path, before, "new\n", kind).undoing()
        }
        #expect(try said("new\n", "old\n", .policy) == "\(path) becomes what it was")
        #expect(try said("new\n", nil, .dropIn) == "\(path) goes")
        #expect(try said("old\n", "old\n", .policy) == nil)
        #expect(try said(nil, nil, .dropIn) == nil)
        #expect(try said(nil, "old\n", .policy)?.contains("not put back") == true)
        #expect(try said("mine\n", "old\n", .policy) == "\(path) was changed since, so it stays as it is")
        #expect(try said("mine\n", nil, .dropIn)?.contains("\(path).removed") == true)
        #expect(try said("mine\n", "old\n", .marked)?.contains("loses opk's lines") == true)
    }

    @Test("a complaint of sshd's about a file that is ours alone goes with an undo, and no other")
    func complaints() {
        var journal = ServerJournal()
        journal.done = [
            change("/etc/ssh/sshd_config.d/60-opk.conf", nil, "x", .dropIn), change("/etc/ssh/sshd_config", "a", "b", .marked),
        ]
        #expect(journal.takesAway("/etc/ssh/sshd_config.d/60-opk.conf: line 4: Bad configuration option: AuthorizedKeysComandUser"))
        #expect(journal.takesAway("AuthorizedKeysCommand set without AuthorizedKeysCommandUser"))
        #expect(!journal.takesAway("/etc/ssh/sshd_config: line 9: Bad configuration option: Nonsense"))
        #expect(!journal.takesAway("/etc/ssh/sshd_config.d/10-other.conf line 1: AuthorizedKeysCommandUser: bad value"))
        journal.done.removeFirst()
        #expect(!journal.takesAway("/etc/ssh/sshd_config.d/60-opk.conf: line 4: Bad configuration option"))
    }

    @Test("what somebody types to log in is whole")
    func login() throws {
        func words(_ issuer: String, _ client: String) throws -> String {
            ServerPlan.Allowed(request: try AllowRequest("alice@example.com=root"), issuer: Text(issuer), clientID: Text(client)).login
        }
        let google = try ProviderRequest("google")
        #expect(try words(google.issuer.string, google.clientID.string) == "opk login google")
        #expect(try words("https://accounts.google.com", "mine") == "opk login --provider https://accounts.google.com,mine")
        #expect(try words("https://idp.example.com", "a b") == "opk login --provider 'https://idp.example.com,a b'")
    }
}
