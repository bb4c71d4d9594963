import CSystem
import Display
import Login
import Vocabulary

/// Tells a person on standard error how a login goes on. What changes while it waits is one line, redrawn, and only on a terminal.
final class TerminalNotices {
    /// Nil where nothing can be redrawn.
    private let screen: TerminalScreen?
    private let qrCode: TerminalQRCode
    /// Only what nobody can log in without.
    private let isQuiet: Bool
    private let redraws: Bool
    /// What stands before the time that is left.
    private var waitingFor = ""
    /// What stands behind it.
    private var progress = ""
    private var drawn = ""

    /// With `--verbose` other lines come in between, and nothing is redrawn.
    init(qrCode: TerminalQRCode.Wish, output: OutputOptions? = nil, screen: TerminalScreen? = TerminalScreen()) {
        self.qrCode = TerminalQRCode(wish: qrCode, screen: screen)
        self.screen = screen
        isQuiet = output?.quiet ?? false
        redraws = !isQuiet && !(output?.verbose ?? false)
    }

    func tell(_ notice: LoginFlow.Notice) {
        switch notice {
        case .timeLeft(let seconds): showTimeLeft(seconds)
        case .waitEnded: endWait()
        case .open(_, opened: true) where isQuiet: break
        case .open(let url, let opened):
            say(
                opened
                    ? "A browser was opened. If it does not show the login page, open this address:"
                    : "Open this address in a browser on this machine:")
            say(url)
        case .browserElsewhere:
            remark("There seems to be no browser on this machine: end this with Ctrl-C, and run `opk login` with --remote or --device.")
        case .waiting(let address, let seconds):
            remark("Waiting at \(address) for \(RelativeTime.span(seconds)) (Ctrl-C ends it; a browser elsewhere: --remote or --device) …")
            beginWait("")
        case .askPaste(let url, let ending, let seconds): askPaste(url, ending, seconds)
        case .pasting(let characters): progress = characters == 0 ? "" : ", \(characters) characters"
        case .pasteRefused(let why, let left):
            progress = ""
            say(why + (left == 0 ? "" : " Paste it again:"))
        case .deviceCode(let invitation): invite(invitation)
        case .deviceRetry(let why): remark("The provider did not answer, and is asked again: \(why)")
        }
    }

    private func askPaste(_ url: String, _ ending: String, _ seconds: Int64) {
        say("Open this address in a browser on any machine, and log in there:")
        say(url)
        drawCode([url], linesBelow: 6)
        if ending.hasPrefix("https://") {
            say("The browser then ends at \(ending): copy the address of that page, or what it shows, and paste it")
        } else {
            say("The browser then ends at an address that begins with \(ending)?")
            say("It may well show an error there: that does not matter. Copy that whole address from the browser and paste it")
        }
        say("here, then press Enter, within \(RelativeTime.span(seconds)) (Ctrl-C ends it). What you paste is not shown.")
        beginWait("Waiting for the address: ")
    }

    private func invite(_ invitation: LoginFlow.DeviceInvitation) {
        if invitation.isCompleteIgnored {
            say("opk: warning: the provider gave a second address, which leads to another place; it is not shown.")
        }
        say("On any device, open this address:")
        say(invitation.url)
        drawCode([invitation.completeURL, invitation.url].compactMap(\.self), linesBelow: 7)
        say("Type this code there, or see that it is the same, and log in:")
        say("")
        say("    " + Style.onErrors.bold(invitation.userCode.escaped(limit: 64)))
        say("")
        remark("Waiting for \(RelativeTime.span(invitation.seconds)) until you have done so (Ctrl-C ends it) …")
        beginWait("")
    }

    private func drawCode(_ urls: [String], linesBelow: Int) {
        for line in qrCode.lines(urls, linesBelow: linesBelow) { say(line) }
    }

    // The line that is redrawn

    func showTimeLeft(_ seconds: Int64) { redraw("\(waitingFor)\(RelativeTime.span(max(1, seconds))) left\(progress)") }

    func beginWait(_ words: String) {
        waitingFor = words
        progress = ""
        let last = Array(((screen == nil ? "\n" : "\r\u{1B}[K") + "opk: interrupted, nothing was written\n").utf8)
        unsafe opk_interrupt_watch(last, last.count)
    }

    func endWait() {
        clear()
        opk_interrupt_unwatch()
    }

    private func redraw(_ text: String) {
        guard redraws, let screen, text != drawn else { return }
        Terminal.draw("\r\(text.prefix(max(1, screen.columns - 1)))\u{1B}[K")
        drawn = text
    }

    private func clear() {
        guard !drawn.isEmpty else { return }
        Terminal.draw("\r\u{1B}[K")
        drawn = ""
    }

    func say(_ line: String) {
        clear()
        Terminal.note(line)
    }

    /// What one can do without.
    func remark(_ line: String) {
        if !isQuiet { say(line) }
    }
}
