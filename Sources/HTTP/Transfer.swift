internal import CCurl
import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// One request and its answer over one libcurl handle, which lives as long as the call.
final class Transfer {
    enum Method {
        case get
        case post(String)

        var name: String { if case .get = self { "GET" } else { "POST" } }
    }

    struct Answer {
        let response: HTTPResponse
        /// Where a redirect points, made absolute by libcurl. Not checked.
        let location: String?
    }

    private let url: WebURL
    private let bodyLimit: Int
    private var body: [UInt8] = []
    private var overflowed = false

    init(url: WebURL, bodyLimit: Int) {
        self.url = url
        self.bodyLimit = bodyLimit
    }

    func perform(_ method: Method, headers: [String], milliseconds: Int, authorities: String?) throws(HTTPError) -> Answer {
        _ = Transfer.initialized
        guard let curl = unsafe curl_easy_init() else { throw HTTPError(.other, url, "libcurl does not start") }
        defer { unsafe curl_easy_cleanup(curl) }
        var list: UnsafeMutablePointer<curl_slist>?
        for header in headers { unsafe list = curl_slist_append(list, header) }
        defer { unsafe curl_slist_free_all(list) }
        var reason = [CChar](repeating: 0, count: Int(CURL_ERROR_SIZE))
        var isSet = false
        // The error buffer must stay where it is while libcurl holds it: until the handle is told to forget it.
        let result = unsafe reason.withUnsafeMutableBufferPointer { buffer in
            let options = unsafe Options(curl)
            unsafe options.set(CURLOPT_ERRORBUFFER, pointer: buffer.baseAddress)
            restrict(options)
            limit(options, milliseconds)
            trust(options, authorities)
            unsafe options.set(headers: list)
            collect(options)
            if case .post(let form) = method { options.set(CURLOPT_COPYPOSTFIELDS, form) }
            isSet = options.succeeded
            let result = isSet ? unsafe curl_easy_perform(curl) : CURLE_BAD_FUNCTION_ARGUMENT
            unsafe options.set(CURLOPT_ERRORBUFFER, pointer: nil)
            return result
        }
        guard isSet else { throw HTTPError(.other, url, "libcurl lacks an option that is needed") }
        guard result == CURLE_OK else {
            let said = reason.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
            throw error(result, String(decoding: said, as: UTF8.self))
        }
        return unsafe answer(curl)
    }

    /// Thread-safe: a static is made once.
    private static let initialized: CURLcode = curl_global_init(Int(CURL_GLOBAL_DEFAULT))

