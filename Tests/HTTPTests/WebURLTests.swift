import HTTP
import Testing
import Vocabulary

@Suite("A URL of an issuer or an endpoint")
struct WebURLTests {
    @Test(
        "is kept as it was given",
        arguments: [
            "https://accounts.google.com", "https://idp.example.com/", "https://IDP.example.com:8443/realms/a?x=1&y=%20",
            "https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0", "https://192.0.2.7/x",
            "https://[2001:db8::1]:443/x", "http://localhost:3000/login-callback", "http://127.0.0.1:1/", "http://[::1]:11110/a",
            "https://xn--bcher-kva.example/", "https://a.example/..a/b..", "https://a_b.example/~x/@y:z;p=1",
        ])
    func kept(text: String) throws {
        #expect(try WebURL(parsing: text).text == text)
    }

    @Test(
        "C41, C03 is refused where another reader could take it for something else",
        arguments: [
            ("", .notHTTPS), ("accounts.google.com", .notHTTPS), ("HTTPS://a.example", .notHTTPS), ("file:///etc/passwd", .notHTTPS),
            ("gopher://a.example/", .notHTTPS), ("ftp://a.example", .notHTTPS), ("data:text/plain,x", .notHTTPS),
            ("https:a.example", .notHTTPS), ("https:/a.example", .notHTTPS), (" https://a.example", .notHTTPS),
            ("http://a.example/", .plainHTTP), ("http://localhost.evil.example/", .plainHTTP),
            ("http://127.0.0.1.evil.example", .plainHTTP),
            ("http://127.0.0.2/", .plainHTTP), ("http://[::2]/", .plainHTTP), ("http://localhost@evil.example/", .userInformation),
            ("https://user@a.example/", .userInformation), ("https://user:pw@a.example/", .userInformation),
            ("https://@a.example/", .userInformation), ("https://a.example/#x", .fragment), ("https://a.example#@evil.example/", .fragment),
            ("https://a.example/x#", .fragment), ("https:///path", .host), ("https://", .host), ("https://?x", .host),
            ("https://:443/", .host), ("https://a..example/", .host), ("https://a.example./", .host), ("https://.a.example/", .host),
            ("https://-a.example/", .host), ("https://a\\.example/", .host), ("https://a.example\\@evil.example/", .userInformation),
            ("https://a b.example/", .host), ("https://a%2eexample/", .host), ("https://a.example\u{0}/", .host),
            ("https://a.example/x\ny", .forbiddenCharacter), ("https://a.example/\u{7F}", .forbiddenCharacter),
            ("https://a.example/a b", .forbiddenCharacter), ("https://a.example/a\\b", .forbiddenCharacter),
            ("https://a.example/{tenantid}/v2.0", .forbiddenCharacter), ("https://a.example/\"", .forbiddenCharacter),
            ("https://a.example/$(id)`id`", .forbiddenCharacter), ("https://b\u{FC}cher.example/", .notASCII),
            ("https://\u{FF41}.example/", .notASCII), ("https://a.example/\u{E9}", .notASCII), ("https://a.example:/", .port),
            ("https://a.example:0/", .port), ("https://a.example:65536/", .port), ("https://a.example:0443/", .port),
            ("https://a.example:99999999999999999999/", .port), ("https://a.example:4x/", .port), ("https://a.example:-1/", .port),
            ("https://a.example:443:443/", .port), ("https://a.example/./x", .dotSegment), ("https://a.example/x/..", .dotSegment),
            ("https://a.example/x/../y", .dotSegment), ("https://a.example/%2e/x", .dotSegment), ("https://a.example/.%2E/x", .dotSegment),
            ("https://a.example/%2e%2e", .dotSegment), ("https://a.example/%", .percentEncoding),
            ("https://a.example/%4", .percentEncoding),
            ("https://a.example/%zz", .percentEncoding), ("https://a.example/?%", .percentEncoding),
            ("https://0x7f.0.0.1/", .host), ("https://127.1/", .host), ("https://2130706433/", .host), ("https://0177.0.0.1/", .host),
            ("https://1.2.3.256/", .host), ("https://1.2.3.4.5/", .host), ("https://a.0x1/", .host),
            ("https://[::1/", .host), ("https://[::1%25lo]/", .host), ("https://[fe80::1%eth0]/", .host), ("https://[::1]x/", .host),
            ("https://[]/", .host), ("https://[1.2.3.4]/", .host), ("https://[v1.x]/", .host),
        ] as [(String, WebURLError)])
    func refused(text: String, why: WebURLError) {
        #expect(throws: why) { try WebURL(parsing: text) }
    }

    @Test("longer than 2048 bytes is refused")
    func tooLong() throws {
        let prefix = "https://a.example/"
        _ = try WebURL(parsing: prefix + String(repeating: "a", count: 2048 - prefix.count))
        #expect(throws: WebURLError.tooLong) { try WebURL(parsing: prefix + String(repeating: "a", count: 2049 - prefix.count)) }
    }

    @Test("has an origin that ignores the case of the host and the way the port is written")
    func origin() throws {
        let origin = try WebURL(parsing: "https://a.example/x").origin
        #expect(try WebURL(parsing: "https://A.Example:443?y").origin == origin)
        #expect(try WebURL(parsing: "https://a.example:444/x").origin != origin)
        #expect(try WebURL(parsing: "https://b.example/x").origin != origin)
        #expect(try WebURL(parsing: "http://localhost/").origin != WebURL(parsing: "https://localhost/").origin)
    }

    @Test(
        "C42 on an address that is not public is told from others",
        arguments: [
            ("localhost", true), ("LOCALHOST", true), ("a.localhost", true), ("127.0.0.1", true), ("127.9.9.9", true), ("0.0.0.0", true),
            ("10.1.2.3", true), ("172.16.0.1", true), ("172.31.255.255", true), ("172.32.0.1", false), ("192.168.1.1", true),
            ("169.254.169.254", true), ("100.64.0.1", true), ("100.128.0.1", false), ("224.0.0.1", true), ("255.255.255.255", true),
            ("8.8.8.8", false), ("[::1]", true), ("[::]", true), ("[::ffff:8.8.8.8]", true), ("[::ffff:127.0.0.1]", true),
            ("[fe80::1]", true),
            ("[fd00::1]", true), ("[64:ff9b::7f00:1]", true), ("[2002:7f00:1::]", true), ("[2001:4860:4860::8888]", false),
            ("accounts.google.com", false), ("localhost.example", false),
        ])
    func local(host: String, isLocal: Bool) throws {
        #expect(try WebURL(parsing: "https://\(host)/").host.isLocal == isLocal)
    }

    @Test("is shown without its query")
    func shown() throws {
        #expect(try WebURL(parsing: "https://a.example/cb?code=secret").shown == "https://a.example/cb")
    }
}

@Suite("A form")
struct FormTests {
    @Test("C34 escapes whatever means something to somebody else")
    func escaping() {
        #expect(Form.encode([("a b", "x&y=z;$(id)"), ("é", "~-._")]) == "a%20b=x%26y%3Dz%3B%24%28id%29&%C3%A9=~-._")
    }

    @Test("C15, C16 is read with its duplicates, and refused where malformed")
    func reading() throws {
        let fields = try #require(Form.decode("code=a+b%21&state=&state=2&x"))
        #expect(fields.map { $0.name } == ["code", "state", "state", "x"])
        #expect(fields.map { $0.value } == ["a b!", "", "2", ""])
        for bad in ["a=%", "a=%4", "a=%zz", "a=%ff", String(repeating: "a&", count: 70)] { #expect(Form.decode(bad) == nil) }
    }
}
