import CSystem
import Foundation
import Testing

/// Where the process cannot give up what it does not need: nobody is let in, and the audit log says why.
@Suite("opk-verify: not confined", .serialized, .enabled(if: Strace.works, "no strace"))
struct NotConfinedTests {
    let audited: AuditedDoorway

    init() throws { audited = try AuditedDoorway() }

    /// For `surroundings`: a system call that answers so.
    private func answering(_ call: String) -> String { "set -- strace -qq -o /dev/null -e inject=\(call) \"$@\"" }

    private func refusal(_ call: String, _ words: String) throws {
        let run = try audited.ask(surroundings: answering(call))
        #expect(run.refused(1, "step=1 reason=not-confined account=\"guest\"", words), "\(call): \(run)")
        let events = try audited.events()
        try audited.clear()
        let event = try #require(events.first)
        #expect(events.count == 1 && event.text("type") == "decision" && event["granted"] == .bool(false))
        #expect(event.number("step") == 1 && event.text("reason") == "not-confined" && event.text("account") == "guest")
        #expect(event.text("detail")?.contains(words) == true, "\(event)")
        #expect(run.terminal.contains(" id=\(event.text("id") ?? "?") ") && event.text("attempt")?.count == 10)
        // Nothing of the certificate was looked at.
        for member in ["issuer", "subject", "email", "verified", "key_fingerprint"] { #expect(event.text(.init(member)) == nil) }
    }

    @Test("New privileges that cannot be given up are a refusal, and an event that says so")
    func privileges() throws { try refusal("prctl:error=EPERM", "Operation not permitted") }

    @Test(
        "Landlock that is there and fails, at whichever call, is a refusal and an event; Landlock that is not there is neither",
        .enabled(if: opk_landlock_abi() > 0, "this kernel has no Landlock"))
    func landlock() throws {
        // The first call only asks for the version.
        try refusal("landlock_create_ruleset:error=ENOMEM:when=2", "Cannot allocate memory")
        try refusal("landlock_add_rule:error=ENOMEM", "Cannot allocate memory")
        try refusal("landlock_restrict_self:error=E2BIG", "Argument list too long")
        for missing in ["ENOSYS", "EOPNOTSUPP"] {
            #expect(try audited.ask(surroundings: answering("landlock_create_ruleset:error=\(missing)")).admitted)
        }
        #expect(try audited.events().compactMap { $0["granted"] } == [.bool(true), .bool(true)])
    }
}