    /// Where the request may go, and with what.
    private func restrict(_ options: Options) {
        options.set(CURLOPT_URL, url.text)
        options.set(CURLOPT_PATH_AS_IS, 1)
        options.set(CURLOPT_PROTOCOLS_STR, url.scheme.rawValue)
        options.set(CURLOPT_REDIR_PROTOCOLS_STR, "https")
        options.set(CURLOPT_FOLLOWLOCATION, 0)
        options.set(CURLOPT_NETRC, Int(CURL_NETRC_IGNORED.rawValue))
        options.set(CURLOPT_USERAGENT, "opk")
        options.set(CURLOPT_DISALLOW_USERNAME_IN_URL, 1)
        // No proxy has a better way to this machine than this machine.
        if url.host.isLoopbackByName { options.set(CURLOPT_PROXY, "") }
        options.set(CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2))
        options.set(CURLOPT_SSL_VERIFYPEER, 1)
        options.set(CURLOPT_SSL_VERIFYHOST, 2)
    }

    private func limit(_ options: Options, _ milliseconds: Int) {
        options.set(CURLOPT_NOSIGNAL, 1)
        options.set(CURLOPT_TIMEOUT_MS, milliseconds)
        options.set(CURLOPT_CONNECTTIMEOUT_MS, milliseconds)
        options.set(CURLOPT_MAXFILESIZE_LARGE, offset: bodyLimit)
        options.leaveQuickly()
    }

    private func trust(_ options: Options, _ authorities: String?) {
        if let authorities {
            options.set(CURLOPT_CAINFO, authorities)
            unsafe options.set(CURLOPT_CAPATH, pointer: nil)
            return
        }
        if let file = environment("SSL_CERT_FILE") { options.set(CURLOPT_CAINFO, file) }
        if let folder = environment("SSL_CERT_DIR") { options.set(CURLOPT_CAPATH, folder) }
    }

    /// `self` outlives the handle: `perform` holds both.
    private func collect(_ options: Options) {
        unsafe options.set(CURLOPT_WRITEDATA, pointer: Unmanaged.passUnretained(self).toOpaque())
        unsafe options.set { bytes, size, count, context in
            guard let bytes = unsafe bytes, let context = unsafe context else { return 0 }
            let (length, overflow) = size.multipliedReportingOverflow(by: count)
            guard !overflow else { return 0 }
            let transfer = unsafe Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
            // libcurl owns `length` bytes at `bytes` for the time of this call.
            return unsafe transfer.take(UnsafeRawBufferPointer(start: bytes, count: length)) ? length : 0
        }
    }

    private func take(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard bytes.count <= bodyLimit - body.count else {
            overflowed = true
            return false
        }
        unsafe body.append(contentsOf: bytes)
        return true
    }

    private func answer(_ curl: UnsafeMutableRawPointer) -> Answer {
        var status = 0
        var text: UnsafePointer<CChar>?
        unsafe opk_curl_get_long(curl, CURLINFO_RESPONSE_CODE, &status)
        unsafe opk_curl_get_text(curl, CURLINFO_CONTENT_TYPE, &text)
        let contentType = unsafe text.map { unsafe String(cString: $0) }
        unsafe text = nil
        unsafe opk_curl_get_text(curl, CURLINFO_REDIRECT_URL, &text)
        let location = unsafe text.map { unsafe String(cString: $0) }
        let cacheSeconds = unsafe CacheControl.seconds(header("Cache-Control", of: curl), age: header("Age", of: curl))
        let date = unsafe HTTPDate.time(header("Date", of: curl), age: header("Age", of: curl))
        return Answer(
            response: HTTPResponse(
                status: status, contentType: contentType, cacheSeconds: cacheSeconds, body: body, date: date, location: location),
            location: location)
    }

    /// The first of that name in the last answer.
    private func header(_ name: String, of curl: UnsafeMutableRawPointer) -> String? {
        // Copied before the handle goes.
        unsafe opk_curl_header(curl, name).map { unsafe String(cString: $0) }
    }

    private func error(_ result: CURLcode, _ said: String) -> HTTPError {
        let code: HTTPError.Code =
            switch result {
            case _ where overflowed: .tooLarge
            case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY: .nameNotResolved
            case CURLE_COULDNT_CONNECT: .connectionFailed
            case CURLE_OPERATION_TIMEDOUT: .timeout
            case CURLE_FILESIZE_EXCEEDED: .tooLarge
            case CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_ISSUER_ERROR, CURLE_SSL_CIPHER,
                CURLE_SSL_INVALIDCERTSTATUS, CURLE_SSL_CERTPROBLEM, CURLE_USE_SSL_FAILED:
                .tls
            case CURLE_SSL_CACERT_BADFILE: .trustStore
            case CURLE_PARTIAL_FILE, CURLE_GOT_NOTHING, CURLE_RECV_ERROR, CURLE_SEND_ERROR, CURLE_HTTP2, CURLE_HTTP2_STREAM: .cutOff
            case CURLE_UNSUPPORTED_PROTOCOL, CURLE_WEIRD_SERVER_REPLY, CURLE_BAD_CONTENT_ENCODING: .notHTTP
            default: .other
            }
        // libcurl says more than that only where a name, a connection or a certificate failed.
        let fallback = unsafe String(cString: curl_easy_strerror(result))
        let detail = code == .tooLarge ? "more than \(bodyLimit) bytes" : (said.isEmpty ? fallback : said)
        return HTTPError(code, url, detail)
    }
}

private func environment(_ name: String) -> String? {
    guard let value = unsafe getenv(name) else { return nil }
    let text = unsafe String(cString: value)
    return text.isEmpty ? nil : text
}
