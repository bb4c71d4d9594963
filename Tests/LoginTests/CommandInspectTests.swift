import Foundation
import SSHKeys
import Testing

@testable import Login

/// `opk inspect`.
extension CommandTests {
    @Test("inspect reads standard input; what is no certificate ends with 1")
    func inspect() async throws {
        let provider = try TestProvider()
        let key = try provider.mint(try provider.maker()).key
        let text = String(decoding: key.certificateFile, as: UTF8.self)
        let good = try await CommandTests.run(["inspect", "--json", "-"], home: "/nonexistent", input: text)
        #expect(good.status == 0, "\(good)")
        let document = try #require(try JSONSerialization.jsonObject(with: Data(good.output.utf8)) as? [String: Any])
        #expect(document["sound"] as? Bool == true)
        for bad in ["", "x", "ssh-ed25519 AAAA"] {
            #expect(try await CommandTests.run(["inspect", "-"], home: "/nonexistent", input: bad).status == 1)
        }
        // The last byte of the signature.
        var blob = key.certificate.blob
        blob[blob.count - 1] ^= 1
        let damaged = SSHKeyLine(blob: blob, type: key.certificate.type, comment: "").bytes
        let run = try await CommandTests.run(["inspect", "-"], home: "/nonexistent", input: String(decoding: damaged, as: UTF8.self))
        #expect(run.status == 1)
        #expect(run.output.contains("FAILS"))
    }

    #if os(Linux)
        @Test("output that cannot be written is an error")
        func fullOutput() async throws {
            let provider = try TestProvider()
            let folder = try TemporaryFolder()
            try folder.write(try provider.mint(try provider.maker()).key.certificateFile, to: "c")
            let path = folder.path
            let program = try #require(OpkProgram.url)
            let (status, errors) = try await onThread { () -> Result<(Int32, String), any Error> in
                Result {
                    let process = Process()
                    process.executableURL = program
                    process.arguments = ["inspect", "--json", path + "/c"]
                    process.standardOutput = try FileHandle(forWritingTo: URL(fileURLWithPath: "/dev/full"))
                    let errors = Pipe()
                    process.standardError = errors
                    try process.run()
                    let text = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
                    process.waitUntilExit()
                    return (process.terminationStatus, text)
                }
            }.get()
            #expect(status == 1)
            #expect(errors.contains("opk: error: standard output: "))
        }
    #endif
}
