import Vocabulary

extension UnixTime {
    init?(rfc3339 text: Text) {
        let b = text.utf8
        func n(_ r: Range<Int>) -> Int64? {
            guard b.count >= r.upperBound else { return nil }
            var v: Int64 = 0
            for x in b[r] { guard x >= 0x30, x <= 0x39 else { return nil }; v = v * 10 + Int64(x - 0x30) }
            return v
        }
        guard b.count >= 17, b.last == 0x5A, let y = n(0..<4), let m = n(5..<7), let d = n(8..<10), let h = n(11..<13), let mi = n(14..<16),
            b[4] == 0x2D, b[7] == 0x2D, b[10] == 0x54, b[13] == 0x3A, (1...12).contains(m), d >= 1, h < 24, mi < 60 else { return nil }
        let leap = y % 4 == 0 && (y % 100 != 0 || y % 400 == 0)
        let last: Int64 = m == 2 ? (leap ? 29 : 28) : [4, 6, 9, 11].contains(m) ? 30 : 31
        guard d <= last else { return nil }
        var s: Int64 = 0
        var nano: Int32 = 0
        if b.count > 17 {
            guard b[16] == 0x3A, let v = n(17..<19), v < 60 else { return nil }
            s = v
            if b.count > 20 {
                guard b[19] == 0x2E, b.count > 21, b.count <= 30 else { return nil }
                guard let f = n(20..<(b.count - 1)) else { return nil }
                var v = f
                for _ in 0..<(30 - b.count) { v *= 10 }
                nano = Int32(v)
            } else if b.count != 20 { return nil }
        }
        let yy = m <= 2 ? y - 1 : y
        let era = (yy >= 0 ? yy : yy - 399) / 400
        let yoe = yy - era * 400
        let doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1
        let doe = yoe * 365 + yoe / 4 - yoe / 100 + doy
        self.init(seconds: (era * 146_097 + doe - 719_468) * 86_400 + h * 3600 + mi * 60 + s, nanoseconds: nano)
    }
}
