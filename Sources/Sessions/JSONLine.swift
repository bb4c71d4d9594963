internal import JOSE

/// One JSON object and a line break.
enum JSONLine {
    static func bytes(_ object: JSONObject) -> [UInt8] { JSON.object(object).serialized + [UInt8(ascii: "\n")] }
}
