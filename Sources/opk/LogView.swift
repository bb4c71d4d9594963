import AuditReading
import Display
import JOSE
import Vocabulary

/// How events and the summary look. Whoever wrote what is in them, a terminal gets nothing that it could obey.
struct LogView {
    let format: LogShowCommand.Format
    let showsEvents: Bool
    private let style = Style.onOutput

    init(format: LogShowCommand.Format, showsEvents: Bool) { (self.format, self.showsEvents) = (format, showsEvents) }

    /// One line, with its end.
    func line(_ record: AuditRecord) -> [UInt8] {
        switch format {
        case .text:
            var line: [UInt8] = []
            var clock = LocalTime()
            append(LogLine(LogEntry(record)), to: &line, &clock)
            return line
        case .json: return LogView.printable(record.line)
        case .ocsf: return LogView.printable(OCSFEvent.json(record))
        case .ecs: return LogView.printable(ECSEvent.json(record))
        }
    }

    func append(_ line: LogLine, to out: inout [UInt8], _ clock: inout LocalTime) {
        out += style.faint(clock.text(line.time)).utf8
        out += "  ".utf8
        out += coloured(LogView.padded(line.outcome.rawValue, 8), line.outcome).utf8
        out += "  ".utf8
        LogView.append(line.subject, 34, to: &out)
        out += " ".utf8
        LogView.append(line.source, 20, to: &out)
        out += "  ".utf8
        if line.isBreakGlass {
            out += style.error("BREAK GLASS").utf8
            if !line.words.isEmpty { out += ", ".utf8 }
        }
        out += line.words.utf8
        out.append(0x0A)
    }

    private static func append(_ text: String, _ width: Int, to out: inout [UInt8]) {
        out += text.utf8
        for _ in 0..<max(0, width - text.unicodeScalars.count) { out.append(0x20) }
    }

    private func coloured(_ word: String, _ outcome: LogLine.Outcome) -> String {
        switch outcome {
        case .loggedIn: style.good(word)
        case .refused, .gap: style.error(word)
        case .changed, .ended, .warned, .told: style.warning(word)
        case .admitted, .left: style.faint(word)
        }
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.unicodeScalars.count))
    }

    /// JSON is passed on as it is where it is plain ASCII; else what is no harmless character comes out as an escape.
    static func printable(_ json: [UInt8]) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(json.count + 64)
        // From there on nothing had to be changed.
        var (start, index) = (0, 0)
        while index < json.count {
            if 0x20..<0x7F ~= json[index] {
                index += 1
                continue
            }
            var end = index + 1
            while end < json.count, json[end] & 0xC0 == 0x80 { end += 1 }
            let character = String(decoding: json[index..<end], as: UTF8.self)
            if !character.unicodeScalars.allSatisfy(isHarmless) || !character.utf8.elementsEqual(json[index..<end]) {
                out += json[start..<index]
                for unit in character.utf16 { out += escape(unit) }
                start = end
            }
            index = end
        }
        out += json[start...]
        out.append(0x0A)
        return out
    }

    private static func escape(_ unit: UInt16) -> [UInt8] {
        let digits = String(unit, radix: 16)
        return Array(("\\u" + String(repeating: "0", count: 4 - digits.utf8.count) + digits).utf8)
    }

    // MARK: The summary

    func lines(_ summary: LogSummary, _ query: LogQuery) -> [String] {
        if format == .json { return showsEvents ? [] : [summary.json.pretty()] }
        guard format == .text else { return [] }
        var lines = showsEvents ? [""] : []
        let people = summary.loginsByPerson.count + (summary.uncounted > 0 ? 1 : 0)
        var head = "\(count(summary.logins, "login")) by \(people == 1 ? "1 person" : "\(people) people"), \(summary.refused) refused"
        if summary.changes > 0 { head += ", \(count(summary.changes, "change"))" }
        if let since = query.since { head += ", since \(since.local)" }
        if let until = query.until { head += ", until \(until.local)" }
        lines.append(style.bold(head))
        lines += list("logins", summary.loginsByPerson) { _ in "" }
        lines += list("refusals", summary.refusalsByReason) { Refusal.Code(rawValue: $0.string).map { "  " + $0.wording } ?? "" }
        if summary.breakGlass > 0 { lines.append(style.error("\(count(summary.breakGlass, "login")) by break-glass rows")) }
        if summary.gaps > 0 {
            lines.append(style.error("\(count(summary.gaps, "gap")): \(count(Int(summary.lost), "event")) could not be written"))
        }
        if summary.torn > 0 { lines.append(style.warning("\(count(summary.torn, "line")) torn or foreign, and left out")) }
        return lines
    }

    /// Rows that are shown of a list.
    private static let most = 20

    private func list(_ title: String, _ counts: [LogSummary.Count], _ words: (Text) -> String) -> [String] {
        if counts.isEmpty { return [] }
        let shown = counts.prefix(LogView.most)
        let width = "\(shown.first?.count ?? 0)".utf8.count
        let rows = shown.map { row in
            let number = "\(row.count)"
            let name = row.name.isEmpty ? "(not known)" : row.name.escaped(limit: 100)
            return "  " + String(repeating: " ", count: max(0, width - number.utf8.count)) + number + "  " + name + words(row.name)
        }
        return [title] + rows + (counts.count > shown.count ? ["  and \(counts.count - shown.count) more"] : [])
    }

    private func count(_ number: Int, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }
}
