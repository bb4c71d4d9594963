import ArgumentParser
import Display
import JOSE
import Login
import Vocabulary

struct InspectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect",
        abstract: "Show what a certificate says, and whether it holds.",
        discussion: """
            Everything is done offline; what only the provider's keys could tell is said to be unknown. The token and an access token \
            are never printed. The exit status is 1 if something that can be told here does not hold; that it has expired does not count.

            EXAMPLES
              opk inspect ~/.ssh/id_ecdsa          (finds ~/.ssh/id_ecdsa-cert.pub)
              opk inspect --json ~/.ssh/id_ecdsa-cert.pub
              ssh-add -L | grep cert | opk inspect -
            """)

    @Argument(
        help: ArgumentHelp("A certificate's file, - for standard input, or the certificate's text.", valueName: "file"), completion: .file()
    )
    var file: String

    @Flag(help: "For scripts.")
    var json = false

    func run() throws {
        try reportingErrors { () throws(LoginError) in
            let now = UnixTime.now()
            let inspection = Inspection(try CertificateSource.certificate(file), at: now)
            if json {
                try Terminal.print(inspection.json.pretty())
            } else {
                for line in inspection.lines(now: now) { try Terminal.print(line) }
            }
            return inspection.isSound
        }
    }
}
