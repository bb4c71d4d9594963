internal import CCurl

/// Sets options of one libcurl handle and remembers whether each was taken: a handle that lacks one of them is not used.
///
/// The handle must outlive this value.
@safe final class Options {
    private let curl: UnsafeMutableRawPointer
    private(set) var succeeded = true

    @unsafe init(_ curl: UnsafeMutableRawPointer) {
        unsafe self.curl = curl
    }

    func set(_ option: CURLoption, _ value: Int) { unsafe check(opk_curl_set_long(curl, option, value)) }

    func set(_ option: CURLoption, offset value: Int) { unsafe check(opk_curl_set_offset(curl, option, curl_off_t(value))) }

    /// libcurl keeps a copy.
    func set(_ option: CURLoption, _ value: String) { unsafe check(opk_curl_set_text(curl, option, value)) }

    /// What is pointed to must outlive the transfer.
    @unsafe func set(_ option: CURLoption, pointer: UnsafeMutableRawPointer?) {
        unsafe check(opk_curl_set_pointer(curl, option, pointer))
    }

    /// The list must outlive the transfer.
    @unsafe func set(headers: UnsafeMutablePointer<curl_slist>?) { unsafe check(opk_curl_set_headers(curl, headers)) }

    @unsafe func set(writer: opk_curl_writer) { unsafe check(opk_curl_set_writer(curl, writer)) }

    func leaveQuickly() { unsafe opk_curl_set_quick_exit(curl) }

    private func check(_ code: CURLcode) {
        if code != CURLE_OK { succeeded = false }
    }
}
