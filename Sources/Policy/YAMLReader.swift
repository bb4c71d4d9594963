internal import CYAML
import Vocabulary

/// Reads one YAML document from libyaml's events. Safe to use: what it allocates lives exactly as long as it.
@safe package struct YAMLReader: ~Copyable {
    /// Levels of sequences and mappings, one inside another.
    static let maximumDepth = 16
    /// 16 MiB: a deny list may be long.
    static let maximumSize = 16 << 20

    /// Allocated, since the parser keeps pointers into itself and must not move.
    private let parser: UnsafeMutablePointer<yaml_parser_t>
    private let input: UnsafeMutableBufferPointer<UInt8>

    /// Nil for a document without content: comments only, or nothing.
    package static func read(_ bytes: [UInt8]) throws(ConfigurationError) -> YAMLNode? {
        guard bytes.count <= maximumSize else { throw ConfigurationError(0, "the file is over \(maximumSize) bytes") }
        // libyaml would find UTF-16 by itself, and cut names at a NUL.
        guard Text(validating: bytes) != nil else { throw ConfigurationError(0, "the file is not UTF-8") }
        if let nul = bytes.firstIndex(of: 0) {
            throw ConfigurationError(1 + bytes[..<nul].count { $0 == UInt8(ascii: "\n") }, "there is a NUL byte")
        }
        var reader = try YAMLReader(bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes.dropFirst(3) : bytes[...])
        return try reader.document()
    }

    private init(_ bytes: ArraySlice<UInt8>) throws(ConfigurationError) {
        unsafe parser = .allocate(capacity: 1)
        unsafe input = .allocate(capacity: bytes.count)
        _ = unsafe input.initialize(from: bytes)
        if unsafe yaml_parser_initialize(parser) == 0 {
            unsafe parser.deallocate()
            unsafe input.deallocate()
            throw ConfigurationError(0, "not enough memory")
        }
        unsafe yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
        unsafe yaml_parser_set_input_string(parser, input.baseAddress, bytes.count)
    }

    deinit {
        unsafe yaml_parser_delete(parser)
        unsafe parser.deallocate()
        unsafe input.deallocate()
    }

    private mutating func document() throws(ConfigurationError) -> YAMLNode? {
        guard case .streamStart = try next().kind else { throw ConfigurationError(0, "this is not YAML") }
        let first = try next()
        if case .streamEnd = first.kind { return nil }
        guard case .documentStart = first.kind else { throw ConfigurationError(first.line, "this is not YAML") }
        let root = try node(try next(), depth: 1)
        guard case .documentEnd = try next().kind else { throw ConfigurationError(root.line, "this is not YAML") }
        let last = try next()
        guard case .streamEnd = last.kind else { throw ConfigurationError(last.line, "a second document begins") }
        return root.isNull ? nil : root
    }

    private mutating func node(_ event: Event, depth: Int) throws(ConfigurationError) -> YAMLNode {
        if case .scalar(let text, let isPlain) = event.kind {
            return YAMLNode(line: event.line, content: .scalar(text, isPlain: isPlain))
        }
        if depth > YAMLReader.maximumDepth { throw ConfigurationError(event.line, "nested deeper than \(YAMLReader.maximumDepth)") }
        switch event.kind {
        case .sequenceStart:
            var elements: [YAMLNode] = []
            while true {
                let event = try next()
                if case .sequenceEnd = event.kind { break }
                elements.append(try node(event, depth: depth + 1))
            }
            return YAMLNode(line: event.line, content: .sequence(elements))
        case .mappingStart: return YAMLNode(line: event.line, content: .mapping(try entries(depth)))
        default: throw ConfigurationError(event.line, "this is not YAML that may be used here")
        }
    }

    private mutating func entries(_ depth: Int) throws(ConfigurationError) -> [YAMLNode.Entry] {
        var entries: [YAMLNode.Entry] = []
        var names = YAMLNames()
        while true {
            let event = try next()
            if case .mappingEnd = event.kind { return entries }
            guard case .scalar(let key, _) = event.kind else { throw ConfigurationError(event.line, "a key is not a plain word") }
            if names.contains(key, among: entries) { throw ConfigurationError(event.line, "\(key) is there twice") }
            entries.append(YAMLNode.Entry(line: event.line, key: key, value: try node(try next(), depth: depth + 1)))
        }
    }

    /// The keys of one mapping. A set only where there are many of them: making one is dear, and most mappings have a few.
    private struct YAMLNames {
        private var many: Set<Text>?

        mutating func contains(_ key: Text, among entries: [YAMLNode.Entry]) -> Bool {
            if entries.count < 32 { return entries.contains { $0.key == key } }
            if many == nil { many = Set(entries.map(\.key)) }
            return many?.insert(key).inserted == false
        }
    }

    private struct Event {
        let line: Int
        let kind: Kind

        enum Kind {
            case streamStart, streamEnd, documentStart, documentEnd, sequenceStart, sequenceEnd, mappingStart, mappingEnd
            case scalar(Text, isPlain: Bool)
        }
    }

    private mutating func next() throws(ConfigurationError) -> Event {
        var event = unsafe yaml_event_t()
        guard unsafe yaml_parser_parse(parser, &event) == 1 else {
            let reason = unsafe parser.pointee.problem.map { unsafe String(cString: $0) } ?? "it cannot be parsed"
            let line = unsafe max(parser.pointee.problem_mark.line, parser.pointee.context_mark.line)
            throw ConfigurationError(Int(clamping: line) + 1, "this is not YAML: \(Text(reason))")
        }
        defer { unsafe yaml_event_delete(&event) }
        let line = unsafe Int(clamping: event.start_mark.line) + 1
        return Event(line: line, kind: try unsafe YAMLReader.kind(of: event, line))
    }

    /// What the event says, copied out of it.
    private static func kind(of event: yaml_event_t, _ line: Int) throws(ConfigurationError) -> Event.Kind {
        switch unsafe event.type {
        case YAML_STREAM_START_EVENT: return .streamStart
        case YAML_STREAM_END_EVENT: return .streamEnd
        case YAML_DOCUMENT_START_EVENT:
            let start = unsafe event.data.document_start
            if unsafe start.version_directive != nil || start.tag_directives.start != start.tag_directives.end {
                throw ConfigurationError(line, "directives are not allowed")
            }
            return .documentStart
        case YAML_DOCUMENT_END_EVENT: return .documentEnd
        case YAML_SCALAR_EVENT: return try unsafe scalar(event.data.scalar, line)
        case YAML_SEQUENCE_START_EVENT:
            try unsafe refuse(event.data.sequence_start.anchor, event.data.sequence_start.tag, line)
            return .sequenceStart
        case YAML_SEQUENCE_END_EVENT: return .sequenceEnd
        case YAML_MAPPING_START_EVENT:
            try unsafe refuse(event.data.mapping_start.anchor, event.data.mapping_start.tag, line)
            return .mappingStart
        case YAML_MAPPING_END_EVENT: return .mappingEnd
        case YAML_ALIAS_EVENT: throw ConfigurationError(line, "aliases (*) are not allowed")
        default: throw ConfigurationError(line, "this is not YAML that may be used here")
        }
    }

    private static func scalar(_ scalar: yaml_event_s.__Unnamed_union_data.__Unnamed_struct_scalar, _ line: Int) throws(ConfigurationError)
        -> Event.Kind
    {
        try unsafe refuse(scalar.anchor, scalar.tag, line)
        // libyaml says how long the value is; an escape can have put a NUL into it.
        let bytes = unsafe Array(UnsafeBufferPointer(start: scalar.value, count: scalar.length))
        guard !bytes.contains(0), let text = Text(validating: bytes) else {
            throw ConfigurationError(line, "a value has a NUL or is not UTF-8")
        }
        return .scalar(text, isPlain: unsafe scalar.style == YAML_PLAIN_SCALAR_STYLE)
    }

    private static func refuse(_ anchor: UnsafeMutablePointer<UInt8>?, _ tag: UnsafeMutablePointer<UInt8>?, _ line: Int)
        throws(ConfigurationError)
    {
        if unsafe anchor != nil { throw ConfigurationError(line, "anchors (&) are not allowed") }
        if unsafe tag != nil { throw ConfigurationError(line, "tags (!) are not allowed") }
    }
}
