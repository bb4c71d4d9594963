import Testing
import Vocabulary

@testable import Policy

@Suite struct GlobTests {
    /// Go's own table for path.Match, where it does not let a class match a slash.
    @Test(
        "a pattern matches the whole text as Go's path.Match does",
        arguments: [
            ("abc", "abc", true), ("*", "abc", true), ("*c", "abc", true), ("a*", "a", true), ("a*", "abc", true), ("a*", "ab/c", false),
            ("a*/b", "abc/b", true), ("a*/b", "a/c/b", false), ("a*b*c*d*e*/f", "axbxcxdxe/f", true),
            ("a*b*c*d*e*/f", "axbxcxdxexxx/f", true), ("a*b*c*d*e*/f", "axbxcxdxe/xxx/f", false),
            ("a*b*c*d*e*/f", "axbxcxdxexxx/fff", false), ("a*b?c*x", "abxbbxdbxebxczzx", true), ("a*b?c*x", "abxbbxdbxebxczzy", false),
            ("ab[c]", "abc", true), ("ab[b-d]", "abc", true), ("ab[e-g]", "abc", false), ("ab[^c]", "abc", false),
            ("ab[^b-d]", "abc", false),
            ("ab[^e-g]", "abc", true), ("a\\*b", "a*b", true), ("a\\*b", "ab", false), ("a?b", "a☺b", true), ("a[^a]b", "a☺b", true),
            ("a???b", "a☺b", false), ("[a-ζ]*", "α", true), ("*[a-ζ]", "A", false), ("a?b", "a/b", false), ("a*b", "a/b", false),
            ("[\\]a]", "]", true), ("[\\-]", "-", true), ("[x\\-]", "x", true), ("[x\\-]", "-", true), ("*x", "xxx", true), ("", "", true),
            ("", "x", false), ("*", "", true), ("a/", "a", false), ("a", "a/", false), ("a[^x]b", "a/b", false),
        ])
    func matches(pattern: String, text: String, expected: Bool) throws {
        #expect(try #require(Glob(Text(pattern))).matches(Text(text)) == expected)
    }

    @Test(
        "a malformed pattern is none",
        arguments: ["[", "[^", "[^bc", "a[", "[]a]", "[-]", "[x-]", "[-x]", "[a-b-c]", "[b-a]", "a\\", "[/]", "[]"])
    func malformed(pattern: String) {
        #expect(Glob(Text(pattern)) == nil)
    }

    @Test("many stars take no exponential time")
    func stars() throws {
        let glob = try #require(Glob(Text("repo:" + String(repeating: "*a", count: 200) + "b")))
        #expect(!glob.matches(Text("repo:" + String(repeating: "a", count: 5000))))
    }
}
