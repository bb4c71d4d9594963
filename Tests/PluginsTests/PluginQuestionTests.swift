import Foundation
import JOSE
import MintingKit
import Testing
import Vocabulary

@testable import Policy

@Suite struct PluginQuestionTests {
    @Test("the variables that opkssh's manual names, and besides a search path and a language")
    func names() throws {
        let variables = try someQuestion(
            ["groups": ["a", "b"]], extra: [Array("x y".utf8)], userinfo: #"{"sub":"alice-1","b":1e2,"a":"<"}"#
        )
        .variables
        #expect(
            Set(variables.keys) == [
                "U", "K", "T", "EXTRA_ARGS", "ISS", "SUB", "EMAIL", "EMAIL_VERIFIED", "AUD", "EXP", "NBF", "IAT", "JTI", "GROUPS",
                "PAYLOAD", "UPK",
                "IDT", "PKT", "CONFIG", "USERINFO", "PATH", "LANG",
            ])
        #expect(variables["U"] == "deploy" && variables["T"] == "ssh-ed25519-cert-v01@openssh.com")
        #expect(
            variables["ISS"] == "https://issuer.example.com" && variables["SUB"] == "alice-1" && variables["EMAIL"] == "alice@example.com")
        #expect(
            variables["AUD"] == "test-client" && variables["EMAIL_VERIFIED"] == "true" && variables["JTI"] == "" && variables["NBF"] == "")
        #expect(variables["IAT"] == "1789999940" && variables["EXP"] == "1790003600" && variables["GROUPS"] == #"["a","b"]"#)
        #expect(variables["EXTRA_ARGS"] == #"["x y"]"# && variables["USERINFO"] == #"{"a":"\u003c","b":100,"sub":"alice-1"}"# + "\n")
        #expect(variables["PATH"] == "/usr/sbin:/usr/bin:/sbin:/bin" && variables["LANG"] == "C.UTF-8")
        #expect(variables["CONFIG"] == Base64.encode(Array("name: a\ncommand: /bin/a\n".utf8)))
        let encoded = try #require(variables["UPK"])
        let upk = try JSON(parsing: try #require(Base64.decode(Array(encoded.utf8))))
        #expect(upk["kty"] == "OKP" && upk["crv"] == "Ed25519" && upk["alg"] == "EdDSA")
        let token = try #require(variables["IDT"])
        #expect(try JWS(parsing: Array(token.utf8)).payload()["sub"] == "alice-1")
        #expect(try #require(variables["PKT"]).split(separator: ":").count == 5)
    }

    @Test("what is absent is empty: no variable is ever missing")
    func absent() throws {
        let variables = try someQuestion(["email": .null, "email_verified": .null]).variables
        for name in ["EMAIL", "JTI", "NBF", "GROUPS", "EXTRA_ARGS", "USERINFO"] { #expect(variables[name] == "", "\(name)") }
        #expect(variables["EMAIL_VERIFIED"] == "false")
    }

    @Test("V63 only true and \"true\" come out as true", arguments: ["True", "TRUE", "1", "t", " true", "yes", "false"])
    func verified(word: String) throws {
        #expect(try someQuestion(["email_verified": .string(Text(word))]).variables["EMAIL_VERIFIED"] == word)
        #expect(try someQuestion(["email_verified": "true"]).variables["EMAIL_VERIFIED"] == "true")
        #expect(try someQuestion(["email_verified": false]).variables["EMAIL_VERIFIED"] == "false")
    }

    @Test("a time with a fraction is given in whole seconds")
    func fractions() throws {
        let number = try JSON(parsing: Array("1.7899999409e9".utf8))
        #expect(try someQuestion(["iat": number]).variables["IAT"] == "1789999940")
    }

    @Test("one group is one element of the list, whatever its name, and so is an audience (in opkssh's list a\",\"b is two)")
    func lists() throws {
        #expect(
            try someQuestion(["groups": ["dev\",\"admin", #"ACME\dev"#, "a\nb", "ü<"]]).variables["GROUPS"]
                == #"["dev\",\"admin","ACME\\dev","a\u000ab","ü<"]"#)
        #expect(try someQuestion(["groups": []]).variables["GROUPS"] == "[]")
        let audiences = try someQuestion(["aud": ["test-client", "x\",\"y"], "azp": "test-client"])
        #expect(try audiences.variables["AUD"] == #"["test-client","x\",\"y"]"#)
    }

    @Test("the groups come from the claim that the provider's row names")
    func groupsClaim() throws {
        #expect(try someQuestion(["groups": ["a"], "roles": ["b"]], groupsClaim: "roles").variables["GROUPS"] == #"["b"]"#)
    }

    @Test(
        "a claim that cannot be handed over keeps every plugin from being asked, and the reason names it",
        arguments: [
            ("jti", .string("a\0b"), "NUL"), ("email", .string(Text(String(repeating: "a", count: 65_537))), "65536"),
            ("email", 5, "not a string"),
            ("groups", "a", "not a list"), ("groups", [1], "list of strings"), ("groups", ["a\0"], "jti"), ("email_verified", 1, "boolean"),
        ] as [(Text, JSON, String)])
    func impossible(name: Text, value: JSON, words: String) throws {
        let question = try someQuestion(.object(MintedLogin.object([:]).with(name, value)))
        if value == ["a\0"] {
            // Escaped in the list, as JSON has it.
            #expect(try question.variables["GROUPS"] == #"["a\u0000"]"#)
            return
        }
        let reason = try #require(question.impossibility)
        #expect(reason.contains(words) && reason.contains(name.string))
        let plugin = try Plugin(file: "a.yml", parsing: Array("name: a\ncommand: /bin/a\n".utf8))
        #expect(question.environment(for: plugin).isEmpty && question.secrets.isEmpty)
        #expect(PluginQuestion(parsing: question.encoded)?.impossibility == reason)
    }

    @Test("64 KiB of a claim are handed over; a whole that the system would not take is not")
    func sizes() throws {
        let long = JSON.string(Text(String(repeating: "a", count: 65_536)))
        #expect(try someQuestion(["jti": long]).variables["JTI"]?.utf8.count == 65_536)
        let longer = JSON.string(Text(String(repeating: "a", count: 75_000)))
        #expect(try someQuestion(["other": longer]).impossibility == "OPKSSH_PLUGIN_K would be over 131072 bytes")
        #expect(try someQuestion(extra: [[0xFF]]).impossibility?.contains("UTF-8") == true)
    }

    @Test("as bytes it comes back the same, and nothing else is read")
    func bytes() throws {
        let question = try someQuestion(["groups": ["ü", "b"]])
        let bytes = question.encoded
        let back = try #require(PluginQuestion(parsing: bytes))
        #expect(back.encoded == bytes)
        #expect(try back.variables == question.variables)
        for length in 0..<bytes.count { #expect(PluginQuestion(parsing: Array(bytes.prefix(length))) == nil) }
        #expect(PluginQuestion(parsing: bytes + [0]) == nil)
        #expect(PluginQuestion(parsing: bytes + Array("LD_PRELOAD=/x\0".utf8)) == nil)
        #expect(PluginQuestion(parsing: Array("LD_PRELOAD=/x\0".utf8) + bytes) == nil)
        let entries = bytes.split(separator: 0).map { Array($0) }
        func joined(_ entries: [[UInt8]]) -> [UInt8] { entries.flatMap { $0 + [0] } }
        #expect(PluginQuestion(parsing: joined(entries)) != nil)
        #expect(PluginQuestion(parsing: joined(entries.reversed())) == nil)
        #expect(PluginQuestion(parsing: joined([entries[0]] + entries.dropFirst(2) + [entries[1]])) == nil)
        #expect(PluginQuestion(parsing: joined([entries[0] + [UInt8](repeating: 65, count: 131_072)] + entries.dropFirst())) == nil)
        for wrong in ["", "!", "!\0", "!a", "!a\0b\0", "\0", "x\0"] {
            #expect(PluginQuestion(parsing: Array(wrong.utf8)) == nil, "\(wrong)")
        }
        #expect(PluginQuestion(parsing: [UInt8(ascii: "!"), 0xFF, 0]) == nil)
        #expect(PluginQuestion(parsing: Array("!\(String(repeating: "a", count: 513))\0".utf8)) == nil)
    }

    @Test("nothing of it shows when it is printed")
    func secret() throws {
        let question = try someQuestion()
        let token = try #require(try question.variables["IDT"])
        var dumped = "\(question) \(String(reflecting: question))"
        dump(question, to: &dumped)
        #expect(!dumped.contains(token.prefix(16)) && !dumped.contains("alice"))
    }

    @Test("an answer comes back the same, cut where it is too long, and nothing else is read")
    func answers() {
        let answers: [PluginAnswer] = [
            .notAsked, .none, .refused([]), .refused(["a", "", "ü"]), .allowed(name: "a", notes: []),
            .allowed(name: "", notes: ["b", "c"]),
            .allowed(name: "x", notes: [String](repeating: "n", count: 40)), .refused([String](repeating: "n", count: 40)),
        ]
        for answer in answers {
            let bytes = answer.encoded
            #expect(PluginAnswer(parsing: bytes) == answer)
            #expect(PluginAnswer(parsing: bytes + [0]) == nil)
            #expect(bytes.count <= PluginAnswer.maximumSize)
        }
        let long = PluginAnswer.refused([String](repeating: String(repeating: "ü", count: 600) + "!", count: 99)).encoded
        #expect(long.count <= PluginAnswer.maximumSize)
        #expect(PluginAnswer(parsing: long) == .refused([String](repeating: String(repeating: "ü", count: 512), count: 40)))
        let odd = PluginAnswer.refused(["a" + String(repeating: "ü", count: 600)]).encoded
        #expect(PluginAnswer(parsing: odd) == .refused(["a" + String(repeating: "ü", count: 511)]))
        for wrong: [UInt8] in [[], [3], [4], [0, 0, 0], [1, 0, 0], [2, 0], [2, 0, 2, 65], [2, 0, 1, 0xFF], [2, 4, 1], [255]] {
            #expect(PluginAnswer(parsing: wrong) == nil, "\(wrong)")
        }
        #expect(PluginAnswer(parsing: [2] + [UInt8](repeating: 0, count: 82)) == nil)
    }
}

extension JSONObject {
    func with(_ name: Text, _ value: JSON) -> JSONObject {
        var copy = self
        copy[name] = value
        return copy
    }
}
